/** Simulated Postgres: the store in memory, which outlives every process, and for each process a pool of connections to it. */
import { isPosition, type Position } from "../../core/position.ts";
import type { RevocationStore } from "../../core/revocations.ts";
import type { Runtime } from "../../core/runtime.ts";
import { UnstorableError, type EventPage, type InsertResult, type Store } from "../../core/store.ts";
import type { RoomEvent } from "../../protocol.ts";
import { Engine, Link, over } from "./link.ts";
import { MemoryModeration } from "./rooms-moderation.ts";
import { MemoryReadMarks } from "./read-marks.ts";
import { MemoryRevocations } from "./revocations.ts";
import { checkTexts, RoomsState } from "./rooms-state.ts";
import { MemoryMembers, MemoryRooms } from "./rooms.ts";

export interface PostgresOptions {
  readonly world: Runtime;
  readonly latencyMs: number;
}

const QUERY_TIMEOUT_MS = 5_000;

export class SimulatedPostgres extends Engine {
  readonly options: PostgresOptions;
  readonly store: MemoryStore;
  readonly revocations: MemoryRevocations;

  constructor(options: PostgresOptions) {
    super();
    this.options = options;
    this.revocations = new MemoryRevocations(() => options.world.now());
    this.store = new MemoryStore(() => options.world.now());
  }

