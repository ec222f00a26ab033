/** Judges a message that may have been sent before, where Redis's ids can't (N7): its stream, then the settled store. */
import { ChatError } from "../lib/errors.ts";
import { decodeEvent, toStreamEvent } from "./event.ts";
import type { Fences } from "./fences.ts";
import { fromMs, type Position } from "./position.ts";
import type { Appended, Fence, RoomStream, StreamEvent } from "./room-stream.ts";
import type { Runtime } from "./runtime.ts";
import type { Settlement } from "./settlement.ts";
import type { EventStore } from "./store.ts";
import { uuidTimeMs } from "./uuid.ts";

/** Ids live in Redis for three minutes; from this age on they are not relied on. */
const ID_TRUSTED_MS = 120_000;
/** An id may be this far ahead of the server's clock; its first append is then that much older than the id. */
export const ID_AHEAD_MS = 60_000;
const SCAN = 500;

export interface JudgeDeps {
  readonly stream: RoomStream;
  readonly store: EventStore;
  readonly fences: Fences;
  readonly settlement: Settlement;
  readonly runtime: Runtime;
}

/** Where a message already is, and under which fence it was seen there; `stored` when the store has it. */
export interface Verdict {
  readonly event: StreamEvent;
  readonly fence: Fence;
  readonly stored: boolean;
}

export class Judge {
  readonly #deps: JudgeDeps;

  constructor(deps: JudgeDeps) {
    this.#deps = deps;
  }

  /** Whether the append script alone can tell a first send from a repeat. */
  trusts(id: string, since: Position, fence: Position): boolean {
    return since >= fence && uuidTimeMs(id) > this.#deps.runtime.now() - ID_TRUSTED_MS;
  }

  /** The message's place, or undefined when it is nowhere. Throws `unavailable` while that can't be known. */
  async find(room: string, id: string, since: Position): Promise<Verdict | undefined> {
    const { fences, settlement, store } = this.#deps;
    const inStream = await this.#findInStream(room, id);
    const fence = await fences.of(room);
    if (inStream && inStream.position > fence.position) return { event: inStream, fence, stored: false };
    if (since < fence.position && !(await settlement.check(fence.position))) {
      throw new ChatError(
        "unavailable",
        "Redis has just come back; whether this was sent before is not known yet.",
        { retryAfterMs: 1000 },
      );
    }
    const stored = await store.findEvent(room, id);
    if (stored) return { event: toStreamEvent(stored), fence, stored: true };
    // An older memory that came back knows the place it had then; what was sent again since is stored at another.
    return inStream && { event: inStream, fence, stored: false };
  }

  /**
   * The event at the place that the append script named; undefined when it was trimmed, which only stored ones are.
   *
   * Asked under the append's own fence: in a newer memory it lacks because it was lost.
   */
  async at(room: string, { position, prev }: Appended, fence: Fence): Promise<Verdict | undefined> {
    const { events } = await this.#deps.stream.readAfter(room, fence, prev, 1);
    const [event] = events;
    return event?.position === position ? { event, fence, stored: false } : undefined;
  }

  /** Through the entries from the time of the id on: an id's first append is not older than that. */
  async #findInStream(room: string, id: string): Promise<StreamEvent | undefined> {
    const { stream, fences } = this.#deps;
    let after = fromMs(uuidTimeMs(id) - ID_AHEAD_MS - 2_000);
    for (;;) {
      const { events } = await fences.read(room, (fence) => stream.readAfter(room, fence, after, SCAN));
      const found = events.find(({ json }) => json.includes(id) && decodeEvent(json).id === id);
      const last = events.at(-1);
      if (found || !last || events.length < SCAN) return found;
      after = last.position;
    }
  }
}
