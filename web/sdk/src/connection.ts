/**
 * The connection of one session: opens the socket, authenticates, matches replies to requests, notices when it is dead,
 * and comes back with growing, jittered delays until it is told not to.
 */
import type { ClientFrame, CloseReason, ServerFrame } from "../../../functions/protocol.ts";
import { fullJitterMs } from "./backoff.ts";
import type { Cancel, OpenSocket, Runtime, Socket } from "./runtime.ts";

export type ConnectionState =
  | { readonly phase: "idle" | "connecting" | "online" | "waiting" }
  /** Not coming back by itself. `code` is an error code, or what the server closed with. */
  | { readonly phase: "stopped"; readonly code: string };

type Welcome = Extract<ServerFrame, { type: "welcome" }>;
type WithRef<Frame> = Frame extends unknown ? Omit<Frame, "ref"> : never;
export type Request = WithRef<ClientFrame>;

export interface ConnectionOptions {
  readonly url: string;
  readonly runtime: Runtime;
  readonly openSocket: OpenSocket;
  readonly token: () => string;
  readonly onState: (state: ConnectionState) => void;
  /** `isNew` is false when the session only refreshed itself. */
  readonly onWelcome: (welcome: Welcome, isNew: boolean) => void;
  /** Every frame that answers no request. */
  readonly onFrame: (frame: ServerFrame) => void;
  /** The server sent what is no frame; the connection ends. */
  readonly onBadFrame: (text: string) => void;
}

const REPLY_TIMEOUT_MS = 15_000;
const PROBE_TIMEOUT_MS = 5_000;
/** A connection that lived this long was a good one: the next loss starts from the shortest delay again. */
const STABLE_AFTER_MS = 5_000;
const FLOOD_PAUSE_MS = 2_000;
const FLOODING: CloseReason = "flooding";
const FIRST_FINAL_CLOSE = 4500;
const LAST_FINAL_CLOSE = 4999;

