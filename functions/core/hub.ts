/** The rooms that are open on this node: opened by their first member, fed from one feed, looked after every two seconds. */
import type { Frame } from "./frame.ts";
import { Room, type Member, type RoomDeps } from "./room.ts";
import type { FeedListener, RoomStream, StreamEvent } from "./room-stream.ts";
import type { Position } from "./position.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import type { Health } from "./health.ts";

export interface HubDeps extends RoomDeps {
  readonly stream: RoomStream;
  readonly runtime: Runtime;
  readonly health: Health;
}

/** N3: heads, fences and the feed's hearing are looked at this often. */
const SWEEP_MS = 2_000;
/** N8: how often the store is asked whether it is settled, while a room waits for it. */
const SETTLE_MS = 500;
/** A room without members is kept open for this many sweeps: its ring serves those who come back. */
const IDLE_SWEEPS = 15;

export class Hub implements FeedListener {
  readonly #deps: HubDeps;
  readonly #rooms = new Map<string, Room>();
  readonly #idle = new Map<string, number>();
  readonly #cancels = new Map<number, Cancel>();
  #closed = false;
  #sweeping = false;
  #sweepAgain = false;

  constructor(deps: HubDeps) {
    this.#deps = deps;
    deps.feed.listen(this);
    deps.fences.onRaised = (partition, fence) => {
      for (const room of this.#rooms.values())
        if (room.partition === partition) room.fenceRaised(fence.position);
    };
    this.#every(SWEEP_MS, () => this.#sweep());
    this.#every(SETTLE_MS, () => this.#settle());
  }

  /** The open room, opened where it is not. */
  room(id: string): Room {
    const open = this.#rooms.get(id);
    if (open) return open;
    const room = new Room(id, this.#deps);
    this.#rooms.set(id, room);
    this.#deps.metrics.rooms.set(this.#rooms.size);
    return room;
  }

  leave(id: string, member: Member): void {
    this.#rooms.get(id)?.members.delete(member);
  }

  isOpen(id: string): boolean {
    return this.#rooms.has(id);
  }

  /** Whose sessions have joined the room here, or are joining it. */
  usersIn(id: string): ReadonlySet<string> {
    return this.#rooms.get(id)?.userIds ?? new Set();
  }

  /** To every session that has joined the room here. */
  tell(id: string, frame: Frame): void {
    for (const member of this.#rooms.get(id)?.members ?? []) member.send(frame);
  }

  onEvent(room: string, fence: Position, event: StreamEvent): void {
    this.#deps.metrics.eventsReceived.inc();
    this.#rooms.get(room)?.hear(fence, event);
  }

  onInterrupted(): void {
    this.#deps.metrics.feedInterruptions.inc();
    void this.#sweep();
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels.values()) cancel();
  }

  /** Never two at once: a sweep that is asked for meanwhile follows. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return void (this.#sweepAgain = true);
    this.#sweeping = true;
    try {
      do {
        this.#sweepAgain = false;
        this.#closeIdle();
        const rooms = this.#byPartition().map((some) => this.#inspect(some));
        await Promise.all([this.#deps.health.probe(), this.#probeFeed(), ...rooms]);
      } while (this.#sweepAgain && !this.#closed);
    } finally {
      this.#sweeping = false;
    }
  }

  async #probeFeed(): Promise<void> {
    await this.#deps.feed.probe().catch((error: unknown) => {
      this.#deps.logger.debug("the feed can't be probed now", { err: error });
    });
  }

  /** Compares fence and heads of one partition's rooms with what this node holds. */
  async #inspect(rooms: readonly Room[]): Promise<void> {
    const [first] = rooms;
    if (!first) return;
    try {
      const before = rooms.map(({ pos }) => pos);
      const ids = rooms.map(({ id }) => id);
      const state = await this.#deps.stream.inspect(first.partition, ids);
      const known = this.#deps.fences.known(first.id);
      if (known && state.fence !== known.position)
        return void (await this.#deps.fences.open(first.partition));
      state.heads.forEach((head, index) => rooms[index]?.compare(head, before[index] ?? head));
      await Promise.all(
        rooms.filter((room) => !room.isLive && room.members.size > 0).map((room) => room.load("gap")),
      );
    } catch (error) {
      this.#deps.logger.debug("rooms can't be compared with the stream now", { err: error });
    }
  }

  /** Rooms that wait for a settled page get it once the store is that far; those read without the store when it is back. */
  async #settle(): Promise<void> {
    for (const room of this.#rooms.values()) {
      const fence = this.#deps.fences.known(room.id);
      if (!room.isProvisional || !room.isLive || room.isBusy || !fence) continue;
      if (await this.#deps.settlement.check(fence.position)) await room.settle();
    }
  }

  #closeIdle(): void {
    for (const room of this.#rooms.values()) {
      const sweeps = room.isIdle ? (this.#idle.get(room.id) ?? 0) + 1 : 0;
      this.#idle.set(room.id, sweeps);
      if (sweeps < IDLE_SWEEPS) continue;
      this.#idle.delete(room.id);
      this.#rooms.delete(room.id);
      this.#deps.feed.unsubscribe(room.id).catch((error: unknown) => {
        this.#deps.logger.debug("a closed room can't be unsubscribed now", { room: room.id, err: error });
      });
    }
    this.#deps.metrics.rooms.set(this.#rooms.size);
  }

  #byPartition(): Room[][] {
    const partitions = new Map<number, Room[]>();
    for (const room of this.#rooms.values()) {
      const rooms = partitions.get(room.partition) ?? [];
      partitions.set(room.partition, [...rooms, room]);
    }
    return [...partitions.values()];
  }

  #every(intervalMs: number, task: () => Promise<void>): void {
    const { runtime, logger } = this.#deps;
    const again = () => void (this.#closed || this.#cancels.set(intervalMs, runtime.after(intervalMs, run)));
    const run = () => {
      task()
        .catch((error: unknown) => logger.error("looking after the rooms failed", { err: error }))
        .finally(again);
    };
    again();
  }
}
