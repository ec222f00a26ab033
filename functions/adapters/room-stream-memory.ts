/**
 * Room stream and feed in one process: for one command on a laptop, and for tests. Everything is gone with the process.
 *
 * `StreamMemory` is what Redis would be; each node connects to it. Tests wipe it, restore it and set its clock back.
 */
import { encodeAt } from "../core/event.ts";
import type { Notices } from "../core/notices.ts";
import type { ReadMark } from "../core/read-marks.ts";
import { fromMs, max, next, previous, ZERO, type Position } from "../core/position.ts";
import {
  partitionOf,
  StaleFenceError,
  type Appended,
  type EventDraft,
  type FeedListener,
  type Fence,
  type Opening,
  type PartitionState,
  type RoomFeed,
  type RoomOutbox,
  type RoomStream,
  type StreamEvent,
  type Tail,
} from "../core/room-stream.ts";
import type { Runtime } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";

const ID_KEPT_MS = 180_000;

interface Contents {
  readonly streams: Map<string, StreamEvent[]>;
  readonly ids: Map<string, Appended & { readonly keptUntilMs: number }>;
  readonly fences: Map<number, Fence>;
  readonly active: Map<string, number>;
}

export class StreamMemory {
  readonly #runtime: Runtime;
  readonly roomEntriesMax: number;
  /** Added to the clock; set it below zero and the clock goes back. */
  clockOffsetMs = 0;
  runId: string;
  contents: Contents = empty();
  readonly connections = new Set<MemoryRoomStream>();

  constructor(runtime: Runtime, { roomEntriesMax = 100_000 } = {}) {
    this.#runtime = runtime;
    this.roomEntriesMax = roomEntriesMax;
    this.runId = uuidV7(runtime);
  }

  connect(): MemoryRoomStream {
    const connection = new MemoryRoomStream(this);
    this.connections.add(connection);
    return connection;
  }

