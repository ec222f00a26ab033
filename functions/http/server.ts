/**
 * The server: Hono answers requests, and one dispatcher of ours answers every upgrade.
 *
 * The upgrade handlers of Hono's adapter and of Socket.IO clash on one server and cost twice as much per connection as
 * handing the socket to ws at once.
 */
import { ServerResponse, type IncomingMessage, type Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { SignIn } from "../core/accounts.ts";
import type { Principal } from "../core/auth.ts";
import type { ChatNode } from "../core/node.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import { rateKeyOf } from "../lib/client-address.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { isOriginAllowed, type AllowedOrigins } from "../lib/origins.ts";
import { SUBPROTOCOL } from "../protocol.ts";
import { hasSessionCookie } from "./authenticate.ts";
import type { WebSockets } from "./websocket.ts";

export interface ServerOptions {
  readonly app: Hono;
  readonly node: ChatNode;
  readonly signIn: SignIn;
  readonly webSockets: WebSockets;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly origins: AllowedOrigins;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly rates: RateLimiter;
  readonly addressOf: (req: IncomingMessage) => string;
}

/**
 * Longer than any load balancer in front leaves a connection idle: were it shorter, a request could meet its end, and the balancer would
 * answer it with an error.
 */
export const KEEP_ALIVE_MS = 130_000;

export function createServer(options: ServerOptions): Server {
  const { app, webSockets, metrics } = options;
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that is gone before it is answered must not end the process.
    socket.on("error", () => socket.destroy());
    if (!asksForWebSocket(req)) return serveAsIs(server, req, socket);
    const address = rateKeyOf(options.addressOf(req));
    const isRefused = (refusal: ChatError | undefined): boolean => {
      if (refusal === undefined) return false;
      metrics.upgrades.inc({ outcome: "refused" });
      answer(socket, refusal);
      return true;
    };
    const accept = (principal?: Principal): void => {
      metrics.upgrades.inc({ outcome: "accepted" });
      webSockets.upgrade(req, socket, head, { address, principal });
    };
    if (isRefused(refuse(req, options) ?? refuseAddress(address, options))) return;
    if (!hasSessionCookie(req.headers.cookie)) return accept();
    void cookiePrincipal(req, options).then((principal) => {
      // It may drain, or be full, by now.
      if (!isRefused(refuse(req, options))) accept(principal);
    });
  });
  return server;
}

/** Whom the cookie proves. One that can't be looked at proves nothing; a token still may. */
async function cookiePrincipal(
  { headers: { cookie = "" } }: IncomingMessage,
  { signIn, logger }: ServerOptions,
): Promise<Principal | undefined> {
  try {
    return await signIn.principalOf(new Headers({ cookie }));
  } catch (error) {
    logger.warn("the cookie of an upgrade can't be read", { err: error });
    return undefined;
  }
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === "websocket";
}

/** Other offers, such as `h2c`, are passed over. The parser has stopped at them, so a body can't be read any more. */
function serveAsIs(server: Server, req: IncomingMessage, socket: Duplex): void {
  const hasBody =
    Number(req.headers["content-length"] ?? 0) > 0 || req.headers["transfer-encoding"] !== undefined;
  if (hasBody || !(socket instanceof Socket)) {
    return answer(socket, new ChatError("unsupported_protocol", "Upgrades are to WebSocket only."));
  }
  const response = new ServerResponse(req);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on("finish", () => socket.end());
  server.emit("request", req, response);
}

function refuse(req: IncomingMessage, options: ServerOptions): ChatError | undefined {
  const { node, origins, connectionsMax, webSockets } = options;
  const [path] = (req.url ?? "").split("?");
  if (path !== "/ws") return new ChatError("not_found", "WebSockets are at /ws.");
  if (!isOriginAllowed(origins, req.headers.origin, req.headers.host)) {
    return new ChatError("origin_refused", "Pages of this origin may not connect.");
  }
  if (!offersOurs(req.headers["sec-websocket-protocol"])) {
    return new ChatError("unsupported_protocol", `This server speaks ${SUBPROTOCOL}.`);
  }
  if (node.isDraining) return new ChatError("draining", "The node is shutting down.", { retryAfterMs: 1000 });
  if (webSockets.count() >= connectionsMax) {
    return new ChatError("unavailable", "The node has all the connections it takes.", { retryAfterMs: 5000 });
  }
  return undefined;
}

function refuseAddress(
  address: string | undefined,
  { rates, webSockets, connectionsPerAddressMax }: ServerOptions,
): ChatError | undefined {
  if (address === undefined) return undefined;
  if (webSockets.countOf(address) >= connectionsPerAddressMax)
    return new ChatError("rate_limited", "This address has all its connections.", { retryAfterMs: 5000 });
  const retryAfterMs = rates.count("upgrades", address);
  if (retryAfterMs === 0) return undefined;
  return new ChatError("rate_limited", "Too many connections: wait.", { retryAfterMs });
}

/** No offer means v1. */
function offersOurs(header: string | undefined): boolean {
  return header === undefined || header.split(",").some((offer) => offer.trim() === SUBPROTOCOL);
}

function answer(socket: Duplex, error: ChatError): void {
  const body = JSON.stringify({ error: error.toBody() });
  const retry =
    error.retryAfterMs === undefined ? "" : `Retry-After: ${Math.ceil(error.retryAfterMs / 1000)}\r\n`;
  socket.end(
    `HTTP/1.1 ${error.status} ${error.code}\r\nContent-Type: application/json\r\n${retry}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Resolves with the port. Port 0 takes a free one. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
