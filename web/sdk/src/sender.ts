/**
 * Decides when which entry of the outbox is sent (K3): all of them after each reconnect, one after a retriable error when its
 * wait is over, each until it is `sent` on this connection.
 */
import type { ErrorBody, ServerFrame } from "../../../functions/protocol.ts";
import { fullJitterMs } from "./backoff.ts";
import { isSessionError } from "./errors.ts";
import type { Outbox, OutboxEntry } from "./outbox.ts";
import type { Cancel, Runtime } from "./runtime.ts";

export interface SenderOptions {
  readonly outbox: Outbox;
  readonly runtime: Runtime;
  /** Whether the room can be written to right now. */
  readonly isReady: (room: string) => boolean;
  /** The message was refused for good. */
  readonly onRefused: (entry: OutboxEntry, error: ErrorBody) => void;
  readonly request: (entry: OutboxEntry, onReply: (reply: ServerFrame) => void) => void;
}

/** One room's queue. Only one send is unanswered at a time: a refused message is then never overtaken by the next. */
interface Lane {
  inFlight: boolean;
  attempt: number;
  wait: Cancel | undefined;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #due = new Set<string>();
  readonly #lanes = new Map<string, Lane>();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** A new connection, or the turn to send: everything that is not saved is due again. */
  restart(): void {
    this.stop();
    for (const { id, state } of this.#options.outbox.all())
      if (state === "waiting" || state === "sent") this.#due.add(id);
  }

  /** Gives up what is under way. */
  stop(): void {
    for (const lane of this.#lanes.values()) lane.wait?.();
    this.#lanes.clear();
    this.#due.clear();
  }

  /** Makes one entry due. */
  add({ id, room }: OutboxEntry): void {
    this.#due.add(id);
    this.pump(room);
  }

  /** Sends the room's oldest due entry, unless one is under way or waiting for its retry. */
  pump(room: string): void {
    const { outbox, isReady, request } = this.#options;
    const lane = this.#lane(room);
    if (lane.inFlight || lane.wait !== undefined || !isReady(room)) return;
    const entry = outbox.ofRoom(room).find(({ id, state }) => this.#due.has(id) && state !== "saved");
    if (entry === undefined) return;
    lane.inFlight = true;
    request(entry, (reply) => {
      if (this.#lanes.get(room) === lane) this.#onReply(lane, entry, reply);
    });
  }

  #onReply(lane: Lane, entry: OutboxEntry, reply: ServerFrame): void {
    lane.inFlight = false;
    if (reply.type === "error") this.#onError(lane, entry, reply);
    else this.#onSent(lane, entry);
    this.pump(entry.room);
  }

  #onSent(lane: Lane, { id }: OutboxEntry): void {
    lane.attempt = 0;
    this.#due.delete(id);
    if (this.#options.outbox.get(id)?.state !== "saved") this.#options.outbox.setState(id, "sent");
  }

  #onError(lane: Lane, entry: OutboxEntry, error: ErrorBody): void {
    if (error.retriable) return this.#retryLater(lane, entry, error);
    this.#due.delete(entry.id);
    if (!isSessionError(error.code)) this.#options.onRefused(entry, error);
  }

  #retryLater(lane: Lane, { room }: OutboxEntry, { retryAfterMs = 0 }: ErrorBody): void {
    const { runtime } = this.#options;
    const jitterMs = fullJitterMs(lane.attempt, runtime);
    lane.attempt += 1;
    lane.wait = runtime.after(retryAfterMs + jitterMs, () => {
      lane.wait = undefined;
      this.pump(room);
    });
  }

  #lane(room: string): Lane {
    const lane = this.#lanes.get(room) ?? { inFlight: false, attempt: 0, wait: undefined };
    this.#lanes.set(room, lane);
    return lane;
  }
}
