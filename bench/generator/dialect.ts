/** How the systems under test are spoken to over raw TCP: the upgrade, the first frames, a message, and where its number is found. */
import { randomBytes } from "node:crypto";
import { uuidV7 } from "../../functions/core/uuid.ts";
import { systemRuntime } from "../../functions/adapters/runtime-system.ts";

/** Digits that a message's body begins with: its number in the run. */
export const NUMBER_DIGITS = 8;

export interface Dialect {
  /** Path of the upgrade, with its query. */
  readonly path: string;
  readonly subprotocol?: string;
  /** What a client says to a frame of the opening. */
  open(received: string | undefined, client: Opening): OpeningStep;
  /** The text frame that sends a message with this body. */
  message(body: string): string;
  /** How a frame begins that brings a message, and what stands right before the message's body in it. */
  readonly messageStart: string;
  readonly bodyMark: string;
  /** Frames hold several texts, one a line. */
  readonly isLines?: boolean;
  /** Answers a frame that is no message, as a ping of the application. */
  answer(received: string): string | undefined;
}

/** `joined` once it hears the room. Nothing: it waits for more. */
export interface OpeningStep {
  readonly say?: string | readonly string[];
  readonly afterMs?: number;
  readonly joined?: boolean;
}

export interface Opening {
  readonly token: string;
  readonly room: string;
  /** Resume from here, where the system can. */
  readonly after?: string;
  /** What one client has been told. */
  isSettled?: boolean;
}

/**
 * Skat's own wire: auth, join, send. `since` is the head that the first of the joins was told. A room is joined once its page is
 * settled: the reset that follows a provisional one would bring messages of the load as history.
 */
export function skatDialect(room: string): Dialect {
  let since: string | undefined;
  return {
    path: "/ws",
    subprotocol: "skat.v1",
    open(received, client) {
      const { token, after } = client;
      if (received === undefined) return { say: JSON.stringify({ type: "auth", token }) };
      const frame = JSON.parse(received) as { type: string; head?: string; provisional?: boolean };
      since ??= frame.head;
      client.isSettled ||= frame.provisional === false;
      if (frame.type === "welcome") return { say: JSON.stringify({ type: "join", room, after }) };
      return { joined: client.isSettled === true && frame.type === "events" };
    },
    message: (body) => JSON.stringify({ type: "send", room, id: uuidV7(systemRuntime), body, since }),
    messageStart: '{"type":"event",',
    bodyMark: '"body":"',
    answer: refuseErrors,
  };
}

/** A send that was refused is a fault of the bench: it is to measure what is served. */
function refuseErrors(received: string): undefined {
  if (received.startsWith('{"type":"error"')) throw new Error(`the node refused: ${received}`);
}

/** Socket.IO over Engine.IO 4 (websocket only), with the events of the baseline. */
export function socketIoDialect(): Dialect {
  return {
    path: "/socket.io/?EIO=4&transport=websocket",
    open(received) {
      if (received === undefined) return {};
      if (received.startsWith("0{")) return { say: "40" };
      return { joined: received.startsWith("40{") };
    },
    message: (body) => `42${JSON.stringify(["event:message", { message: body }])}`,
    messageStart: '42["message",',
    bodyMark: String.raw`{\"message\":\"`,
    answer: (received) => (received === "2" ? "3" : undefined),
  };
}

/** A bare WebSocket server that sends every text to everybody. */
export function plainDialect(): Dialect {
  return {
    path: "/",
    open: () => ({ joined: true }),
    message: (body) => JSON.stringify({ body }),
    messageStart: '{"body":',
    bodyMark: '"body":"',
    answer: () => undefined,
  };
}

/** Centrifuge's JSON protocol: connect, subscribe, publish; an empty object is a ping and its answer. */
export function centrifugeDialect(channel: string): Dialect {
  let id = 2;
  return {
    path: "/connection/websocket",
    isLines: true,
    open(received) {
      if (received === undefined) return { say: JSON.stringify({ id: 1, connect: {} }) };
      if (received.startsWith('{"id":1,')) return { say: JSON.stringify({ id: 2, subscribe: { channel } }) };
      return { joined: received.startsWith('{"id":2,"subscribe"') };
    },
    message: (body) => JSON.stringify({ id: ++id, publish: { channel, data: { body } } }),
    messageStart: '{"push":',
    bodyMark: '"body":"',
    answer(received) {
      if (received.includes('"error":')) throw new Error(`the server refused: ${received}`);
      return received === "{}" ? "{}" : undefined;
    },
  };
}

export type DialectName = "skat" | "socket.io" | "centrifuge" | "plain";

export function dialectOf(name: DialectName, room: string): Dialect {
  const dialects: Record<DialectName, () => Dialect> = {
    skat: () => skatDialect(room),
    "socket.io": socketIoDialect,
    centrifuge: () => centrifugeDialect(room),
    plain: plainDialect,
  };
  return dialects[name]();
}

/** A body of that many bytes, its number in front. */
export function bodyOf(number: number, bytes: number): string {
  const digits = String(number).padStart(NUMBER_DIGITS, "0");
  return digits + filler.slice(0, Math.max(0, bytes - NUMBER_DIGITS));
}

const filler = randomBytes(8192).toString("hex");