  connect(host: Runtime): { store: Store; revocations: RevocationStore; link: Link } {
    const link = new Link({
      ...this.options,
      host,
      engine: this,
      timeoutMs: QUERY_TIMEOUT_MS,
      isOrdered: false,
      doesLateWork: true,
    });
    const { store } = this;
    const remote = over<Store>(link, () => store);
    const parts: Partial<Store> = {
      rooms: over(link, () => store.rooms),
      members: over(link, () => store.members),
      moderation: over(link, () => store.moderation),
      periods: over(link, () => store.periods),
      changes: over(link, () => store.changes),
      readMarks: over(link, () => store.readMarks),
      erasure: over(link, () => store.erasure),
      close: async () => link.close(),
    };
    const get = (_: Store, name: string): unknown => Reflect.get(name in parts ? parts : remote, name);
    return {
      link,
      revocations: over(link, () => this.revocations),
      store: new Proxy(remote, { get: get as (target: Store, name: string | symbol) => unknown }),
    };
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What an index entry may hold. */
const KEY_BYTES_MAX = 2_700;

/** Rows of one room: by id, and in order of their positions. */
class Rows {
  readonly byId = new Map<string, RoomEvent>();
  readonly sorted: RoomEvent[] = [];

  insert(event: RoomEvent): void {
    this.byId.set(event.id, event);
    this.sorted.splice(this.below(event.position), 0, event);
  }

  /** How many rows lie below a position. */
  below(position: Position): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sorted[middle]?.position ?? "") < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class MemoryStore implements Store {
  /** All events are together. */
  readonly periods: Store["periods"] = {
    prepare: async () => [],
    dropBefore: async () => ({ names: [], restEndMs: undefined }),
  };
  readonly rooms: MemoryRooms;
  readonly members: MemoryMembers;
  readonly moderation: MemoryModeration;
  readonly changes: RoomsState;
  readonly readMarks = new MemoryReadMarks();
  /** Nobody deletes an account in the simulation, so nothing is left to be erased. */
  readonly erasure: Store["erasure"] = { eraseNames: async () => 0, eraseAgain: async () => {} };
  readonly #rows = new Map<string, Rows>();
  readonly #progress = new Map<number, number>();
  #partitions = 0;

  constructor(nowMs: () => number) {
    this.changes = new RoomsState(nowMs);
    const eventsAfter = (room: string, after: Position, limit: number) =>
      this.eventsAfter(room, after, limit);
    this.rooms = new MemoryRooms(this.changes, this.readMarks, eventsAfter);
    this.members = new MemoryMembers(this.changes);
    this.moderation = new MemoryModeration(this.changes);
  }

  async insertEvents(events: readonly RoomEvent[]): Promise<InsertResult> {
    events.forEach(checkEvent);
    let inserted = 0;
    const conflicts = new Map<string, { room: string; id: string; position: Position }>();
    for (const event of events.toSorted((a, b) => (a.position < b.position ? -1 : 1))) {
      const { room, id, position } = event;
      const rows = this.#of(room);
      const stored = rows.byId.get(id);
      if (stored && stored.position !== position)
        conflicts.set(`${room} ${id} ${position}`, { room, id, position });
      if (stored) continue;
      rows.insert(event);
      inserted++;
    }
    return { inserted, conflicts: [...conflicts.values()] };
  }

  async eventsBefore(room: string, before: Position | undefined, limit: number): Promise<EventPage> {
    checkTexts(room);
    const rows = this.#of(room);
    const end = before === undefined ? rows.sorted.length : rows.below(before);
    const start = Math.max(0, end - limit);
    return { events: rows.sorted.slice(start, end), complete: start === 0 };
  }

  async eventsAfter(room: string, after: Position, limit: number): Promise<EventPage> {
    checkTexts(room);
    const rows = this.#of(room);
    const { sorted } = rows;
    let start = rows.below(after);
    while (sorted[start]?.position === after) start++;
    return { events: sorted.slice(start, start + limit), complete: start + limit >= sorted.length };
  }

  async findEvent(room: string, id: string): Promise<RoomEvent | undefined> {
    checkTexts(room);
    return this.#of(room).byId.get(id);
  }

  async deleteEventsBefore(before: Position, limit: number): Promise<number> {
    let deleted = 0;
    for (const rows of this.#rows.values()) {
      const old = rows.sorted.splice(0, Math.min(rows.below(before), limit - deleted));
      for (const { id } of old) rows.byId.delete(id);
      deleted += old.length;
    }
    return deleted;
  }

  async storedAmong(
    room: string,
    entries: readonly { id: string; position: Position }[],
  ): Promise<ReadonlySet<Position>> {
    checkTexts(room);
    const rows = this.#of(room);
    const stored = entries.filter(({ id, position }) => rows.byId.get(id)?.position === position);
    return new Set(stored.map(({ position }) => position));
  }

  async headOf(room: string): Promise<Position | undefined> {
    checkTexts(room);
    return this.#of(room).sorted.at(-1)?.position;
  }

  async markCaughtUp(
    marks: readonly { partition: number; caughtUpAtMs: number }[],
    partitions: number,
  ): Promise<void> {
    if (marks.length > 0) this.#partitions = Math.max(this.#partitions, partitions);
    for (const { partition, caughtUpAtMs } of marks) {
      const known = this.#progress.get(partition) ?? 0;
      this.#progress.set(partition, Math.max(known, Math.floor(caughtUpAtMs)));
    }
  }

  async caughtUpAt(): Promise<number | undefined> {
    if (this.#partitions === 0 || this.#progress.size !== this.#partitions) return undefined;
    return Math.min(...this.#progress.values());
  }

  async ping(): Promise<void> {
    // It is here.
  }

  async close(): Promise<void> {
    // Each process closes its own link.
  }

  /** What the auditor reads. */
  rowsOf(room: string): readonly RoomEvent[] {
    return this.#of(room).sorted;
  }

  #of(room: string): Rows {
    const rows = this.#rows.get(room) ?? new Rows();
    this.#rows.set(room, rows);
    return rows;
  }
}

function checkEvent({ room, position, prev, kind, id, user, body, replyTo }: RoomEvent): void {
  checkTexts(room, kind, user.id, user.name, body);
  if (Buffer.byteLength(room) > KEY_BYTES_MAX) throw new UnstorableError("the room is too long for a key");
  if (!UUID.test(id) || (replyTo !== undefined && !UUID.test(replyTo)))
    throw new UnstorableError("an id is not a UUID in lower case");
  if (!isPosition(position) || !isPosition(prev)) throw new UnstorableError("a position is not one");
}
