/** One client connection: who it is, which rooms it has joined, and the answer to every frame it sends. */
import {
  CLOSES,
  type ClientFrame,
  type CloseReason,
  type ErrorCode,
  type LeftReason,
  type Limits,
  type ServerFrame,
  type User,
} from "../protocol.ts";
import { asChatError, ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Access } from "./access.ts";
import type { Attendant, Audience } from "./audience.ts";
import { requireScope, type Auth, type Principal } from "./auth.ts";
import type { Chat, Send } from "./chat.ts";
import { decodeFrame, refIn } from "./decode.ts";
import { Expiry } from "./expiry.ts";
import type { Sender } from "./flusher.ts";
import { Frame } from "./frame.ts";
import type { Health } from "./health.ts";
import type { Hub } from "./hub.ts";
import { allows, check, type Verb } from "./permissions.ts";
import { min, type Position } from "./position.ts";
import type { RateLimiter } from "./rate-limits.ts";
import { TokenBucket } from "./rate.ts";
import type { ReadMarks } from "./read-marks.ts";
import type { Revoked } from "./revocations.ts";
import type { Member } from "./room.ts";
import type { Standing } from "./room-store.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import type { Transport } from "./transport.ts";
import { uuidV7 } from "./uuid.ts";

export interface SessionDeps {
  readonly auth: Auth;
  readonly chat: Chat;
  readonly hub: Hub;
  readonly access: Access;
  readonly audience: Audience;
  readonly marks: ReadMarks;
  readonly health: Health;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly rates: RateLimiter;
  readonly connectionsPerUserMax: number;
  readonly heartbeatMs: number;
  readonly isDraining: () => boolean;
  /** How long a session outlives its token; ten seconds where it is not given. */
  readonly tokenGraceMs?: number;
}

const AUTH_TIMEOUT_MS = 10_000;
const TOKEN_GRACE_MS = 10_000;
/** Refused frames, less those let through since, beyond which the connection is closed as flooding. */
const REFUSED_MAX = 1_000;

type JoinFrame = Extract<ClientFrame, { type: "join" }>;
type ReadFrame = Extract<ClientFrame, { type: "read" }>;
type SendFrame = Extract<ClientFrame, { type: "send" }>;
type ReplyTo = { readonly ref?: number };

export class Session implements Member, Sender, Attendant {
  readonly id: string;
  readonly #deps: SessionDeps;
  readonly #transport: Transport;
  readonly #bucket: TokenBucket;
  /** The rooms it has joined or is joining, and how its user stands to each. */
  readonly #rooms = new Map<string, Standing>();
  readonly #expiry: Expiry;
  #principal: Principal | undefined;
  /** By a cookie, and nothing was asked for yet: a token may still say otherwise. */
  #isAssumed: boolean;
  #cancelTimer: Cancel;
  /** Frames that wait for an earlier one; while there are any, all that follow wait too. */
  #queue: Promise<void> | undefined;
  #refused = 0;
  #closed = false;

