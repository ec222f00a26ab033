/**
 * Looks after the streams as outboxes: trims what is stored (C4) and appends to the log what a dead node left behind (C5).
 *
 * Nothing unsaved leaves a stream, and nothing stays unsaved in one.
 */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { decodeEvent } from "./event.ts";
import { QUARANTINE_MS, type EventLog } from "./event-log.ts";
import { fromMs, toMs, ZERO, type Position } from "./position.ts";
import { PARTITIONS, partitionOf, type RoomOutbox, type StreamEvent } from "./room-stream.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import { isSettledAt } from "./settlement.ts";
import type { EventStore, ProgressStore } from "./store.ts";

export interface ReconcileDeps {
  readonly outbox: RoomOutbox;
  readonly store: EventStore & ProgressStore;
  readonly log: EventLog;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Newest entries that each stream keeps. */
  readonly keep: number;
  /** Older entries count as stored: the store may have deleted them. */
  readonly retentionMs: number | undefined;
}

const LOOK_MS = 3_000;
/** Younger entries are still on their way. */
const ON_THEIR_WAY_MS = 2_000;
const CHUNK = 1_000;
/** A room without news for this long, all of it stored, is not looked at any more. */
const IDLE_MS = 60_000;

export class Reconcile {
  readonly #deps: ReconcileDeps;
  /** Per room the position up to which all entries are known to be stored. */
  readonly #stored = new Map<string, Position>();
  /** Per partition the fence under which that is known. */
  readonly #fences = new Map<number, Position | undefined>();
  #cancel: Cancel = () => {};
  #closed = false;

  constructor(deps: ReconcileDeps) {
    this.#deps = deps;
  }

