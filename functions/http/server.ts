/**
 * The server: Hono answers requests, and one dispatcher of ours answers every upgrade, and what is not Hono's.
 *
 * The upgrade handlers of Hono's adapter and of Socket.IO clash on one server and cost twice as much per connection as
 * handing the socket to ws at once.
 */
import {
  createServer as createHttpServer,
  ServerResponse,
  type IncomingMessage,
  type Server,
} from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { SignIn } from "../core/accounts.ts";
import type { Principal } from "../core/auth.ts";
import type { ChatNode } from "../core/node.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import { rateKeyOf } from "../lib/client-address.ts";
import type { ConnectionCounts } from "../lib/connection-counts.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { isOriginAllowed, type AllowedOrigins } from "../lib/origins.ts";
import { hasSessionCookie } from "./authenticate.ts";

/** What is known of a client before it has said anything. */
export interface Client {
  /** What it is counted by, if it is. */
  readonly address: string | undefined;
  /** Whom its cookie has proved. */
  readonly principal?: Principal | undefined;
}

/** What takes connections at one path. */
export interface Door {
  /** Whether the request begins a connection; else it goes on with one that is there. */
  begins(req: IncomingMessage): boolean;
  /** What keeps this request out, beside the limits that hold for every door. */
  refusal(req: IncomingMessage): ChatError | undefined;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, client: Client): void;
  /** Where it also speaks plain HTTP. */
  request?(req: IncomingMessage, res: ServerResponse, client: Client): void;
}

export interface ServerOptions {
  readonly app: Hono;
  readonly node: ChatNode;
  readonly signIn: SignIn;
  /** By their paths. */
  readonly doors: Readonly<Record<string, Door>>;
  readonly counts: ConnectionCounts;
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

/** A client that sends its request byte by byte is answered 408 and cut, so that slow ones can't hold all there is. */
const SLOW_LIMITS = { headersTimeout: 8_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };

export function createServer(options: ServerOptions): Server {
  const serveApp = getRequestListener(options.app.fetch);
  const server = createHttpServer(SLOW_LIMITS, (req, res) => {
    const door = doorOf(req, options);
    if (door?.request) serveAtDoor(door, req, res, options);
    else void serveApp(req, res);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that is gone before it is answered must not end the process.
    socket.on("error", () => socket.destroy());
    if (!asksForWebSocket(req)) return serveAsIs(server, req, socket);
    upgrade(req, socket, head, options);
  });
  return server;
}

function doorOf({ url = "" }: IncomingMessage, { doors }: ServerOptions): Door | undefined {
  const [path = ""] = url.split("?");
  return Object.hasOwn(doors, path) ? doors[path] : undefined;
}

function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, options: ServerOptions): void {
  const { upgrades } = options.metrics;
  const refuse = (error: ChatError): void => {
    upgrades.inc({ outcome: "refused" });
    answer(socket, error);
  };
  const door = doorOf(req, options);
  if (!door) return refuse(new ChatError("not_found", "WebSockets are at /ws."));
  const accept = (client: Client): void => {
    upgrades.inc({ outcome: "accepted" });
    door.upgrade(req, socket, head, client);
  };
  enter(door, req, options, { refuse, accept });
}

function serveAtDoor(door: Door, req: IncomingMessage, res: ServerResponse, options: ServerOptions): void {
  const refuse = (error: ChatError): void => {
    const { head, body } = answerOf(error);
    res.writeHead(error.status, head).end(body);
  };
  enter(door, req, options, { refuse, accept: (client) => door.request?.(req, res, client) });
}

interface Outcome {
  refuse(error: ChatError): void;
  accept(client: Client): void;
}

function enter(door: Door, req: IncomingMessage, options: ServerOptions, { refuse, accept }: Outcome): void {
  const address = rateKeyOf(options.addressOf(req));
  const begins = door.begins(req);
  const refusal = refusalOf(door, req, options) ?? (begins ? refusalOfAddress(address, options) : undefined);
  if (refusal) return refuse(refusal);
  if (!begins || !hasSessionCookie(req.headers.cookie)) return accept({ address });
  void cookiePrincipal(req, options).then((principal) => {
    // It may drain, or be full, by now.
    const late = refusalOf(door, req, options);
    if (late) refuse(late);
    else accept({ address, principal });
  });
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

function refusalOf(door: Door, req: IncomingMessage, options: ServerOptions): ChatError | undefined {
  const { node, counts, origins, connectionsMax } = options;
  if (!isOriginAllowed(origins, req.headers.origin, req.headers.host)) {
    return new ChatError("origin_refused", "Pages of this origin may not connect.");
  }
  const refusal = door.refusal(req);
  if (refusal || !door.begins(req)) return refusal;
  if (node.isDraining) return new ChatError("draining", "The node is shutting down.", { retryAfterMs: 1000 });
  if (counts.total >= connectionsMax) {
    return new ChatError("unavailable", "The node has all the connections it takes.", { retryAfterMs: 5000 });
  }
  return undefined;
}

function refusalOfAddress(
  address: string | undefined,
  { rates, counts, connectionsPerAddressMax }: ServerOptions,
): ChatError | undefined {
  if (address === undefined) return undefined;
  if (counts.of(address) >= connectionsPerAddressMax)
    return new ChatError("rate_limited", "This address has all its connections.", { retryAfterMs: 5000 });
  const retryAfterMs = rates.count("upgrades", address);
  if (retryAfterMs === 0) return undefined;
  return new ChatError("rate_limited", "Too many connections: wait.", { retryAfterMs });
}

function answer(socket: Duplex, error: ChatError): void {
  const { head, body } = answerOf(error);
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} ${error.code}\r\n${lines.join("")}\r\n${body}`);
}

function answerOf(error: ChatError): { head: Readonly<Record<string, string>>; body: string } {
  const body = JSON.stringify({ error: error.toBody() });
  const { retryAfterMs } = error;
  const retry = retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) };
  const length = String(Buffer.byteLength(body));
  const head = {
    "Content-Type": "application/json",
    ...retry,
    "Content-Length": length,
    Connection: "close",
  };
  return { head, body };
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
