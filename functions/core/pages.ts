/** Pages of a room made of stream and store: the newest one (N5), and everything since a position (N4). */
import { PAGE_EVENTS, type RoomEvent } from "../protocol.ts";
import type { Logger } from "../lib/logger.ts";
import { decodeEvent, toStreamEvent } from "./event.ts";
import type { Fences } from "./fences.ts";
import { next, type Position } from "./position.ts";
import type { Fence, RoomStream, StreamEvent, Tail } from "./room-stream.ts";
import type { EventStore } from "./store.ts";

export interface NewestPage {
  readonly fence: Fence;
  readonly events: readonly StreamEvent[];
  /** The cursor after the page. */
  readonly head: Position;
  /** There are no older events. */
  readonly complete: boolean;
  /** The store answered, or was not needed. */
  readonly whole: boolean;
}

export interface Missed {
  readonly source: "stream" | "store";
  readonly events: readonly StreamEvent[];
}

/** A resume past either bound is answered by a `reset`: never a part of it. */
export const RESUME_EVENTS_MAX = 5_000;
export const RESUME_BYTES_MAX = 1024 * 1024;

export class Pages {
  readonly #stream: RoomStream;
  readonly #store: EventStore;
  readonly #fences: Fences;
  readonly #logger: Logger;

  constructor(stream: RoomStream, store: EventStore, fences: Fences, logger: Logger) {
    this.#stream = stream;
    this.#store = store;
    this.#fences = fences;
    this.#logger = logger;
  }

  /**
   * The stream first, then the store up to the stream's head as read. The other order misses what is stored and trimmed
   * in between; without the bound the page takes newer rows from the store while an older event is in neither.
   */
  async newest(room: string): Promise<NewestPage> {
    const { fence, tail } = await this.#newestTail(room);
    // A head above the last entry is the fence: an older memory came back, and what it lacks may be stored.
    const linked = tail.events.at(-1)?.position === tail.head ? linkedSuffix(tail.events) : [];
    if (linked.length > PAGE_EVENTS) {
      return { fence, events: linked.slice(-PAGE_EVENTS), head: tail.head, complete: false, whole: true };
    }
    try {
      const stored = await this.#store.eventsBefore(room, next(tail.head), PAGE_EVENTS + 1);
      stored.events.forEach((event) => this.#fences.saw(event.position));
      const merged = merge(stored.events, tail.events);
      return {
        fence,
        events: merged.slice(-PAGE_EVENTS),
        head: tail.head,
        complete: stored.complete && merged.length <= PAGE_EVENTS,
        whole: true,
      };
    } catch (error) {
      this.#logger.warn("the newest page is from the stream alone", { room, err: error });
      return {
        fence,
        events: tail.events.slice(-PAGE_EVENTS),
        head: tail.head,
        complete: false,
        whole: false,
      };
    }
  }

  /** Everything above `after`, at least up to `upTo`, linked without a gap; else why it can't be had so. */
  async since(room: string, after: Position, upTo: Position): Promise<Missed | "gap" | "too_far"> {
    const tail = await this.#fences.read(room, (fence) =>
      this.#stream.readAfter(room, fence, after, RESUME_EVENTS_MAX + 1),
    );
    if (tail.events.length > RESUME_EVENTS_MAX) return "too_far";
    if (links(after, tail.events, upTo)) return { source: "stream", events: tail.events };
    const stored = await this.#store.eventsAfter(room, after, RESUME_EVENTS_MAX + 1);
    const rows = stored.events.filter(({ position }) => position <= upTo);
    const merged = merge(rows, tail.events);
    if (merged.length > RESUME_EVENTS_MAX) return "too_far";
    if (!links(after, merged, upTo)) return "gap";
    return { source: "store", events: merged };
  }

  async #newestTail(room: string): Promise<{ fence: Fence; tail: Tail }> {
    const read = (fence: Fence) =>
      this.#stream.readNewest(room, fence, PAGE_EVENTS + 1).then((tail) => ({ fence, tail }));
    const answer = await this.#fences.read(room, read);
    if (answer.tail.head > answer.fence.position) return answer;
    // An empty stream under a fence that is below what is stored: clocks went back. Positions must not.
    const stored = await this.#store.headOf(room).catch((error: unknown) => {
      this.#logger.warn("whether the fence is above what is stored can't be asked now", { room, err: error });
      return undefined;
    });
    if (stored === undefined || stored <= answer.fence.position) return answer;
    this.#fences.saw(stored);
    await this.#fences.force(room, stored);
    return this.#fences.read(room, read);
  }
}

/** Whether each event names the one before it, from `after` on, and the last is at or above `upTo`. */
export function links(after: Position, events: readonly StreamEvent[], upTo: Position): boolean {
  let cursor = after;
  for (const event of events) {
    if (event.prev !== cursor) return false;
    cursor = event.position;
  }
  return cursor >= upTo;
}

/** The newest events, as far as each names the one before it. */
export function linkedSuffix(events: readonly StreamEvent[]): readonly StreamEvent[] {
  let start = events.length - 1;
  while (start > 0 && events[start]?.prev === events[start - 1]?.position) start--;
  return events.slice(Math.max(0, start));
}

/**
 * By position, ascending, each once. A message that was sent again after its stream was lost is stored at another place than an
 * older memory, back again, has it: the stored one stands.
 */
export function merge(rows: readonly RoomEvent[], entries: readonly StreamEvent[]): readonly StreamEvent[] {
  const places = new Map(rows.map(({ id, position }) => [id, position]));
  const standing = entries.filter(({ position, json }) => {
    const place = places.size === 0 ? undefined : places.get(decodeEvent(json).id);
    return place === undefined || place === position;
  });
  const byPosition = new Map(
    [...rows.map(toStreamEvent), ...standing].map((event) => [event.position, event]),
  );
  return [...byPosition.values()].sort((a, b) => (a.position < b.position ? -1 : 1));
}