  /** `principal`: whom the upgrade itself has proved. */
  constructor(transport: Transport, deps: SessionDeps, principal?: Principal) {
    this.id = uuidV7(deps.runtime);
    this.#deps = deps;
    this.#transport = transport;
    this.#bucket = new TokenBucket(
      deps.limits.framesPerSecond,
      deps.limits.frameBurst,
      deps.runtime.elapsed(),
    );
    this.#cancelTimer = deps.runtime.after(AUTH_TIMEOUT_MS, () => this.close("auth_timeout"));
    const graceMs = deps.tokenGraceMs ?? TOKEN_GRACE_MS;
    this.#expiry = new Expiry({
      runtime: deps.runtime,
      graceMs,
      onExpiring: (expiresInMs) => this.#reply({ type: "auth_expiring", expiresInMs, graceMs }),
      onExpired: () => this.close("token_expired"),
    });
    this.#isAssumed = principal !== undefined;
    if (principal) this.#welcome(principal, undefined);
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

  /** Empty before it is authenticated. */
  get userId(): string {
    return this.#principal?.user.id ?? "";
  }

  send(frame: Frame): void {
    if (!this.#closed) this.#transport.send(frame);
  }

  hears(room: string): boolean {
    return !this.#closed && this.#rooms.has(room);
  }

  sent(room: string, id: string, position: Position): void {
    this.#reply({ type: "sent", room, id, position });
  }

  saved(room: string, ids: readonly string[]): void {
    this.#reply({ type: "saved", room, ids });
  }

  standingChanged(room: string, standing: Standing | undefined, reason: LeftReason): void {
    if (standing?.member && allows(standing, "read", this.#deps.runtime.now())) {
      if (this.#rooms.has(room)) this.#rooms.set(room, standing);
      return this.#reply({ type: "room", room, info: standing.room, role: standing.member.role });
    }
    this.#detach(room);
    this.#reply({ type: "left", room, reason });
  }

  /** Ends the connection for a reason of ours. */
  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#deps.metrics.closes.inc({ reason });
    this.ended();
    this.#transport.close(CLOSES[reason].code, reason);
  }

  /** Whether what it is here by is among what was called back. */
  isRevoked(subjects: Revoked): boolean {
    return this.#principal?.subjects.some((subject) => subjects.has(subject)) ?? false;
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
    this.#expiry.cancel();
    for (const room of this.#rooms.keys()) this.#deps.hub.leave(room, this);
    this.#deps.audience.delete(this.userId, this);
    if (this.#deps.health.sessions.delete(this)) this.#deps.metrics.sessions.dec();
  }

  /** Sends leave in the order of their coming: at once where nothing has to be asked first, else one after another. */
  #take(frame: ClientFrame, receivedMs: number): void {
    if (!this.#queue && frame.type === "send" && this.#may(frame.room, "send") && this.#principal) {
      const send = this.#toSend(frame, this.#principal.user, receivedMs);
      if (this.#deps.chat.isImmediate(send)) return void this.#sendMessage(frame, send);
    }
    // Answered within this turn: what is sent after it does not wait for it.
    if (!this.#queue && frame.type === "read") return void this.#handle(frame, receivedMs);
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
      const principal = this.#principal;
      if (!principal) throw new ChatError("not_authenticated", "Send `auth` first.");
      this.#isAssumed = false;
      const { user } = principal;
      if (frame.type === "join") return await this.#join(frame, principal);
      if (frame.type === "leave") return this.#leave(frame);
      if (frame.type === "read") return this.#read(frame, principal);
      const send = this.#toSend(frame, user, receivedMs);
      if (this.#may(frame.room, "send")) await this.#sendMessage(frame, send);
      else this.#answerSent(frame, send, await this.#placeBefore(send, user));
    } catch (error) {
      this.#fail(error, frame.ref);
    }
  }

  async #authenticate({ ref, token }: Extract<ClientFrame, { type: "auth" }>): Promise<void> {
    const principal = await this.#deps.auth.verify(token);
    if (this.#closed) return;
    const isOther = this.#principal !== undefined && this.userId !== principal.user.id;
    if (isOther && !this.#isAssumed) {
      throw new ChatError("invalid_token", "The token is another user's; open a connection of its own.");
    }
    this.#isAssumed = false;
    this.#welcome(principal, ref);
  }

  #welcome(principal: Principal, ref: number | undefined): void {
    const { audience, runtime, limits, heartbeatMs, health, metrics } = this.#deps;
    const { user } = principal;
    const isFirst = this.#principal === undefined;
    const isNew = this.userId !== user.id;
    if (isNew && audience.of(user.id).size >= this.#deps.connectionsPerUserMax)
      return this.close("too_many_connections");
    if (isNew) audience.delete(this.userId, this);
    this.#principal = principal;
    if (isNew) audience.add(user.id, this);
    this.#cancelTimer();
    this.#expiry.set(principal.expiresAtMs);
    const now = runtime.now();
    this.#reply({ type: "welcome", ...toReply(ref), session: this.id, user, limits, heartbeatMs, now });
    if (!isFirst) return;
    health.sessions.add(this);
    metrics.sessions.inc();
    health.greet(this);
  }

  async #join(frame: JoinFrame, principal: Principal): Promise<void> {
    const { room } = frame;
    const { access, limits, rates, runtime, isDraining } = this.#deps;
    const { user } = principal;
    requireScope(principal, "read");
    if (isDraining())
      throw new ChatError("draining", "The node is shutting down: reconnect.", { retryAfterMs: 500 });
    if (!this.#rooms.has(room) && this.#rooms.size >= limits.roomsPerSessionMax) {
      throw new ChatError("too_many_rooms", `A session may join ${limits.roomsPerSessionMax} rooms.`);
    }
    await rates.take("joins", user.id);
    const standing = await access.join(room, user);
    await this.#enter(frame, access.known(room, user.id) ?? standing);
    if (this.hears(room) || this.#closed) return;
    // Put out meanwhile, as `left` has told.
    check(await access.standing(room, user.id), "read", runtime.now());
    throw new ChatError("not_member", "The membership ended while the join was under way.");
  }

  /** The room is among its own before its page is read, so that a change meanwhile counts. */
  async #enter({ ref, room, after }: JoinFrame, standing: Standing): Promise<void> {
    check(standing, "read", this.#deps.runtime.now());
    const isNew = !this.#rooms.has(room);
    this.#rooms.set(room, standing);
    try {
      await this.#deps.hub.room(room).join(this, ref, after);
    } catch (error) {
      if (isNew) this.#detach(room);
      throw error;
    }
  }

  #leave({ ref, room }: Extract<ClientFrame, { type: "leave" }>): void {
    if (!this.#rooms.delete(room)) throw new ChatError("not_member", "This session has not joined the room.");
    this.#deps.hub.leave(room, this);
    this.#reply({ type: "left", ...toReply(ref), room });
  }

  /** Nobody has read what is not there yet. */
  #read({ ref, room, position }: ReadFrame, principal: Principal): void {
    requireScope(principal, "read");
    if (!this.#may(room, "read"))
      throw new ChatError("not_member", "Join the room before you mark it as read.");
    const { hub, marks } = this.#deps;
    const mark = { user: principal.user.id, room, position: min(position, hub.room(room).pos) };
    this.#reply({ type: "read", ...toReply(ref), room, position: marks.raise(mark, this) });
  }

  #detach(room: string): void {
    if (this.#rooms.delete(room)) this.#deps.hub.leave(room, this);
  }

  #may(room: string, verb: Verb): boolean {
    const standing = this.#rooms.get(room);
    return standing !== undefined && allows(standing, verb, this.#deps.runtime.now());
  }

  /** The place of a message that was taken when its sender still might send: its retry gets the first answer again (G2). */
  async #placeBefore(send: Send, user: User): Promise<Position> {
    const { access, chat, runtime } = this.#deps;
    const standing = await access.standing(send.draft.room, user.id);
    try {
      check(standing, "send", runtime.now());
    } catch (denial) {
      const maybeSent = standing?.member !== undefined || standing?.wasMember === true;
      const position = maybeSent ? await chat.repeat(send) : undefined;
      if (position === undefined) throw denial;
      return position;
    }
    throw new ChatError("not_member", "Join the room before you send to it.");
  }

  #toSend(frame: SendFrame, user: User, receivedMs: number): Send {
    const { room, id, body, replyTo, since } = frame;
    const draft = { room, id, user, body, ...(replyTo === undefined ? {} : { replyTo }) };
    return { draft, since, sender: this, receivedMs };
  }

  async #sendMessage(frame: SendFrame, send: Send): Promise<void> {
    try {
      if (this.#principal) requireScope(this.#principal, "write");
      this.#countSend(send);
      this.#answerSent(frame, send, await this.#deps.chat.send(send));
    } catch (error) {
      this.#fail(error, frame.ref);
    }
  }

  #countSend({ draft: { room, user } }: Send): void {
    const { rates } = this.#deps;
    const retryAfterMs = Math.max(rates.count("sends", user.id), rates.count("roomSends", room));
    if (retryAfterMs > 0) throw new ChatError("rate_limited", "Too many messages.", { retryAfterMs });
  }

  #answerSent({ ref, room, id }: SendFrame, { receivedMs }: Send, position: Position): void {
    this.#deps.metrics.sentSeconds.observe((this.#deps.runtime.elapsed() - receivedMs) / 1000);
    this.#reply({ type: "sent", ...toReply(ref), room, id, position });
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
    if (this.#principal === undefined && isTokenFault(told.code)) this.close(told.code);
  }

  #reply(frame: ServerFrame): void {
    this.send(Frame.of(frame));
  }
}

function isTokenFault(code: ErrorCode): code is "invalid_token" | "token_expired" | "token_revoked" {
  return code === "invalid_token" || code === "token_expired" || code === "token_revoked";
}

function toReply(ref: number | undefined): ReplyTo {
  return ref === undefined ? {} : { ref };
}
