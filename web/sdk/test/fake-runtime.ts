/** A runtime that a test owns: time stands still until it is moved, chance is given, sockets end in the test. */
import { CLOSES, type ClientFrame, type ServerFrame } from "../../../functions/protocol.ts";
import type { Cancel, Runtime, Socket, SocketHandlers } from "../src/runtime.ts";

/** The wall clock when a test begins. */
export const START_MS = 1_795_000_000_000;

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** The server's end of a socket that the client opened. */
export class FakeSocket implements Socket {
  readonly received: ClientFrame[] = [];
  isClosed = false;
  readonly #handlers: SocketHandlers;

  constructor(handlers: SocketHandlers) {
    this.#handlers = handlers;
  }

  send(text: string): void {
    this.received.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.#handlers.onOpen();
  }

  deliver(frame: ServerFrame): void {
    if (!this.isClosed) this.#handlers.onText(JSON.stringify(frame));
  }

  deliverText(text: string): void {
    this.#handlers.onText(text);
  }

  drop(code = 1006): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const known = Object.entries(CLOSES).find(([, close]) => close.code === code);
    this.#handlers.onClose(code, known?.[0] ?? "");
  }

  /** The newest frame of a type. */
  last<Type extends ClientFrame["type"]>(type: Type): Extract<ClientFrame, { type: Type }> {
    const frame = this.all(type).at(-1);
    if (frame === undefined) throw new Error(`No ${type} was received.`);
    return frame;
  }

  all<Type extends ClientFrame["type"]>(type: Type): readonly Extract<ClientFrame, { type: Type }>[] {
    return this.received.filter(
      (frame): frame is Extract<ClientFrame, { type: Type }> => frame.type === type,
    );
  }
}

export class FakeRuntime implements Runtime {
  nowMs = 0;
  chance = 0.5;
  readonly sockets: FakeSocket[] = [];
  readonly #timers = new Set<Timer>();

  /** What the wall clock shows beside what it should. */
  wrongByMs = 0;

  now(): number {
    return START_MS + this.nowMs + this.wrongByMs;
  }

  elapsed(): number {
    return this.nowMs;
  }

  random(): number {
    return this.chance;
  }

  randomBytes(length: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(length));
  }

  after(delayMs: number, run: () => void): Cancel {
    const timer = { dueMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** More than one at a time would be a client that is there twice. */
  get openSockets(): number {
    return this.sockets.filter(({ isClosed }) => !isClosed).length;
  }

  readonly openSocket = (_url: string, handlers: SocketHandlers): Socket => {
    const socket = new FakeSocket(handlers);
    this.sockets.push(socket);
    return socket;
  };

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("No socket was opened.");
    return socket;
  }

  /** Moves time on and runs what falls due, in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#timers.delete(timer);
      this.nowMs = timer.dueMs;
      timer.run();
    }
    this.nowMs = endMs;
  }

  /** Moves time on until the client opens its next socket; answers how long that took, at most `mostMs`. */
  advanceToSocket(mostMs = 120_000): number {
    const startMs = this.nowMs;
    const count = this.sockets.length;
    while (this.sockets.length === count && this.nowMs - startMs < mostMs) this.advance(1);
    return this.nowMs - startMs;
  }

  #next(endMs: number): Timer | undefined {
    return [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  }
}
