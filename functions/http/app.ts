/** The HTTP side of a node: guests, rooms, history, operations, and the page. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Auth } from "../core/auth.ts";
import type { Range } from "../core/history.ts";
import { readName } from "../core/names.ts";
import type { ChatNode } from "../core/node.ts";
import { isPosition } from "../core/position.ts";
import { asChatError, ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { ERRORS, PAGE_EVENTS, type Limits, type User } from "../protocol.ts";
import { createOps } from "./ops.ts";

export interface AppDeps {
  readonly node: ChatNode;
  readonly auth: Auth;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits: Limits;
  /** Folder of the built page; without it only the API is served. */
  readonly webDir: string | undefined;
}

export function createApp(deps: AppDeps): Hono {
  const { node, metrics, logger, limits, webDir } = deps;
  const app = new Hono();
  const tooLarge = () => {
    throw new ChatError("request_too_large", `A request body is at most ${limits.frameBytesMax} bytes.`);
  };
  app.onError((error, c) => {
    const told = asChatError(error);
    if (told.code === "internal") logger.error("a request failed", { err: error });
    metrics.errorsSent.inc({ code: told.code });
    if (told.retryAfterMs !== undefined) c.header("Retry-After", String(Math.ceil(told.retryAfterMs / 1000)));
    return c.json({ error: told.toBody() }, ERRORS[told.code].status);
  });
  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer");
  });
  const limitBody = bodyLimit({ maxSize: limits.frameBytesMax, onError: tooLarge });
  app.use("/api/*", (c, next) => limitBody(c, next).catch(brokenOff));
  addRoutes(app, deps);
  app.route(
    "/",
    createOps(metrics, () => node.unready()),
  );
  app.all("/api/*", () => {
    throw new ChatError("not_found", "No such path.");
  });
  app.all("/ws", (c) => {
    c.header("Upgrade", "websocket");
    throw new ChatError("upgrade_required", "This path speaks WebSocket only.");
  });
  if (webDir !== undefined) addPage(app, webDir);
  app.notFound(() => {
    throw new ChatError("not_found", "No such path.");
  });
  return app;
}

function addRoutes(app: Hono, { node, auth, limits }: AppDeps): void {
  app.post("/api/guest", async (c) => c.json(await auth.issueGuest((await readBody(c))["name"])));
  app.get("/api/rooms", async (c) => {
    await authenticate(c, auth);
    return c.json({ rooms: await node.members.rooms() });
  });
  app.post("/api/rooms", async (c) => {
    const user = await authenticate(c, auth);
    const name = readName((await readBody(c))["name"], "name", limits.nameLengthMax);
    return c.json(await node.members.create(name, user));
  });
  app.get("/api/rooms/:room/events", async (c) => {
    const user = await authenticate(c, auth);
    const room = c.req.param("room");
    const { range, limit } = readRange(c, limits);
    await node.members.check(room, user);
    return c.json(await node.history.read(room, range, limit));
  });
  const only = (path: string, methods: string) =>
    app.all(path, (c) => {
      c.header("Allow", methods);
      throw new ChatError("method_not_allowed", `This path takes ${methods}.`);
    });
  only("/api/guest", "POST");
  only("/api/rooms", "GET, POST");
  only("/api/rooms/:room/events", "GET");
}

/** Hashed files never change; the page that names them is asked for each time. */
function addPage(app: Hono, webDir: string): void {
  app.use("/assets/*", async (c, next) => {
    await next();
    if (c.res.ok) c.header("Cache-Control", "public, max-age=31536000, immutable");
  });
  app.use("/*", serveStatic({ root: webDir }));
  app.get("/", serveStatic({ root: webDir, path: "index.html" }));
}

async function authenticate(c: Context, auth: Auth): Promise<User> {
  const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  if (token === undefined) throw new ChatError("not_authenticated", "Send `Authorization: Bearer <token>`.");
  return (await auth.verify(token)).user;
}

async function readBody(c: Context): Promise<Record<string, unknown>> {
  const text = await c.req.text().catch(brokenOff);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body))
      return body as Record<string, unknown>;
  } catch (cause) {
    throw new ChatError("invalid_json", "The request body is not JSON.", { cause });
  }
  throw new ChatError("invalid_json", "The request body is not a JSON object.");
}

/** A body that can't be read to its end is the client's fault, not one of the server for its log. */
function brokenOff(cause: unknown): never {
  if (cause instanceof ChatError) throw cause;
  throw new ChatError("invalid_json", "The request body broke off.", { cause });
}

function readRange(c: Context, limits: Limits): { range: Range; limit: number } {
  const { before, after, limit = String(PAGE_EVENTS) } = c.req.query();
  if (before !== undefined && after !== undefined) throw invalid("`before` and `after` exclude each other.");
  if (before !== undefined && !isPosition(before))
    throw invalid("`before` must be a position of nineteen digits.");
  if (after !== undefined && !isPosition(after))
    throw invalid("`after` must be a position of nineteen digits.");
  if (!/^[0-9]{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > limits.historyLimitMax) {
    throw invalid(`\`limit\` must be a whole number from 1 to ${limits.historyLimitMax}.`);
  }
  return { range: after === undefined ? { before } : { after }, limit: Number(limit) };
}

function invalid(message: string): ChatError {
  return new ChatError("invalid_field", message);
}
