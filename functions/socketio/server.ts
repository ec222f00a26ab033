/**
 * Clients of Socket.IO at `/socket.io/`: the official server, bound to an Engine.IO that our own dispatcher hands requests to.
 *
 * It carries packets and nothing else. Rooms, delivery and recovery are the sessions' (`translation.ts`), so its adapters have no part
 * in them.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Server as EngineServer, type Socket as EngineSocket } from "engine.io";
import { Server } from "socket.io";
import { WebSocketServer, type ServerOptions } from "ws";
import { asChatError, ChatError } from "../lib/errors.ts";
import type { ConnectionCounts } from "../lib/connection-counts.ts";
import type { Logger } from "../lib/logger.ts";
import { FRAGMENT_BOUNDS } from "../lib/websocket-frames.ts";
import type { Limits } from "../protocol.ts";
import { admit, type AdmissionOptions } from "./admission.ts";
import { Connection, type Client } from "./connection.ts";
import type { ClientToServerEvents, ServerToClientEvents } from "./events.ts";
import type { IoSocket, Translation } from "./translation.ts";

export interface SocketIoOptions extends AdmissionOptions {
  readonly counts: ConnectionCounts;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly bufferBytesMax: number;
  readonly heartbeatMs: number;
  /** Whether long-polling is served: only where every request of a client meets the same node. */
  readonly hasPolling: boolean;
}

export interface SocketIo {
  begins(req: IncomingMessage): boolean;
  refusal(req: IncomingMessage): ChatError | undefined;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, client: Client): void;
  request(req: IncomingMessage, res: ServerResponse, client: Client): void;
  /** Once every client has been sent what waits for it, or does not take it. */
  close(): Promise<void>;
}

/** As long as a client of `/ws` may take to say who it is. */
const CONNECT_TIMEOUT_MS = 10_000;

class BoundedWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super({ ...options, ...FRAGMENT_BOUNDS });
  }
}

export function createSocketIo(options: SocketIoOptions): SocketIo {
  const { hasPolling } = options;
  const engine = createEngine(options);
  const clients = new WeakMap<IncomingMessage, Client>();
  const connections = watch(engine, clients, options);
  const io = new Server<ClientToServerEvents, ServerToClientEvents>({
    connectTimeout: CONNECT_TIMEOUT_MS,
    serveClient: false,
  });
  io.bind(engine);
  welcome(io, connections, options);
  return {
    begins: (req) => !queryOf(req)["sid"],
    refusal: (req) => refusalOf(queryOf(req), hasPolling),
    upgrade: (req, socket, head, client) => {
      clients.set(req, client);
      engine.handleUpgrade(req, socket, head);
    },
    request: (req, res, client) => {
      clients.set(req, client);
      const { sid = "" } = queryOf(req);
      const known = Object.hasOwn(engine["clients"], sid) ? engine["clients"][sid] : undefined;
      if (known) connections.get(known)?.spend();
      engine.handleRequest(req, res);
    },
    close: async () => {
      const open = [...connections.values()];
      for (const connection of open) connection.close();
      await Promise.all(open.map(({ ended }) => ended));
      engine.close();
    },
  };
}

function createEngine({ heartbeatMs, limits, hasPolling }: SocketIoOptions): EngineServer {
  return new EngineServer({
    transports: hasPolling ? ["polling", "websocket"] : ["websocket"],
    pingInterval: heartbeatMs,
    pingTimeout: heartbeatMs,
    maxHttpBufferSize: limits.frameBytesMax,
    httpCompression: false,
    // The origin has been checked; a page of another one needs to be told that it may read the answer.
    cors: { origin: true, credentials: true },
    wsEngine: BoundedWebSocketServer,
  });
}

/** Every connection from its first packet on. */
function watch(
  engine: EngineServer,
  clients: WeakMap<IncomingMessage, Client>,
  options: SocketIoOptions,
): Map<EngineSocket, Connection> {
  const { counts } = options;
  const connections = new Map<EngineSocket, Connection>();
  engine.on("connection", (socket: EngineSocket) => {
    const client = clients.get(socket.request) ?? { address: undefined };
    connections.set(socket, new Connection(socket, client, options));
    counts.add(client.address);
    socket.once("close", () => {
      connections.delete(socket);
      counts.delete(client.address);
    });
  });
  return connections;
}

function welcome(
  io: Server<ClientToServerEvents, ServerToClientEvents>,
  connections: ReadonlyMap<EngineSocket, Connection>,
  options: SocketIoOptions,
): void {
  const { logger } = options;
  const translations = new WeakMap<IoSocket, Translation>();
  /** What keeps the client out, as the library tells it. */
  const letIn = async (socket: IoSocket): Promise<Error | undefined> => {
    const connection = connections.get(socket.conn);
    try {
      if (!connection?.claim()) throw new ChatError("unavailable", "The connection is in use, or gone.");
      translations.set(socket, await admit(socket, connection, options));
      return undefined;
    } catch (error) {
      const told = asChatError(error);
      if (told.code === "internal") logger.error("a client of Socket.IO can't be let in", { err: error });
      // The library comes back after a broken connection, and not after it was refused.
      if (told.retriable) connection?.close();
      return Object.assign(new Error(told.message), { data: told.toBody() });
    }
  };
  io.use(async (socket, next) => next(await letIn(socket)));
  io.on("connection", (socket) => {
    socket.on("disconnect", () => connections.get(socket.conn)?.close());
    translations.get(socket)?.release();
  });
}

/** As Engine.IO reads it: of what is there twice the last counts. */
function queryOf({ url = "" }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(url, "http://localhost").searchParams);
}

function refusalOf(
  { EIO, transport }: ReturnType<typeof queryOf>,
  hasPolling: boolean,
): ChatError | undefined {
  if (EIO !== "4")
    return new ChatError("unsupported_protocol", "Clients of Socket.IO 3 and later are served.");
  if (hasPolling || transport === "websocket") return undefined;
  return new ChatError(
    "unsupported_protocol",
    'Long-polling is off here, for requests may meet different nodes: connect with { transports: ["websocket"] }.',
  );
}