  start(): void {
    const look = () => {
      void this.look().finally(() => {
        if (!this.#closed) this.#cancel = this.#deps.runtime.after(LOOK_MS, look);
      });
    };
    this.#cancel = this.#deps.runtime.after(LOOK_MS, look);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** One round over all rooms with news. */
  async look(): Promise<void> {
    try {
      const caughtUpAtMs = (await this.#deps.store.caughtUpAt()) ?? 0;
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      const asked = await Promise.allSettled(partitions.map((partition) => this.#activeRooms(partition)));
      // Where partitions are on several servers, those that answer don't wait for one that is away.
      const rooms = asked.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      for (const room of rooms) await this.#lookAt(room, caughtUpAtMs);
      const failed = asked.find((answer) => answer.status === "rejected");
      if (failed) throw failed.reason;
    } catch (error) {
      this.#deps.logger.warn("streams can't be looked after now", { err: error });
    }
  }

  /** Under a new fence another memory may have come back, with entries below what was looked at. */
  async #activeRooms(partition: number): Promise<readonly string[]> {
    const { outbox } = this.#deps;
    const rooms = await outbox.activeRooms(partition);
    if (rooms.length === 0) return rooms;
    const fence = await outbox.fenceOf(partition);
    if (fence !== this.#fences.get(partition)) for (const room of rooms) this.#stored.delete(room);
    this.#fences.set(partition, fence);
    return rooms;
  }

  async #lookAt(room: string, caughtUpAtMs: number): Promise<void> {
    const { outbox, keep } = this.#deps;
    const from = this.#stored.get(room) ?? ZERO;
    const readMs = this.#deps.runtime.elapsed();
    const { events, length } = await outbox.entries(room, from, CHUNK);
    const missing = await this.#missing(room, events, caughtUpAtMs);
    const hole = missing[0]?.position;
    const known = events.findLast(({ position }) => hole === undefined || position < hole);
    if (known) this.#stored.set(room, known.position);
    await this.#appendMissing(room, missing, caughtUpAtMs, readMs);
    if (length > keep) await this.#trim(room, Math.min(length - keep, CHUNK), caughtUpAtMs);
    if (missing.length > 0 || this.#closed) return;
    // More than one look holds: go on at once rather than fall behind.
    if (events.length === CHUNK) return this.#lookAt(room, caughtUpAtMs);
    if (length > keep) return;
    await outbox.retire(room, IDLE_MS);
  }

  /**
   * Up to `count` of the oldest entries, as far as each of them is stored at its position. What is not is appended: it may have come back
   * with an older memory, below what was looked at.
   */
  async #trim(room: string, count: number, caughtUpAtMs: number): Promise<void> {
    const readMs = this.#deps.runtime.elapsed();
    const { events: oldest, length } = await this.#deps.outbox.entries(room, ZERO, count);
    // Another consumer may have trimmed meanwhile: `keep` entries stay whoever trims.
    const events = oldest.slice(0, Math.max(0, length - this.#deps.keep));
    const missing = await this.#missing(room, events, caughtUpAtMs);
    await this.#appendMissing(room, missing, caughtUpAtMs, readMs);
    const hole = missing[0]?.position;
    const last = events.findLast(({ position }) => hole === undefined || position < hole);
    if (last) this.#deps.metrics.trimmedEntries.inc(await this.#deps.outbox.trim(room, last.position));
  }

  /**
   * Those that are not stored. One that should have been by now may be stored at another place: it was sent again after the stream was
   * lost, and an older memory that came back has its first one.
   */
  async #missing(
    room: string,
    all: readonly StreamEvent[],
    caughtUpAtMs: number,
  ): Promise<readonly StreamEvent[]> {
    const { runtime, retentionMs } = this.#deps;
    const kept = retentionMs === undefined ? ZERO : fromMs(runtime.now() - retentionMs);
    const events = all.filter(({ position }) => position >= kept);
    if (events.length === 0) return [];
    const entries = events.map(({ position, json }) => ({ id: decodeEvent(json).id, position }));
    const stored = await this.#deps.store.storedAmong(room, entries);
    const missing: StreamEvent[] = [];
    for (const event of events.filter(({ position }) => !stored.has(position))) {
      const isElsewhere = isLate(event, caughtUpAtMs) && (await this.#isStored(room, event));
      if (!isElsewhere) missing.push(event);
    }
    return missing;
  }

  async #isStored(room: string, { json }: StreamEvent): Promise<boolean> {
    return (await this.#deps.store.findEvent(room, decodeEvent(json).id)) !== undefined;
  }

  /** Only while what was read is fresh: a paused process must not write late (N6). */
  async #appendMissing(
    room: string,
    missing: readonly StreamEvent[],
    caughtUpAtMs: number,
    readMs: number,
  ): Promise<void> {
    const { log, runtime, metrics, logger } = this.#deps;
    const late = await this.#left(room, missing, caughtUpAtMs);
    const ageMs = runtime.elapsed() - readMs;
    if (late.length === 0 || ageMs > QUARANTINE_MS) return;
    const knownAtMs = runtime.now() - ageMs;
    await log.append(late.map(({ json }) => ({ room: decodeEvent(json).room, value: json, knownAtMs })));
    metrics.reconciledEntries.inc(late.length);
    logger.warn("messages left behind were appended to the log", { messages: late.length });
  }

  /**
   * Those that should have come by now. What an older memory brought back waits until the store is settled (N8): the memory that was lost may
   * have given it another place, under which it is still on its way. The fence is asked for after the entries, so it is never an older one.
   */
  async #left(
    room: string,
    missing: readonly StreamEvent[],
    caughtUpAtMs: number,
  ): Promise<readonly StreamEvent[]> {
    const late = missing.filter((event) => isLate(event, caughtUpAtMs));
    const fence = late.length > 0 ? await this.#deps.outbox.fenceOf(partitionOf(room)) : undefined;
    if (fence === undefined) return [];
    return isSettledAt(fence, caughtUpAtMs) ? late : late.filter(({ position }) => position > fence);
  }
}

/** It should have been stored by now. */
function isLate({ position }: StreamEvent, caughtUpAtMs: number): boolean {
  return toMs(position) + ON_THEIR_WAY_MS < caughtUpAtMs;
}