interface Pending {
  readonly onReply: (frame: ServerFrame) => void;
  readonly cancelTimeout: Cancel;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #timers = new Map<"stable" | "watch" | "open" | "goodbye", Cancel>();
  #state: ConnectionState = { phase: "idle" };
  #socket: Socket | undefined;
  #attempt = 0;
  #lastRef = 0;
  #lastHeardMs = 0;
  #returnAtMs: number | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects now, whatever it was waiting for. Does nothing while a connection is up or coming up. */
  start(): void {
    if (this.#socket === undefined) this.#open();
  }

  /** Ends the session for good; `code` says why, where it was not asked for. */
  stop(code?: string): void {
    this.#discard();
    this.#setState(code === undefined ? { phase: "idle" } : { phase: "stopped", code });
  }

  /** Sends a frame and hands its reply to `onReply`; no reply in time ends the connection. Only while online. */
  request(frame: Request, onReply: (reply: ServerFrame) => void): void {
    if (this.#state.phase === "online") this.#request(frame, REPLY_TIMEOUT_MS, onReply);
  }

  /**
   * Asks for a sign of life: reconnects soon when a connection that looks alive does not answer, and at once when waiting,
   * unless the server said when to come back.
   */
  probe(): void {
    const mayReturn = this.#options.runtime.elapsed() >= (this.#returnAtMs ?? 0);
    if (this.#state.phase === "waiting" && mayReturn) this.start();
    if (this.#state.phase === "online") this.#authenticate(PROBE_TIMEOUT_MS, false);
  }

  /** Gives the server the token that is in force now. */
  refresh(): void {
    if (this.#state.phase === "online") this.#authenticate(REPLY_TIMEOUT_MS, false);
  }

  #open(): void {
    this.#returnAtMs = undefined;
    this.#setState({ phase: "connecting" });
    this.#setTimer("open", REPLY_TIMEOUT_MS, () => this.#lost());
    this.#socket = this.#options.openSocket(this.#options.url, {
      onOpen: () => this.#authenticate(REPLY_TIMEOUT_MS, true),
      onText: (text) => this.#onText(text),
      onClose: (code, reason) => this.#closed(code, reason),
    });
  }

  #authenticate(timeoutMs: number, isNew: boolean): void {
    this.#clearTimer("open");
    this.#request({ type: "auth", token: this.#options.token() }, timeoutMs, (reply) => {
      if (reply.type === "welcome") this.#onWelcome(reply, isNew);
      else if (reply.type === "error" && !reply.retriable) this.stop(reply.code);
      else this.#lost(reply.type === "error" ? reply.retryAfterMs : undefined);
    });
  }

  #onWelcome(welcome: Welcome, isNew: boolean): void {
    if (isNew) {
      this.#setTimer("stable", STABLE_AFTER_MS, () => (this.#attempt = 0));
      this.#watch(welcome.heartbeatMs);
      this.#setState({ phase: "online" });
    }
    this.#options.onWelcome(welcome, isNew);
  }

  /** Browsers hide the server's pings, so a silent connection is asked whether it still lives. */
  #watch(heartbeatMs: number): void {
    this.#setTimer("watch", heartbeatMs, () => {
      const silentMs = this.#options.runtime.elapsed() - this.#lastHeardMs;
      this.#watch(heartbeatMs);
      if (silentMs >= 2 * heartbeatMs) this.probe();
    });
  }

  #request(frame: Request, timeoutMs: number, onReply: Pending["onReply"]): void {
    const ref = (this.#lastRef += 1);
    const cancelTimeout = this.#options.runtime.after(timeoutMs, () => this.#lost());
    this.#pending.set(ref, { onReply, cancelTimeout });
    this.#socket?.send(JSON.stringify({ ...frame, ref }));
  }

  #onText(text: string): void {
    const frame = parseFrame(text);
    if (frame === undefined) {
      this.#options.onBadFrame(text);
      return this.#lost();
    }
    this.#lastHeardMs = this.#options.runtime.elapsed();
    const ref = "ref" in frame ? frame.ref : undefined;
    const pending = ref === undefined ? undefined : this.#pending.get(ref);
    if (ref !== undefined && pending !== undefined) {
      this.#pending.delete(ref);
      pending.cancelTimeout();
      pending.onReply(frame);
    } else if (frame.type === "reconnect") this.#onReconnect(frame.afterMs);
    else this.#options.onFrame(frame);
  }

  /** The server closes soon. Should it not, this side goes when its time has come. */
  #onReconnect(afterMs: number): void {
    this.#returnAtMs = this.#options.runtime.elapsed() + afterMs;
    this.#setTimer("goodbye", afterMs, () => this.#lost());
  }

  #closed(code: number, reason: string): void {
    const isFinal = code >= FIRST_FINAL_CLOSE && code <= LAST_FINAL_CLOSE;
    if (isFinal) this.stop(reason === "" ? String(code) : reason);
    else this.#lost(0, reason === FLOODING ? FLOOD_PAUSE_MS : 0);
  }

  #lost(leastDelayMs = 0, pauseMs = 0): void {
    const delayMs = Math.max(leastDelayMs, this.#delayMs(pauseMs));
    this.#discard();
    this.#setTimer("open", delayMs, () => this.#open());
    this.#setState({ phase: "waiting" });
  }

  #delayMs(pauseMs: number): number {
    const { runtime } = this.#options;
    if (this.#returnAtMs !== undefined) return Math.max(0, this.#returnAtMs - runtime.elapsed());
    const jitterMs = fullJitterMs(this.#attempt, runtime);
    this.#attempt += 1;
    return pauseMs + jitterMs;
  }

  #discard(): void {
    for (const cancel of this.#timers.values()) cancel();
    for (const { cancelTimeout } of this.#pending.values()) cancelTimeout();
    this.#timers.clear();
    this.#pending.clear();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  #setTimer(name: "stable" | "watch" | "open" | "goodbye", delayMs: number, run: () => void): void {
    this.#clearTimer(name);
    this.#timers.set(name, this.#options.runtime.after(delayMs, run));
  }

  #clearTimer(name: "stable" | "watch" | "open" | "goodbye"): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

/** A server that sends what is no frame can't be spoken with: the caller ends the connection. */
function parseFrame(text: string): ServerFrame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "type" in value
      ? (value as ServerFrame)
      : undefined;
  } catch {
    return undefined;
  }
}
