/**
 * Counts what is stored from before a fence after the store has counted as settled up to it (N8): pages that were promised to be whole
 * lack it until they are read again, but for what an older memory brought back, which they have from the stream. The log's time limit
 * keeps it from happening, so it is an alarm.
 */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { RoomEvent } from "../protocol.ts";
import { previous, toMs, type Position } from "./position.ts";
import { partitionOf, type RoomOutbox } from "./room-stream.ts";
import type { Runtime } from "./runtime.ts";
import { isSettledAt, SETTLED_AFTER_MS } from "./settlement.ts";
import type { EventStore, ProgressStore } from "./store.ts";

export interface LatecomersDeps {
  readonly outbox: RoomOutbox;
  readonly store: EventStore & ProgressStore;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

interface BelowFence {
  readonly room: string;
  readonly fence: Position;
  readonly events: readonly RoomEvent[];
}

export class Latecomers {
  readonly #deps: LatecomersDeps;

  constructor(deps: LatecomersDeps) {
    this.#deps = deps;
  }

  /** How many of these are late, asked before they are stored. Never rejects: it must not keep them from it. */
  async among(events: readonly RoomEvent[]): Promise<number> {
    const { runtime, logger } = this.#deps;
    const oldMs = runtime.now() - SETTLED_AFTER_MS;
    const old = events.filter(({ position }) => toMs(position) <= oldMs);
    if (old.length === 0) return 0;
    try {
      return await this.#late(old);
    } catch (error) {
      logger.debug("whether old events come too late can't be asked now", { err: error });
      return 0;
    }
  }

  /** So many were stored. */
  count(late: number): void {
    if (late === 0) return;
    this.#deps.metrics.storedAfterSettled.inc(late);
    this.#deps.logger.error("events were stored after the store counted as settled", { events: late });
  }

  /** The store is asked only about what is below a fence: a backlog is old as well, and above it. */
  async #late(old: readonly RoomEvent[]): Promise<number> {
    const { store } = this.#deps;
    const below = await this.#belowFences(old);
    if (below.length === 0) return 0;
    const caughtUpAtMs = (await store.caughtUpAt()) ?? 0;
    let late = 0;
    for (const { room, fence, events } of below) {
      if (!isSettledAt(fence, caughtUpAtMs)) continue;
      const stored = await store.storedAmong(room, events);
      for (const event of events) if (!stored.has(event.position) && !(await this.#isInStream(event))) late++;
    }
    return late;
  }

  /** By room, where there are any. The fences are asked for together. */
  async #belowFences(old: readonly RoomEvent[]): Promise<BelowFence[]> {
    const rooms = new Map<string, RoomEvent[]>(old.map(({ room }) => [room, []]));
    for (const event of old) rooms.get(event.room)?.push(event);
    const below = await Promise.all(
      [...rooms].map(async ([room, some]) => {
        const fence = await this.#deps.outbox.fenceOf(partitionOf(room));
        const events = some.filter(({ position }) => fence !== undefined && position <= fence);
        return fence === undefined || events.length === 0 ? [] : [{ room, fence, events }];
      }),
    );
    return below.flat();
  }

  async #isInStream({ room, position }: RoomEvent): Promise<boolean> {
    const { events } = await this.#deps.outbox.entries(room, previous(position), 1);
    return events[0]?.position === position;
  }
}
