/**
 * A range of a room's history: what is stored, going back together with what the stream has and the store has not yet; and while the store
 * is away what the stream has (G8).
 */
import { ChatError } from "../lib/errors.ts";
import type { RoomEvent } from "../protocol.ts";
import type { DeletedUsers } from "./deleted-users.ts";
import { decodeEvent } from "./event.ts";
import type { Fences } from "./fences.ts";
import { linkedSuffix, links, merge, RESUME_EVENTS_MAX } from "./pages.ts";
import type { Position } from "./position.ts";
import type { RoomStream, StreamEvent } from "./room-stream.ts";
import type { EventPage, EventStore } from "./store.ts";

/** Which events are asked for: above `after`, below `before`, or the newest. */
export type Range = { readonly after: Position } | { readonly before: Position | undefined };

export interface HistoryPage extends EventPage {
  /**
   * The one that answered alone, as the other is away. A page of the store's going back may lack what waits in the stream: it does not
   * confirm what a reader was shown.
   */
  readonly source?: "stream" | "store";
}

export interface HistoryDeps {
  readonly stream: RoomStream;
  readonly store: EventStore;
  readonly fences: Fences;
  readonly deletedUsers: DeletedUsers;
  /** Known to be away: not waited for. */
  readonly isStoreAway: () => boolean;
  readonly isStreamAway: () => boolean;
}

export class History {
  readonly #deps: HistoryDeps;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
  }

  /** At most `limit` events, linked without a gap. Throws `unavailable` for what neither store nor stream can answer now. */
  async read(room: string, range: Range, limit: number): Promise<HistoryPage> {
    const page = await this.#read(room, range, limit);
    return { ...page, events: page.events.map((event) => this.#deps.deletedUsers.toldEvent(event)) };
  }

  async #read(room: string, range: Range, limit: number): Promise<HistoryPage> {
    if (this.#deps.isStoreAway()) return this.#fromStream(room, range, limit, undefined);
    try {
      return await this.#fromStore(room, range, limit);
    } catch (error) {
      if (!(error instanceof ChatError) || !error.retriable) throw error;
      return this.#fromStream(room, range, limit, error);
    }
  }

  /** Going on it is what is stored; going back nothing lacks that a reader of the room has been shown. */
  async #fromStore(room: string, range: Range, limit: number): Promise<HistoryPage> {
    const { store } = this.#deps;
    if ("after" in range) return store.eventsAfter(room, range.after, limit);
    // The stream first: what is stored and trimmed in between is then found in the store (N5).
    const entries = await this.#inStream(room, range.before, limit);
    const stored = await store.eventsBefore(room, range.before, limit);
    if (entries === undefined) return { ...stored, source: "store" };
    if (entries.length === 0) return stored;
    const merged = merge(stored.events, await this.#standing(room, stored.events, entries));
    const events = merged.slice(-limit).map(({ json }) => decodeEvent(json));
    return { events, complete: stored.complete && merged.length <= limit };
  }

  /** Undefined while it does not answer. */
  async #inStream(
    room: string,
    before: Position | undefined,
    limit: number,
  ): Promise<readonly StreamEvent[] | undefined> {
    const { stream, fences, isStreamAway } = this.#deps;
    if (isStreamAway()) return undefined;
    try {
      const tail = await fences.read(room, (fence) => stream.readNewest(room, fence, limit, before));
      return tail.events;
    } catch (error) {
      if (error instanceof ChatError && error.retriable) return undefined;
      throw error;
    }
  }

  /** Without those that an older memory brought back and that are stored at another place, which may be outside of this page. */
  async #standing(
    room: string,
    rows: readonly RoomEvent[],
    entries: readonly StreamEvent[],
  ): Promise<readonly StreamEvent[]> {
    const { fences, store } = this.#deps;
    const fence = await fences.of(room);
    const places = new Set(rows.map(({ position }) => position));
    const moved = new Set<Position>();
    for (const { position, json } of entries) {
      if (position > fence.position || places.has(position)) continue;
      const stored = await store.findEvent(room, decodeEvent(json).id);
      if (stored && stored.position !== position) moved.add(position);
    }
    return entries.filter(({ position }) => !moved.has(position));
  }

  async #fromStream(room: string, range: Range, limit: number, cause: unknown): Promise<HistoryPage> {
    const found =
      "after" in range
        ? await this.#after(room, range.after, limit)
        : await this.#before(room, range.before, limit);
    if (found) {
      const events = found.events.map(({ json }) => decodeEvent(json));
      return { events, complete: found.complete, source: "stream" };
    }
    throw new ChatError("unavailable", "The store does not answer, and the stream does not reach this far.", {
      cause,
      retryAfterMs: 1000,
    });
  }

  async #after(room: string, after: Position, limit: number) {
    const { stream, fences } = this.#deps;
    const tail = await fences.read(room, (fence) => stream.readAfter(room, fence, after, limit + 1));
    const isWhole = tail.events.length <= limit;
    if (!links(after, tail.events, isWhole ? tail.head : after)) return undefined;
    return { events: tail.events.slice(0, limit), complete: isWhole };
  }

  /** Never `complete`: where the stream ends the store may go on. */
  async #before(room: string, before: Position | undefined, limit: number) {
    const { stream, fences } = this.#deps;
    const tail = await fences.read(room, (fence) => stream.readNewest(room, fence, RESUME_EVENTS_MAX));
    const linked = linkedSuffix(tail.events);
    const end = endBelow(linked, before, tail.head);
    return end > 0 ? { events: linked.slice(Math.max(0, end - limit), end), complete: false } : undefined;
  }
}

/** How many of the events are below `before`; none where something may lie between the last of them and `before`. */
function endBelow(linked: readonly StreamEvent[], before: Position | undefined, head: Position): number {
  const index = before === undefined ? -1 : linked.findIndex(({ position }) => position >= before);
  if (index >= 0) return index;
  return linked.at(-1)?.position === head ? linked.length : 0;
}
