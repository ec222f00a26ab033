/**
 * Room stream on Redis 7 or Valkey 8, one server or a cluster: one stream per room, one Lua script per append.
 *
 * A fence counts only on the connection on which it was opened: the set of opened partitions is dropped with the
 * connection, before a new one can take a command, and a partition that comes to another server is taken out of it. So a Redis that came
 * back with an older memory, or another one in its place, is noticed before it is written to.
 */
import type { Redis, Result } from "ioredis";
import { fromStreamId, max, next, toStreamId, ZERO, type Position } from "../core/position.ts";
import {
  partitionOf,
  StaleFenceError,
  type Appended,
  type EventDraft,
  type Fence,
  type Opening,
  type PartitionState,
  type RoomOutbox,
  type RoomStream,
  type StreamEvent,
  type Tail,
} from "../core/room-stream.ts";
import { ChatError } from "../lib/errors.ts";
import { connectRedis, type RedisTarget } from "./redis-connection.ts";
import { redisNames, type RedisNames } from "./redis-names.ts";
import { APPEND, FENCE_OF, FIND, INSPECT, OPEN, READ_AFTER, READ_NEWEST, RETIRE } from "./redis-scripts.ts";
import { oneServer, type RedisServers } from "./redis-servers.ts";
import { RedisShards } from "./redis-shards.ts";

type Entry = [id: string, fields: [string, string, string, string]];
type Entries = [status: string, last: string, entries: Entry[]];

declare module "ioredis" {
  interface RedisCommander<Context> {
    skatOpen(...args: (string | number)[]): Result<[position: string, memory: string], Context>;
    skatAppend(
      ...args: (string | number)[]
    ): Result<[status: string, position?: string, prev?: string], Context>;
    skatReadAfter(...args: (string | number)[]): Result<Entries, Context>;
    skatReadNewest(...args: (string | number)[]): Result<Entries, Context>;
    skatFind(...args: (string | number)[]): Result<[status: string, place: string], Context>;
    skatInspect(keys: number, ...args: string[]): Result<string[], Context>;
    skatFenceOf(...args: string[]): Result<string, Context>;
    skatRetire(...args: (string | number)[]): Result<number, Context>;
  }
}

const SCRIPTS = {
  skatOpen: { numberOfKeys: 1, lua: OPEN },
  skatAppend: { numberOfKeys: 5, lua: APPEND },
  skatReadAfter: { numberOfKeys: 2, lua: READ_AFTER },
  skatReadNewest: { numberOfKeys: 2, lua: READ_NEWEST },
  skatFind: { numberOfKeys: 2, lua: FIND },
  skatInspect: { lua: INSPECT },
  skatFenceOf: { numberOfKeys: 1, lua: FENCE_OF },
  skatRetire: { numberOfKeys: 1, lua: RETIRE },
};

/** How long an id is remembered beside the stream. Longer than the age from which a node no longer relies on it. */
const ID_KEPT_MS = 180_000;

interface Shard {
  readonly client: Redis;
  /** Partitions whose fence was found on the present connection. */
  opened: Set<number>;
}

export interface RedisRoomStreamOptions extends RedisTarget {
  /** Of a cluster; without it the target is the one server. */
  readonly servers?: RedisServers;
  readonly stage: string;
  /** Entries of one room that may wait in Redis; from then on appends are refused. */
  readonly roomEntriesMax: number;
  /** Told about connection faults. */
  readonly onError: (error: Error) => void;
}

export class RedisRoomStream implements RoomStream, RoomOutbox {
  readonly #shards: RedisShards<Shard>;
  readonly #names: RedisNames;
  readonly #roomEntriesMax: number;

