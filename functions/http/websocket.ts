/**
 * WebSocket → Transport → Session.
 *
 * A message is framed once and the same bytes go to every socket; each socket is written once per tick. The frames bypass
 * the `send` of ws for that, straight to the socket that its upgrade handed over: without compression nothing else of
 * ours writes data frames, and control frames of ws fall between whole writes.
 */
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Frame } from "../core/frame.ts";
import type { ChatNode } from "../core/node.ts";
import type { Transport } from "../core/transport.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { ConnectionCounts } from "../lib/connection-counts.ts";
import { EndOfTick } from "../lib/end-of-tick.ts";
import { ChatError } from "../lib/errors.ts";
import { encodeTextFrame, FRAGMENT_BOUNDS, joinFrames } from "../lib/websocket-frames.ts";
import { CLOSES, SUBPROTOCOL } from "../protocol.ts";
import type { Client, Door } from "./server.ts";

export interface WebSocketOptions {
  readonly node: ChatNode;
  readonly metrics: Metrics;
  readonly counts: ConnectionCounts;
  readonly frameBytesMax: number;
  /** Bytes that may wait for one client. */
  readonly bufferBytesMax: number;
  readonly heartbeatMs: number;
}

/** A client that does not read its close frame is cut after this. */
const CLOSE_GRACE_MS = 2_000;
/** RFC 6455, 7.4.1: no close frame came. */
const ABNORMAL = 1006;

export interface WebSockets extends Door {
  close(): void;
}

export function createWebSockets(options: WebSocketOptions): WebSockets {
  const { node, metrics, counts, frameBytesMax, bufferBytesMax, heartbeatMs } = options;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: frameBytesMax,
    perMessageDeflate: false,
    ...FRAGMENT_BOUNDS,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const connections = new Set<Connection>();
  const heartbeat = setInterval(() => connections.forEach((connection) => connection.beat()), heartbeatMs);

  function accept(ws: WebSocket, socket: Duplex, { address, principal }: Client): void {
    const connection = new Connection(ws, socket, bufferBytesMax);
    const session = node.openSession(connection, principal);
    connection.onSlow = () => session.close("slow_client");
    connection.onDead = () => session.close("heartbeat_lost");
    connections.add(connection);
    counts.add(address);
    ws.on("message", (data: Buffer, isBinary) =>
      isBinary ? session.receiveBinary() : session.receive(data.toString()),
    );
    let fault: string | undefined;
    // One malformed frame would otherwise end the process. The close that follows counts it.
    ws.on("error", (error: NodeJS.ErrnoException) => (fault = error.code ?? error.name));
    ws.on("close", (code: number) => {
      if (!session.hasEnded) metrics.closes.inc({ reason: reasonOf(code, fault) });
      connections.delete(connection);
      counts.delete(address);
      node.closeSession(session);
    });
  }

  return {
    begins: () => true,
    refusal: ({ headers }) =>
      offersOurs(headers["sec-websocket-protocol"])
        ? undefined
        : new ChatError("unsupported_protocol", `This server speaks ${SUBPROTOCOL}.`),
    upgrade: (req, socket, head, client) =>
      server.handleUpgrade(req, socket, head, (ws) => accept(ws, socket, client)),
    close: () => {
      clearInterval(heartbeat);
      for (const connection of connections) connection.cut();
    },
  };
}

/** No offer means v1. */
function offersOurs(header: string | undefined): boolean {
  return header === undefined || header.split(",").some((offer) => offer.trim() === SUBPROTOCOL);
}

/** Why a connection ended that we did not end. */
function reasonOf(code: number, fault: string | undefined): "client" | "frame_too_long" | "broken" {
  if (fault === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return "frame_too_long";
  return fault !== undefined || code === ABNORMAL ? "broken" : "client";
}

const endOfTick = new EndOfTick();

class Connection implements Transport {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #bufferBytesMax: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #closing = false;
  #unanswered = 0;
  onSlow: () => void = () => {};
  onDead: () => void = () => {};

  constructor(ws: WebSocket, socket: Duplex, bufferBytesMax: number) {
    this.#ws = ws;
    this.#socket = socket;
    this.#bufferBytesMax = bufferBytesMax;
    ws.on("pong", () => (this.#unanswered = 0));
  }

  send(frame: Frame): void {
    if (this.#closing) return;
    const bytes = frame.bytes(encodeTextFrame);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes + this.#socket.writableLength > this.#bufferBytesMax) return this.onSlow();
    endOfTick.add(this);
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    if (code === CLOSES.slow_client.code) this.#waiting = [];
    this.flush();
    this.#closing = true;
    this.#ws.close(code, reason);
    setTimeout(() => this.cut(), CLOSE_GRACE_MS).unref();
  }

  flush(): void {
    const [first] = this.#waiting;
    if (!first || this.#closing) return;
    this.#socket.write(this.#waiting.length === 1 ? first : joinFrames(this.#waiting, this.#waitingBytes));
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  beat(): void {
    if (this.#unanswered >= 2) return this.onDead();
    this.#unanswered += 1;
    this.#ws.ping();
  }

  cut(): void {
    this.#ws.terminate();
  }
}
