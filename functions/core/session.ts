/** One client connection: who it is, which rooms it has joined, and the answer to every frame it sends. */
import {
  CLOSES,
  type ClientFrame,
  type CloseReason,
  type Limits,
  type ServerFrame,
  type User,
} from "../protocol.ts";
import { asChatError, ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Auth } from "./auth.ts";
import type { Chat, Send } from "./chat.ts";
import { decodeFrame, refIn } from "./decode.ts";
import type { Sender } from "./flusher.ts";
import { Frame } from "./frame.ts";
import type { Health } from "./health.ts";
import type { Hub } from "./hub.ts";
import type { Members } from "./members.ts";
import { TokenBucket } from "./rate.ts";
import type { Member } from "./room.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import type { Transport } from "./transport.ts";
import { uuidV7 } from "./uuid.ts";

export interface SessionDeps {
  readonly auth: Auth;
  readonly chat: Chat;
  readonly hub: Hub;
  readonly members: Members;
  readonly health: Health;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly heartbeatMs: number;
  readonly isDraining: () => boolean;
}

const AUTH_TIMEOUT_MS = 10_000;
/** Refused frames, less those let through since, beyond which the connection is closed as flooding. */
const REFUSED_MAX = 1_000;

type ReplyTo = { readonly ref?: number };

export class Session implements Member, Sender {
  readonly id: string;
  readonly #deps: SessionDeps;
  readonly #transport: Transport;
  readonly #bucket: TokenBucket;
  readonly #rooms = new Set<string>();
  #user: User | undefined;
  #cancelTimer: Cancel;
  /** Frames that wait for an earlier one; while there are any, all that follow wait too. */
  #queue: Promise<void> | undefined;
  #refused = 0;
  #closed = false;