  constructor(options: RedisRoomStreamOptions) {
    const { stage, roomEntriesMax, onError, servers = oneServer(options) } = options;
    this.#names = redisNames(stage);
    this.#roomEntriesMax = roomEntriesMax;
    this.#shards = new RedisShards({
      servers,
      open: (target) => openShard(target, onError),
      onMoved: (partitions) => {
        for (const { opened } of this.#shards.all().keys())
          for (const partition of partitions) opened.delete(partition);
      },
    });
  }

  /** Resolves when Redis answers; rejects with `unavailable` when it does not within five seconds. */
  async ready(): Promise<void> {
    await this.#shards.ready();
  }

  async open(partition: number, { nowMs, floor, known }: Opening): Promise<Fence> {
    const { opened } = this.#shards.of(partition);
    const position = known?.position ?? ZERO;
    const [fence, memory] = await this.#ask(partition, (client) =>
      client.skatOpen(
        this.#names.fence(partition),
        Math.floor(nowMs),
        toStreamId(floor),
        toStreamId(position),
        position,
      ),
    );
    opened.add(partition);
    return { position: fence, memory };
  }

  async append(draft: EventDraft, fence: Fence, floor: Position): Promise<Appended> {
    const { room, id, fields } = draft;
    const partition = this.#gate(room);
    const [status, position = "", prev = ""] = await this.#ask(partition, (client) =>
      client.skatAppend(
        this.#names.fence(partition),
        this.#names.stream(room),
        this.#names.id(room, id),
        this.#names.active(partition),
        this.#names.channel(room),
        fence.position,
        fence.memory,
        toStreamId(fence.position),
        toStreamId(floor),
        JSON.stringify(room),
        fields,
        ID_KEPT_MS,
        this.#roomEntriesMax,
        room,
      ),
    );
    if (status === "FULL")
      throw new ChatError("room_full", "Too many messages of this room wait to be stored.", {
        retryAfterMs: 2000,
      });
    this.#fenced(partition, status);
    return { position, prev, repeated: status === "REPEAT" };
  }

  async readAfter(room: string, fence: Fence, after: Position, limit: number): Promise<Tail> {
    const partition = this.#gate(room);
    const answer = await this.#ask(partition, (client) =>
      client.skatReadAfter(...this.#fencedStream(room, fence), toStreamId(after), limit),
    );
    return this.#tail(partition, fence, answer);
  }

  async readNewest(room: string, fence: Fence, limit: number, before?: Position): Promise<Tail> {
    const partition = this.#gate(room);
    const end = before === undefined ? "+" : `(${toStreamId(before)}`;
    const [status, last, entries] = await this.#ask(partition, (client) =>
      client.skatReadNewest(...this.#fencedStream(room, fence), end, limit),
    );
    return this.#tail(partition, fence, [status, last, entries?.reverse()]);
  }

  async find(room: string, fence: Fence, id: string) {
    const partition = this.#gate(room);
    const [status, place] = await this.#ask(partition, (client) =>
      client.skatFind(this.#names.fence(partition), this.#names.id(room, id), fence.position, fence.memory),
    );
    this.#fenced(partition, status);
    return place === "" ? undefined : { position: place.slice(0, 19), prev: place.slice(19) };
  }

  async inspect(partition: number, rooms: readonly string[]): Promise<PartitionState> {
    const keys = [this.#names.fence(partition), ...rooms.map((room) => this.#names.stream(room))];
    const [fence = "", ...lasts] = await this.#ask(partition, (client) =>
      client.skatInspect(keys.length, ...keys),
    );
    const heads = lasts.map((last) => headOf(last, fence === "" ? ZERO : fence));
    return fence === "" ? { heads } : { fence, heads };
  }

  async ping(): Promise<void> {
    const partitions = [...this.#shards.all().values()].map(([first]) => first);
    await Promise.any(partitions.map((partition) => this.inspect(partition, []))).catch((cause: unknown) => {
      throw unavailable(cause);
    });
  }

  async fenceOf(partition: number): Promise<Position | undefined> {
    const fence = await this.#ask(partition, (client) => client.skatFenceOf(this.#names.fence(partition)));
    return fence === "" ? undefined : fence;
  }

  async activeRooms(partition: number): Promise<readonly string[]> {
    return this.#ask(partition, (client) => client.zrange(this.#names.active(partition), "0", "-1"));
  }

  async entries(room: string, after: Position, limit: number) {
    const stream = this.#names.stream(room);
    const [entries, length] = await this.#ask(partitionOf(room), (client) =>
      Promise.all([client.xrange(stream, `(${toStreamId(after)}`, "+", "COUNT", limit), client.xlen(stream)]),
    );
    return { events: (entries as Entry[]).map(toEvent), length };
  }

  async trim(room: string, upTo: Position): Promise<number> {
    return this.#ask(partitionOf(room), (client) =>
      client.xtrim(this.#names.stream(room), "MINID", "=", toStreamId(next(upTo))),
    );
  }

  async retire(room: string, idleMs: number): Promise<void> {
    const partition = partitionOf(room);
    await this.#ask(partition, (client) => client.skatRetire(this.#names.active(partition), room, idleMs));
  }

  /** Publishes on a channel that is no room's: what a feed proves its hearing with. */
  async publish(partition: number, channel: string, text: string): Promise<void> {
    await this.#ask(partition, (client) => client.spublish(channel, text));
  }

  async close(): Promise<void> {
    this.#shards.close();
  }

  /** The partition of a room, if its fence was found on this connection. */
  #gate(room: string): number {
    const partition = partitionOf(room);
    if (!this.#shards.of(partition).opened.has(partition)) throw new StaleFenceError(partition);
    return partition;
  }

  #fenced(partition: number, status: string): void {
    if (status === "STALE") throw new StaleFenceError(partition);
  }

  #fencedStream(room: string, fence: Fence): string[] {
    return [this.#names.fence(partitionOf(room)), this.#names.stream(room), fence.position, fence.memory];
  }

  #tail(partition: number, fence: Fence, [status, last, entries]: Entries): Tail {
    this.#fenced(partition, status);
    return { events: entries.map(toEvent), head: headOf(last, fence.position) };
  }

  /** Every failure of the client is an unknown outcome. */
  async #ask<T>(partition: number, command: (client: Redis) => Promise<T>): Promise<T> {
    const shard = this.#shards.of(partition);
    try {
      return await command(shard.client);
    } catch (cause) {
      this.#shards.failed(shard, cause);
      throw unavailable(cause);
    }
  }
}

function openShard(target: RedisTarget, onError: (error: Error) => void): Shard {
  const client = connectRedis(target, { scripts: SCRIPTS, enableAutoPipelining: true });
  const shard: Shard = { client, opened: new Set() };
  client.on("error", onError);
  client.on("close", () => (shard.opened = new Set()));
  return shard;
}

function unavailable(cause: unknown): ChatError {
  return new ChatError("unavailable", "Redis does not answer; the outcome is unknown.", {
    cause,
    retryAfterMs: 500,
  });
}

function headOf(last: string, fence: Position): Position {
  return last === "" ? fence : max(fence, fromStreamId(last));
}

function toEvent([id, [, prev, , json]]: Entry): StreamEvent {
  return { position: fromStreamId(id), prev, json };
}
