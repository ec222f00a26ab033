/**
 * Port: the recent tail of every room, shared by all nodes, and the live feed of what is appended to it.
 *
 * Three roles, one technology: nodes append to and read the `RoomStream`, hear the `RoomFeed`, and the consumer
 * works through the `RoomOutbox`. An adapter implements all three.
 *
 * The memory behind it is disposable: it may vanish, or come back as it was earlier. Each memory of a partition is marked
 * by a *fence*; everything at or below the fence's position comes from before this memory.
 *
 * Errors: `StaleFenceError` when the caller's fence is not the present one, or is not known to be on this connection:
 * nothing was changed, `open` again. `ChatError("unavailable")` when there is no answer: whether an append happened is
 * then unknown. `ChatError("room_full")` when too many entries of a room wait to be stored. Nothing else.
 */
import type { Position } from "./position.ts";

/** The fence of one partition: where its present memory begins, and which memory that is. */
export interface Fence {
  readonly position: Position;
  readonly memory: string;
}

/** An event with its links, and its encoding: the same JSON text in the stream, on the wire and in the log. */
export interface StreamEvent {
  readonly position: Position;
  readonly prev: Position;
  readonly json: string;
}

/** An event that has no position yet. `fields` is what `encodeDraft` made: the JSON between `prev` and `at`. */
export interface EventDraft {
  readonly room: string;
  readonly id: string;
  readonly fields: string;
}

export interface Appended {
  readonly position: Position;
  readonly prev: Position;
  /** The id was there already: this is its first place, and nothing was changed. */
  readonly repeated: boolean;
}

export interface Opening {
  /** The caller's wall clock, in ms. */
  readonly nowMs: number;
  /** The largest position that the caller has seen anywhere. */
  readonly floor: Position;
  /** The fence that the caller knows; the answer is never below it. */
  readonly known?: Fence;
}

export interface Tail {
  /** Ascending by position. */
  readonly events: readonly StreamEvent[];
  /** The position of the stream's last entry, or the fence where that is higher or there is none: what a next event names as `prev`. */
  readonly head: Position;
}

export interface PartitionState {
  /** Position of the fence of the present memory; absent when there is none, as after a flush, or when an older memory came back. */
  readonly fence?: Position;
  /** The head of each room asked for, in that order. */
  readonly heads: readonly Position[];
}

export interface RoomStream {
  /**
   * Finds the fence of a partition, or sets a new one for a memory that has none. Must succeed on a connection before
   * anything else of that partition is asked there. Idempotent while the memory lives.
   */
  open(partition: number, opening: Opening): Promise<Fence>;

  /**
   * Appends and publishes, atomically. The position is above the stream's last, the fence, `floor` and the memory's
   * clock, so it never repeats or goes back, also when that clock does. An id of the last minutes gives its first
   * place again.
   */
  append(draft: EventDraft, fence: Fence, floor: Position): Promise<Appended>;

  /** Up to `limit` events above `after`, oldest first. */
  readAfter(room: string, fence: Fence, after: Position, limit: number): Promise<Tail>;

  /** The newest `limit` events, or the newest of those below `before`. */
  readNewest(room: string, fence: Fence, limit: number, before?: Position): Promise<Tail>;

  /** Fence and heads of one partition, as they are now. Needs no fence. */
  inspect(partition: number, rooms: readonly string[]): Promise<PartitionState>;

  /** Resolves when the memory answers: where it is spread over several servers, as long as one of them does. */
  ping(): Promise<void>;

  /** The place of an id that was appended within the last minutes. */
  find(room: string, fence: Fence, id: string): Promise<{ position: Position; prev: Position } | undefined>;
}

export interface FeedListener {
  /** An event of a subscribed room, in the order of its position as long as nothing is lost; `fence` is the one it was appended under. */
  onEvent(room: string, fence: Position, event: StreamEvent): void;
  /** Events may have been lost since the last call: the connection was cut, or heard nothing. */
  onInterrupted(): void;
}

/** At most once: what is published while the connection is away is lost, and `onInterrupted` follows. */
export interface RoomFeed {
  /** Called once, before the first `subscribe`. */
  listen(listener: FeedListener): void;
  /** Resolves when every later event of the room will be heard. Idempotent; kept across reconnects. */
  subscribe(room: string): Promise<void>;
  unsubscribe(room: string): Promise<void>;
  /** Sends itself a canary. One that is not heard in time replaces the connection, and `onInterrupted` follows. */
  probe(): Promise<void>;
}

/** The stream as the outbox of its room: the consumer works through it. Reads need no fence: an entry is an entry. */
export interface RoomOutbox {
  /** The fence of the present memory; undefined until a node has opened it. What an older memory brought back lies below it. */
  fenceOf(partition: number): Promise<Position | undefined>;
  /** Rooms that were appended to and not retired since. */
  activeRooms(partition: number): Promise<readonly string[]>;
  /** Up to `limit` entries above `after`, oldest first, and how many the room holds in all. */
  entries(
    room: string,
    after: Position,
    limit: number,
  ): Promise<{ events: readonly StreamEvent[]; length: number }>;
  /** Removes the entries at or below `upTo`. The caller leaves the newest ones: an empty stream has lost its place. Answers how many went. */
  trim(room: string, upTo: Position): Promise<number>;
  /** Takes a room off the active ones, unless it was appended to within the last `idleMs`. */
  retire(room: string, idleMs: number): Promise<void>;
}

/** The caller's fence is not the present one; nothing was changed. */
export class StaleFenceError extends Error {
  override readonly name = "StaleFenceError";
  readonly partition: number;

  constructor(partition: number) {
    super(`the fence of partition ${partition} is not the present one`);
    this.partition = partition;
  }
}

/** Partitions of the stream; a room's number never changes. */
export const PARTITIONS = 128;

/** FNV-1a over the room's UTF-16 units: small, stable, and the same everywhere. */
export function partitionOf(room: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < room.length; index++) {
    hash = Math.imul(hash ^ room.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % PARTITIONS;
}