  constructor(transport: Transport, deps: SessionDeps) {
    this.id = uuidV7(deps.runtime);
    this.#deps = deps;
    this.#transport = transport;
    this.#bucket = new TokenBucket(
      deps.limits.framesPerSecond,
      deps.limits.frameBurst,
      deps.runtime.elapsed(),
    );
    this.#cancelTimer = deps.runtime.after(AUTH_TIMEOUT_MS, () => this.close("auth_timeout"));
  }

  /** A text frame from the client. */
  receive(text: string): void {
    if (this.#closed) return;
    const receivedMs = this.#deps.runtime.elapsed();
    if (!this.#admits(receivedMs, text)) return;
    let frame: ClientFrame;
    try {
      frame = decodeFrame(text, this.#deps.limits);
    } catch (error) {
      this.#deps.metrics.framesReceived.inc({ type: "invalid" });
      return this.#fail(error, refIn(text));
    }
    this.#deps.metrics.framesReceived.inc({ type: frame.type });
    this.#take(frame, receivedMs);
  }

  /** A binary frame. */
  receiveBinary(): void {
    if (this.#closed || !this.#admits(this.#deps.runtime.elapsed())) return;
    this.#deps.metrics.framesReceived.inc({ type: "invalid" });
    this.#fail(new ChatError("invalid_frame", "Frames are JSON text, not binary."), undefined);
  }

  send(frame: Frame): void {
    if (!this.#closed) this.#transport.send(frame);
  }

  saved(room: string, ids: readonly string[]): void {
    this.#reply({ type: "saved", room, ids });
  }

  /** Ends the connection for a reason of ours. */
  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#deps.metrics.closes.inc({ reason });
    this.ended();
    this.#transport.close(CLOSES[reason].code, reason);
  }

  /** It was ended by us, or is gone. */
  get hasEnded(): boolean {
    return this.#closed;
  }

  /** The connection is gone. */
  ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    for (const room of this.#rooms) this.#deps.hub.leave(room, this);
    if (this.#deps.health.sessions.delete(this)) this.#deps.metrics.sessions.dec();
  }

  /** Sends leave in the order of their coming: at once where nothing has to be asked first, else one after another. */
  #take(frame: ClientFrame, receivedMs: number): void {
    if (!this.#queue && frame.type === "send" && this.#rooms.has(frame.room) && this.#user) {
      const send = this.#toSend(frame, this.#user, receivedMs);
      if (this.#deps.chat.isImmediate(send)) return void this.#sendMessage(frame, send);
    }
    const before = this.#queue ?? Promise.resolve();
    const queue = before
      .then(() => this.#handle(frame, receivedMs))
      .finally(() => {
        if (this.#queue === queue) this.#queue = undefined;
      });
    this.#queue = queue;
  }

  /** Never rejects: what goes wrong is told to the client. */
  async #handle(frame: ClientFrame, receivedMs: number): Promise<void> {
    if (this.#closed) return;
    try {
      if (frame.type === "auth") return await this.#authenticate(frame);
      const user = this.#user;
      if (!user) throw new ChatError("not_authenticated", "Send `auth` first.");
      if (frame.type === "join") return await this.#join(frame, user);
      if (frame.type === "leave") return this.#leave(frame);
      if (!this.#rooms.has(frame.room)) return await this.#notJoined(frame.room);
      await this.#sendMessage(frame, this.#toSend(frame, user, receivedMs));
    } catch (error) {
      this.#fail(error, frame.ref);
    }
  }

  async #authenticate({ ref, token }: Extract<ClientFrame, { type: "auth" }>): Promise<void> {
    const { auth, runtime, limits, heartbeatMs, health, metrics } = this.#deps;
    const isFirst = this.#user === undefined;
    const principal = await auth.verify(token);
    if (this.#closed) return;
    if (this.#user && this.#user.id !== principal.user.id) {
      throw new ChatError("invalid_token", "The token is another user's; open a connection of its own.");
    }
    this.#user = principal.user;
    this.#cancelTimer();
    // Timers hold 31 bits of milliseconds; a token that lives longer is looked at again then.
    const leftMs = Math.min(principal.expiresAtMs - runtime.now(), 2 ** 31 - 1);
    this.#cancelTimer = runtime.after(leftMs, () => this.close("token_expired"));
    this.#reply({
      type: "welcome",
      ...toReply(ref),
      session: this.id,
      user: principal.user,
      limits,
      heartbeatMs,
      now: runtime.now(),
    });
    if (!isFirst) return;
    health.sessions.add(this);
    metrics.sessions.inc();
    health.greet(this);
  }

  async #join({ ref, room, after }: Extract<ClientFrame, { type: "join" }>, user: User): Promise<void> {
    const { members, hub, limits, isDraining } = this.#deps;
    if (isDraining())
      throw new ChatError("draining", "The node is shutting down: reconnect.", { retryAfterMs: 500 });
    if (!this.#rooms.has(room) && this.#rooms.size >= limits.roomsPerSessionMax) {
      throw new ChatError("too_many_rooms", `A session may join ${limits.roomsPerSessionMax} rooms.`);
    }
    await members.join(room, user);
    await hub.room(room).join(this, ref, after);
    this.#rooms.add(room);
    if (this.#closed) hub.leave(room, this);
  }

  #leave({ ref, room }: Extract<ClientFrame, { type: "leave" }>): void {
    if (!this.#rooms.delete(room)) throw new ChatError("not_member", "This session has not joined the room.");
    this.#deps.hub.leave(room, this);
    this.#reply({ type: "left", ...toReply(ref), room });
  }

  async #notJoined(room: string): Promise<never> {
    await this.#deps.members.room(room);
    throw new ChatError("not_member", "Join the room before you send to it.");
  }

  #toSend(frame: Extract<ClientFrame, { type: "send" }>, user: User, receivedMs: number): Send {
    const { room, id, body, replyTo, since } = frame;
    const draft = { room, id, user, body, ...(replyTo === undefined ? {} : { replyTo }) };
    return { draft, since, sender: this, receivedMs };
  }

  async #sendMessage({ ref, room, id }: Extract<ClientFrame, { type: "send" }>, send: Send): Promise<void> {
    try {
      const position = await this.#deps.chat.send(send);
      this.#deps.metrics.sentSeconds.observe((this.#deps.runtime.elapsed() - send.receivedMs) / 1000);
      this.#reply({ type: "sent", ...toReply(ref), room, id, position });
    } catch (error) {
      this.#fail(error, ref);
    }
  }

  /** Whether a frame keeps to the rate. One that does not is answered, or was one too many. */
  #admits(receivedMs: number, text = ""): boolean {
    const waitMs = this.#bucket.take(receivedMs);
    this.#refused = Math.max(0, this.#refused + (waitMs > 0 ? 1 : -1));
    if (waitMs === 0) return true;
    if (this.#refused > REFUSED_MAX) this.close("flooding");
    else this.#fail(new ChatError("rate_limited", "Too many frames.", { retryAfterMs: waitMs }), refIn(text));
    return false;
  }

  #fail(error: unknown, ref: number | undefined): void {
    const told = asChatError(error);
    if (told.code === "internal") this.#deps.logger.error("a frame failed", { session: this.id, err: error });
    this.#deps.metrics.errorsSent.inc({ code: told.code });
    this.#reply({ type: "error", ...toReply(ref), ...told.toBody() });
    // Without a valid first token there is nothing this connection could do.
    if (!this.#user && (told.code === "invalid_token" || told.code === "token_expired"))
      this.close(told.code);
  }

  #reply(frame: ServerFrame): void {
    this.send(Frame.of(frame));
  }
}

function toReply(ref: number | undefined): ReplyTo {
  return ref === undefined ? {} : { ref };
}
