/** Puts a node behind a server and opens its doors: shared by the entries that serve. */
import type { IncomingMessage } from "node:http";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import type { Config } from "./config.ts";
import { ChatNode } from "./core/node.ts";
import type { EventLog } from "./core/event-log.ts";
import { openRates, type StoreEngine, type StreamEngine } from "./engines.ts";
import { createApp } from "./http/app.ts";
import { createServer, listen, type Door } from "./http/server.ts";
import { createWebSockets } from "./http/websocket.ts";
import { clientAddress } from "./lib/client-address.ts";
import { ConnectionCounts } from "./lib/connection-counts.ts";
import type { Lifecycle } from "./lib/lifecycle.ts";
import type { Logger } from "./lib/logger.ts";
import type { Metrics } from "./lib/metrics.ts";
import type { Engine } from "./protocol.ts";
import { openSignIn } from "./sign-in.ts";
import type { SocketIo, SocketIoOptions } from "./socketio/server.ts";

export interface ServeOptions extends StreamEngine, StoreEngine {
  readonly config: Config;
  readonly log: EventLog;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

const PORT = 3000;
const PORTS_TRIED = 100;

/** Answers the URL. Drains when the process ends. */
export async function serve(options: ServeOptions): Promise<string> {
  const { config, stream, feed, notices, log, store, metrics, logger, lifecycle } = options;
  const { limits, heartbeatMs, bufferBytesMax, connectionsMax, http, drainMs } = config;
  let url = "";
  const baseUrl = () => config.auth.publicUrl ?? url;
  const { auth, signIn, mailbox, revocations } = await openSignIn({ ...options, baseUrl });
  const rates = await openRates(options);
  const node = new ChatNode({
    stream,
    feed,
    notices,
    log,
    store,
    auth,
    deletedUsers: revocations.deletedUsers,
    runtime,
    metrics,
    logger,
    limits,
    rates,
    connectionsPerUserMax: config.connectionsPerUserMax,
    heartbeatMs,
    tokenGraceMs: config.auth.graceMs,
    backlogMax: config.logBacklogMax,
    real: realEngines(config),
  });
  await revocations.start((subjects) => node.revoke(subjects));
  const { origins } = http;
  const counts = new ConnectionCounts(metrics);
  const webSockets = createWebSockets({
    node,
    metrics,
    counts,
    frameBytesMax: limits.frameBytesMax,
    bufferBytesMax,
    heartbeatMs,
  });
  const webDir = fileURLToPath(new URL("../web/dist", import.meta.url));
  const addressOf = ({ socket, headers }: IncomingMessage) =>
    clientAddress(socket.remoteAddress ?? "", headers["x-forwarded-for"]?.toString(), http.trustedHops);
  const app = createApp({
    node,
    rates,
    addressOf,
    nowMs: () => runtime.now(),
    auth,
    signIn,
    ...(mailbox ? { mailbox } : {}),
    origins,
    isHttps: config.auth.publicUrl?.startsWith("https:") ?? false,
    metrics,
    logger,
    limits,
    webDir: existsSync(webDir) ? webDir : undefined,
  });
  const { connectionsPerAddressMax } = config;
  const socketIo = await openSocketIo(config, {
    node,
    auth,
    rates,
    runtime,
    metrics,
    counts,
    logger,
    limits,
    bufferBytesMax,
    heartbeatMs,
  });
  const doors: Record<string, Door> = { "/ws": webSockets, ...(socketIo && { "/socket.io/": socketIo }) };
  const server = createServer({
    app,
    node,
    rates,
    addressOf,
    signIn,
    doors,
    counts,
    metrics,
    logger,
    origins,
    connectionsMax,
    connectionsPerAddressMax,
  });
  lifecycle.onClose("node", async () => {
    await node.drain(drainMs);
    node.close();
    webSockets.close();
    await socketIo?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const port = await listenSomewhere((port) => listen(server, http.host, port), config);
  const host = http.host === "0.0.0.0" || http.host === "::" ? "localhost" : http.host;
  url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return url;
}

/** Loaded only where it is switched on: it costs nothing else. */
async function openSocketIo(
  { socketIo }: Config,
  deps: Omit<SocketIoOptions, "room" | "hasPolling">,
): Promise<SocketIo | undefined> {
  if (!socketIo) return undefined;
  const { createSocketIo } = await import("./socketio/server.ts");
  return createSocketIo({ ...deps, ...socketIo });
}

function realEngines({ redis, kafka, database }: Config): ReadonlySet<Engine> {
  return new Set<Engine>([
    ...(redis ? (["redis"] as const) : []),
    ...(kafka ? (["kafka"] as const) : []),
    ...(database ? (["postgres"] as const) : []),
  ]);
}

/** The port that is configured; else 3000 or, on a laptop, the next free one. */
async function listenSomewhere(
  listenOn: (port: number) => Promise<number>,
  { http, role }: Config,
): Promise<number> {
  if (http.port !== undefined || role !== "all") return listenOn(http.port ?? PORT);
  for (let port = PORT; port < PORT + PORTS_TRIED; port++) {
    try {
      return await listenOn(port);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    }
  }
  throw new Error(`No port from ${PORT} on is free: set PORT.`);
}
