/** The newest events of an open room in memory: what joins and reconnect storms are answered from. */
import { PAGE_EVENTS } from "../protocol.ts";
import type { Position } from "./position.ts";
import type { StreamEvent } from "./room-stream.ts";

const EVENTS_MAX = 512;
const LENGTH_MAX = 512 * 1024;

export class Ring {
  #events: StreamEvent[];
  #length: number;
  /** There are no older events than these. */
  #complete: boolean;

  constructor(events: readonly StreamEvent[], complete: boolean) {
    this.#events = [...events];
    this.#length = events.reduce((sum, { json }) => sum + json.length, 0);
    this.#complete = complete;
  }

  push(event: StreamEvent): void {
    this.#events.push(event);
    this.#length += event.json.length;
    // Dropped in slabs: one at a time would move the whole array for each event.
    if (this.#events.length > 2 * EVENTS_MAX || this.#length > 2 * LENGTH_MAX) this.#shrink();
  }

  /** The newest page, and whether there is nothing older. */
  newest(): { events: readonly StreamEvent[]; complete: boolean } {
    const events = this.#events.slice(-PAGE_EVENTS);
    return { events, complete: this.#complete && events.length === this.#events.length };
  }

  /** What follows a position that is in the ring; undefined where it is not. */
  since(after: Position): readonly StreamEvent[] | undefined {
    const index = this.#events.findLastIndex((event) => event.prev === after);
    return index < 0 ? undefined : this.#events.slice(index);
  }

  #shrink(): void {
    while (
      this.#events.length > EVENTS_MAX ||
      (this.#length > LENGTH_MAX && this.#events.length > PAGE_EVENTS)
    ) {
      this.#length -= this.#events.shift()?.json.length ?? 0;
      this.#complete = false;
    }
  }
}
