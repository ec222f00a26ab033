/**
 * Port: the store of events and of the log's progress; that of rooms is in `room-store.ts`.
 *
 * Text is exact: quotes, emoji, right-to-left and control characters come back as they went in. Text with NUL or lone
 * surrogates is refused. Errors: `UnstorableError` for data that will never be stored as it is (nothing of the call was
 * stored); `ChatError("unavailable")` when the store does not answer: try again. A call whose outcome is unknown may
 * be repeated: every write is idempotent.
 */
import type { RoomEvent } from "../protocol.ts";
import type { EventPeriods } from "./event-periods.ts";
import type { ErasureStore } from "./own-data.ts";
import type { Position } from "./position.ts";
import type { ReadMarkStore } from "./read-marks.ts";
import type { ChangeStore, MemberStore, ModerationStore, RoomStore } from "./room-store.ts";

export interface EventPage {
  /** Ascending by position. */
  readonly events: readonly RoomEvent[];
  /** There are none beyond, in the direction that was asked for. */
  readonly complete: boolean;
}

export interface InsertResult {
  readonly inserted: number;
  /** Events of the call, as they were given, whose id is stored at another position: the first position stays. Expected never. */
  readonly conflicts: readonly { readonly room: string; readonly id: string; readonly position: Position }[];
}

export interface EventStore {
  /**
   * One statement, idempotent by room and id; order and repeats within the batch don't matter. Takes at least 10,000. Who has deleted
   * the account is stored under the common name, whatever the event says.
   */
  insertEvents(events: readonly RoomEvent[]): Promise<InsertResult>;
  /** The newest `limit` events below `before` (all when absent). */
  eventsBefore(room: string, before: Position | undefined, limit: number): Promise<EventPage>;
  /** The oldest `limit` events above `after`. */
  eventsAfter(room: string, after: Position, limit: number): Promise<EventPage>;
  findEvent(room: string, id: string): Promise<RoomEvent | undefined>;
  /** Those of `entries` that are stored at just that position. */
  storedAmong(
    room: string,
    entries: readonly { id: string; position: Position }[],
  ): Promise<ReadonlySet<Position>>;
  /** Deletes up to `limit` events below a position, of all rooms, and answers how many. Given a time, only those whose ids were made before it. */
  deleteEventsBefore(before: Position, limit: number, idsBeforeMs?: number): Promise<number>;
  /** The largest position stored in the room; undefined where it has none. */
  headOf(room: string): Promise<Position | undefined>;
}

/** How far the log is stored, written by consumers and asked by nodes. */
export interface ProgressStore {
  /** Everything that log partition `partition` (of `partitions`) held at `caughtUpAtMs` is stored. Never goes back. */
  markCaughtUp(
    marks: readonly { partition: number; caughtUpAtMs: number }[],
    partitions: number,
  ): Promise<void>;
  /** The time up to which every partition is stored; undefined while one of them never was. */
  caughtUpAt(): Promise<number | undefined>;
}

export interface Store extends EventStore, ProgressStore {
  readonly periods: EventPeriods;
  readonly rooms: RoomStore;
  readonly members: MemberStore;
  readonly moderation: ModerationStore;
  readonly changes: ChangeStore;
  readonly readMarks: ReadMarkStore;
  readonly erasure: ErasureStore;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The data can't be stored as it is, however often one tries. */
export class UnstorableError extends Error {
  override readonly name = "UnstorableError";
}
