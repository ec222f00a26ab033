/** The use case "send a message": judge it, append it once, answer, hand it to the log. */
import { ChatError } from "../lib/errors.ts";
import type { Metrics } from "../lib/metrics.ts";
import { decodeEvent, encodeAt, encodeDraft, type MessageDraft } from "./event.ts";
import { unavailableWhenStale, type Fences } from "./fences.ts";
import type { Flusher, Sender } from "./flusher.ts";
import { ID_AHEAD_MS, type Judge, type Verdict } from "./judge.ts";
import type { Position } from "./position.ts";
import { StaleFenceError, type Fence, type RoomStream, type StreamEvent } from "./room-stream.ts";
import type { Runtime } from "./runtime.ts";
import { uuidTimeMs } from "./uuid.ts";

export interface ChatDeps {
  readonly stream: RoomStream;
  readonly fences: Fences;
  readonly judge: Judge;
  readonly flusher: Flusher;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
}

export interface Send {
  readonly draft: MessageDraft;
  readonly since: Position;
  readonly sender: Sender | undefined;
  readonly receivedMs: number;
}

export class Chat {
  readonly #deps: ChatDeps;

  constructor(deps: ChatDeps) {
    this.#deps = deps;
  }

  /** Whether `send` would append within this very turn, so that sends of one session keep their order without waiting. */
  isImmediate({ draft, since }: Send): boolean {
    const fence = this.#deps.fences.known(draft.room);
    return fence !== undefined && this.#deps.judge.trusts(draft.id, since, fence.position);
  }

  /** The message's position. `saved` follows through the sender. Every error is one that a client may be told. */
  async send(send: Send): Promise<Position> {
    const { metrics, flusher, runtime } = this.#deps;
    let giveBack = () => {};
    try {
      if (uuidTimeMs(send.draft.id) > runtime.now() + ID_AHEAD_MS) {
        throw new ChatError(
          "id_from_future",
          `The id's time is over a minute ahead of the server's, ${runtime.now()}.`,
        );
      }
      giveBack = flusher.admit();
      return await (this.isImmediate(send) ? this.#append(send) : this.#judgeThenAppend(send));
    } catch (error) {
      metrics.sends.inc({ outcome: "refused" });
      throw error;
    } finally {
      giveBack();
    }
  }

  /** The position of what its sender has sent before; undefined when it was not. Never appends: for one who may not send any more. */
  async repeat(send: Send): Promise<Position | undefined> {
    const { room, id, user } = send.draft;
    const verdict = await this.#deps.judge.find(room, id, send.since);
    if (!verdict || decodeEvent(verdict.event.json).user.id !== user.id) return undefined;
    return this.#repeat(send, verdict.event.position, verdict);
  }

  async #judgeThenAppend(send: Send): Promise<Position> {
    const { draft, since } = send;
    const fence = await this.#deps.fences.of(draft.room);
    if (this.#deps.judge.trusts(draft.id, since, fence.position)) return this.#append(send);
    const verdict = await this.#deps.judge.find(draft.room, draft.id, since);
    return verdict ? this.#repeat(send, verdict.event.position, verdict) : this.#append(send);
  }

  async #append(send: Send): Promise<Position> {
    const { stream, fences, runtime, judge, metrics } = this.#deps;
    const draft = encodeDraft(send.draft);
    const fence = fences.known(send.draft.room) ?? (await fences.of(send.draft.room));
    const appendSentMs = runtime.elapsed();
    const appended = await stream
      .append(draft, fence, fences.floor)
      .catch((error: unknown) => this.#refuse(error));
    const { position, prev, repeated } = appended;
    fences.saw(position);
    if (repeated) {
      const { room } = send.draft;
      const verdict = await judge.at(room, appended, fence).catch((error: unknown) => this.#refuse(error));
      return this.#repeat(send, position, verdict);
    }
    metrics.sends.inc({ outcome: "appended" });
    this.#toLog(send, { position, prev, json: encodeAt(draft, position, prev) }, fence, appendSentMs);
    return position;
  }

  /** A repeat goes to the log again, as it was first sent: its first node may be dead. One that is stored does not; without a verdict it is. */
  async #repeat(send: Send, position: Position, verdict: Verdict | undefined): Promise<Position> {
    const { draft, sender } = send;
    if (verdict && decodeEvent(verdict.event.json).user.id !== draft.user.id) {
      throw new ChatError("id_taken", "This id belongs to another user's message.");
    }
    const { metrics, runtime } = this.#deps;
    metrics.sends.inc({ outcome: "repeated" });
    // It was seen in the stream just now, so it counts as sent now.
    if (verdict && !verdict.stored) this.#toLog(send, verdict.event, verdict.fence, runtime.elapsed());
    else runtime.after(0, () => sender?.saved(draft.room, [draft.id]));
    return position;
  }

  #toLog(send: Send, { position, json }: StreamEvent, fence: Fence, appendSentMs: number): void {
    const { draft, sender, receivedMs } = send;
    const resend = async () => {
      const present = await this.#judgeThenAppend(send);
      // Redis lost it: `sent` named a place that is no longer its own.
      if (present !== position) sender?.sent(draft.room, draft.id, present);
    };
    this.#deps.flusher.add({
      room: draft.room,
      id: draft.id,
      position,
      json,
      fence,
      appendSentMs,
      sender,
      receivedMs,
      resend,
    });
  }

  #refuse(error: unknown): never {
    if (error instanceof StaleFenceError) {
      this.#deps.metrics.staleFences.inc();
      // The client tries again; by then the fence is known.
      this.#deps.fences.openLater(error.partition);
    }
    return unavailableWhenStale(error);
  }
}