  nowMs(): number {
    return Math.floor(this.#runtime.now()) + this.clockOffsetMs;
  }

  snapshot(): Contents {
    return structuredClone(this.contents);
  }

  /** The engine comes back as another process, with older contents or none: every connection is cut. */
  restart(contents: Contents = empty()): void {
    this.contents = structuredClone(contents);
    this.runId = uuidV7(this.#runtime);
    for (const connection of this.connections) connection.cut();
  }

  /** As FLUSHALL: the contents are gone, process and connections stay. */
  flush(): void {
    this.contents = empty();
  }

  /** Ids are looked at in the order of their coming, so the oldest go first. */
  forgetOldIds(): void {
    for (const [key, { keptUntilMs }] of this.contents.ids) {
      if (keptUntilMs > this.nowMs()) return;
      this.contents.ids.delete(key);
    }
  }
}

export class MemoryRoomStream implements RoomStream, RoomFeed, RoomOutbox, Notices {
  readonly #memory: StreamMemory;
  readonly #subscribed = new Set<string>();
  #opened = new Set<number>();
  #listener: FeedListener | undefined;
  #noticed: () => void = () => {};
  #heardReadMarks: (marks: readonly ReadMark[]) => void = () => {};

  constructor(memory: StreamMemory) {
    this.#memory = memory;
  }

  async open(partition: number, { nowMs, floor, known }: Opening): Promise<Fence> {
    const { fences } = this.#memory.contents;
    const held = fences.get(partition);
    this.#opened.add(partition);
    const knownPosition = known?.position ?? ZERO;
    if (held?.memory === this.#memory.runId && held.position >= knownPosition) return held;
    const fence = {
      memory: this.#memory.runId,
      position: max(
        fromMs(this.#memory.nowMs()),
        fromMs(nowMs + 500),
        next(floor),
        next(knownPosition),
        next(held?.position ?? ZERO),
      ),
    };
    fences.set(partition, fence);
    return fence;
  }

  async append(draft: EventDraft, fence: Fence, floor: Position): Promise<Appended> {
    this.#check(draft.room, fence);
    const memory = this.#memory;
    memory.forgetOldIds();
    const key = `${draft.room}:${draft.id}`;
    const known = memory.contents.ids.get(key);
    if (known) return { position: known.position, prev: known.prev, repeated: true };
    const stream = memory.contents.streams.get(draft.room) ?? [];
    if (stream.length >= memory.roomEntriesMax) {
      throw new ChatError("room_full", "Too many messages of this room wait to be stored.", {
        retryAfterMs: 2000,
      });
    }
    const last = stream.at(-1)?.position ?? ZERO;
    const prev = max(last, fence.position);
    const position = max(fromMs(memory.nowMs()), next(prev), next(floor));
    const event = { position, prev, json: encodeAt(draft, position, prev) };
    stream.push(event);
    memory.contents.streams.set(draft.room, stream);
    memory.contents.ids.set(key, {
      position,
      prev,
      repeated: false,
      keptUntilMs: memory.nowMs() + ID_KEPT_MS,
    });
    memory.contents.active.set(draft.room, memory.nowMs());
    for (const connection of memory.connections) connection.hear(draft.room, fence.position, event);
    return { position, prev, repeated: false };
  }

  async readAfter(room: string, fence: Fence, after: Position, limit: number): Promise<Tail> {
    this.#check(room, fence);
    const stream = this.#stream(room);
    return this.#tail(stream.slice(firstAbove(stream, after)).slice(0, limit), stream, fence);
  }

  async readNewest(room: string, fence: Fence, limit: number, before?: Position): Promise<Tail> {
    this.#check(room, fence);
    const stream = this.#stream(room);
    const end = before === undefined ? stream.length : firstAbove(stream, previous(before));
    return this.#tail(stream.slice(Math.max(0, end - limit), end), stream, fence);
  }

  async find(room: string, fence: Fence, id: string) {
    this.#check(room, fence);
    this.#memory.forgetOldIds();
    const known = this.#memory.contents.ids.get(`${room}:${id}`);
    return known && { position: known.position, prev: known.prev };
  }

  async ping(): Promise<void> {}

  async inspect(partition: number, rooms: readonly string[]): Promise<PartitionState> {
    const fence = await this.fenceOf(partition);
    const heads = rooms.map((room) => max(fence ?? ZERO, this.#stream(room).at(-1)?.position ?? ZERO));
    return fence === undefined ? { heads } : { fence, heads };
  }

  async fenceOf(partition: number): Promise<Position | undefined> {
    const { contents, runId } = this.#memory;
    const fence = contents.fences.get(partition);
    return fence?.memory === runId ? fence.position : undefined;
  }

  listen(listener: FeedListener): void {
    this.#listener = listener;
  }

  async announce(): Promise<void> {
    for (const connection of this.#memory.connections) queueMicrotask(() => connection.#noticed());
  }

  onNotice(listener: () => void): void {
    this.#noticed = listener;
  }

  async announceReadMarks(marks: readonly ReadMark[]): Promise<void> {
    for (const connection of this.#memory.connections)
      queueMicrotask(() => connection.#heardReadMarks(marks));
  }

  onReadMarks(listener: (marks: readonly ReadMark[]) => void): void {
    this.#heardReadMarks = listener;
  }

  async subscribe(room: string): Promise<void> {
    this.#subscribed.add(room);
  }

  async unsubscribe(room: string): Promise<void> {
    this.#subscribed.delete(room);
  }

  async probe(): Promise<void> {
    // Nothing lies between: what is appended is heard.
  }

  async activeRooms(partition: number): Promise<readonly string[]> {
    return [...this.#memory.contents.active.keys()].filter((room) => partitionOf(room) === partition);
  }

  async entries(room: string, after: Position, limit: number) {
    const stream = this.#stream(room);
    const start = firstAbove(stream, after);
    return { events: stream.slice(start, start + limit), length: stream.length };
  }

  async trim(room: string, upTo: Position): Promise<number> {
    const stream = this.#stream(room);
    return stream.splice(0, firstAbove(stream, upTo)).length;
  }

  async retire(room: string, idleMs: number): Promise<void> {
    const { active } = this.#memory.contents;
    if ((active.get(room) ?? 0) <= this.#memory.nowMs() - idleMs) active.delete(room);
  }

  async close(): Promise<void> {
    this.#memory.connections.delete(this);
  }

  /** The connection is lost and made again: what was opened on it counts no more. */
  cut(): void {
    this.#opened = new Set();
    queueMicrotask(() => this.#listener?.onInterrupted());
  }

  /** After the appender's own turn, as from a network. */
  hear(room: string, fence: Position, event: StreamEvent): void {
    if (this.#subscribed.has(room)) queueMicrotask(() => this.#listener?.onEvent(room, fence, event));
  }

  #stream(room: string): StreamEvent[] {
    return this.#memory.contents.streams.get(room) ?? [];
  }

  #tail(events: readonly StreamEvent[], stream: readonly StreamEvent[], fence: Fence): Tail {
    return { events, head: max(fence.position, stream.at(-1)?.position ?? ZERO) };
  }

  #check(room: string, fence: Fence): void {
    const partition = partitionOf(room);
    const held = this.#memory.contents.fences.get(partition);
    const present = held?.memory === fence.memory && held.position === fence.position;
    if (!this.#opened.has(partition) || !present) throw new StaleFenceError(partition);
  }
}

function empty(): Contents {
  return { streams: new Map(), ids: new Map(), fences: new Map(), active: new Map() };
}

/** Index of the first event above a position, by halving. */
function firstAbove(stream: readonly StreamEvent[], position: Position): number {
  let low = 0;
  let high = stream.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stream[middle]?.position ?? ZERO) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
