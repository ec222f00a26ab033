/** The HTTP side of a node: guests, rooms, history, operations, and the page. */
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { asChatError, ChatError } from "../lib/errors.ts";
import type { Mailbox } from "../core/mail.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { AllowedOrigins } from "../lib/origins.ts";
import { ERRORS } from "../protocol.ts";
import { accountRoutes, addAccountPaths } from "./accounts.ts";
import { auditRoutes } from "./audit-routes.ts";
import { brokenOff } from "./body.ts";
import { botRoutes } from "./bot-routes.ts";
import { chatRoutes, type ChatRoutesDeps } from "./chat-routes.ts";
import { meRoutes } from "./me-routes.ts";
import { moderationRoutes } from "./moderation-routes.ts";
import { toOpenApi } from "./openapi.ts";
import { createMailbox } from "./mailbox.ts";
import { createOps } from "./ops.ts";
import { roomRoutes } from "./room-routes.ts";
import { serveRoutes, type Serving } from "./routes.ts";
import { refuseForeignPages, securityHeaders } from "./security.ts";

export interface AppDeps extends ChatRoutesDeps, Serving {
  /** Letters that are kept instead of sent; absent where they are sent. */
  readonly mailbox?: Mailbox;
  readonly origins: AllowedOrigins;
  /** The page is at an https URL. */
  readonly isHttps: boolean;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Folder of the built page; without it only the API is served. */
  readonly webDir: string | undefined;
}

export function createApp(deps: AppDeps): Hono {
  const { node, signIn, metrics, logger, limits, webDir } = deps;
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
  app.use(securityHeaders(deps.isHttps));
  app.use("/api/*", refuseForeignPages(deps.origins));
  const limitBody = bodyLimit({ maxSize: limits.frameBytesMax, onError: tooLarge });
  app.use("/api/*", (c, next) => limitBody(c, next).catch(brokenOff));
  const routes = [
    ...chatRoutes(deps),
    ...roomRoutes(node, limits),
    ...moderationRoutes(node),
    ...accountRoutes(signIn),
    ...meRoutes(deps),
    ...botRoutes(signIn, limits),
    ...auditRoutes(node, signIn),
  ];
  serveRoutes(app, routes, deps);
  if (signIn.accounts) addAccountPaths(app, { ...deps, accounts: signIn.accounts });
  if (deps.mailbox) app.route("/", createMailbox(deps.mailbox));
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
  // A route, since what `notFound` throws passes by the middleware: its answer would be without the headers.
  app.all("*", () => {
    throw new ChatError("not_found", "No such path.");
  });
  return app;
}

/** Hashed files never change; the page that names them is asked for each time, and is new after a deploy. */
function addPage(app: Hono, webDir: string): void {
  app.use("/*", async (c, next) => {
    await next();
    const isHashed = c.req.path.startsWith("/assets/");
    const isOurs = c.res.ok && !c.res.headers.has("Cache-Control");
    if (isOurs) c.header("Cache-Control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  });
  app.use("/*", serveStatic({ root: webDir, precompressed: true }));
}
