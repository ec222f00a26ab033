/** The HTTP side of a node: guests, rooms, history, operations, and the page. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { asChatError, ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { ERRORS } from "../protocol.ts";
import { chatRoutes, type ChatRoutesDeps } from "./chat-routes.ts";
import { moderationRoutes } from "./moderation-routes.ts";
import { toOpenApi } from "./openapi.ts";
import { createOps } from "./ops.ts";
import { roomRoutes } from "./room-routes.ts";
import { brokenOff, serveRoutes, type Serving } from "./routes.ts";

export interface AppDeps extends ChatRoutesDeps, Serving {
  readonly metrics: Metrics;
  readonly logger: Logger;
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
  const routes = [...chatRoutes(deps), ...roomRoutes(node, limits), ...moderationRoutes(node)];
  serveRoutes(app, routes, deps);
  const document = toOpenApi(routes);
  app.get("/api/openapi.json", (c) => c.json(document));
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

/** Hashed files never change; the page that names them is asked for each time. */
function addPage(app: Hono, webDir: string): void {
  app.use("/assets/*", async (c, next) => {
    await next();
    if (c.res.ok) c.header("Cache-Control", "public, max-age=31536000, immutable");
  });
  app.use("/*", serveStatic({ root: webDir }));
  app.get("/", serveStatic({ root: webDir, path: "index.html" }));
}
