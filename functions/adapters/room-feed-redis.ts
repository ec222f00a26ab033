/**
 * Room feed and notices on Redis's sharded pub/sub, on connections of its own: one to each server that holds partitions.
 *
 * The subscriptions wanted are kept here, not in the client: after each reconnect, and where partitions have come to another server,
 * they are made again, and only then the listener is told that it may have missed something.
 */
import type { Redis } from "ioredis";
import type { Notices } from "../core/notices.ts";
import type { ReadMark } from "../core/read-marks.ts";
import type { FeedListener, RoomFeed } from "../core/room-stream.ts";
import { partitionOf } from "../core/room-stream.ts";
import type { Runtime } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";
import { connectRedis, type RedisTarget } from "./redis-connection.ts";
import { COMMON_PARTITION, redisNames, type RedisNames } from "./redis-names.ts";
import { oneServer, type RedisServers } from "./redis-servers.ts";
import { RedisShards } from "./redis-shards.ts";

/** Fence, position and prev stand in front of the event's JSON, nineteen digits each, so that nobody parses it. */
const DIGITS = 19;
const CANARY_TIMEOUT_MS = 1_000;

interface Shard {
  readonly client: Redis;
  subscribed: boolean;
}

export interface RedisRoomFeedOptions extends RedisTarget {
  /** Of a cluster; without it the target is the one server. */
  readonly servers?: RedisServers;
  readonly stage: string;
  readonly runtime: Runtime;
  /** Publishes on the command connection, which is not the one that is probed. */
  readonly publish: (partition: number, channel: string, text: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

export class RedisRoomFeed implements RoomFeed, Notices {
  readonly #shards: RedisShards<Shard>;
  readonly #names: RedisNames;
  readonly #runtime: Runtime;
  readonly #publish: RedisRoomFeedOptions["publish"];
  readonly #onError: RedisRoomFeedOptions["onError"];
  readonly #servers: RedisServers;
  readonly #node: string;
  readonly #wanted = new Set<string>();
  /** By what each canary says. */
  readonly #canaries = new Map<string, () => void>();
  #listener: FeedListener | undefined;
  #noticed: () => void = () => {};
  #heardReadMarks: (marks: readonly ReadMark[]) => void = () => {};

  constructor(options: RedisRoomFeedOptions) {
    const { stage, runtime, publish, onError, servers = oneServer(options) } = options;
    this.#names = redisNames(stage);
    this.#runtime = runtime;
    this.#publish = publish;
    this.#onError = onError;
    this.#servers = servers;
    this.#node = uuidV7(runtime);
    this.#shards = new RedisShards({
      servers,
      open: (target) => this.#open(target),
      onMoved: () => {
        for (const shard of this.#shards.all().keys()) if (shard.subscribed) void this.#resubscribe(shard);
      },
    });
  }

  listen(listener: FeedListener): void {
    this.#listener = listener;
  }

  async announce(): Promise<void> {
    await this.#publish(COMMON_PARTITION, this.#names.notices, "");
  }

  onNotice(listener: () => void): void {
    this.#noticed = listener;
  }

  async announceReadMarks(marks: readonly ReadMark[]): Promise<void> {
    await this.#publish(COMMON_PARTITION, this.#names.readMarks, JSON.stringify(marks));
  }

  onReadMarks(listener: (marks: readonly ReadMark[]) => void): void {
    this.#heardReadMarks = listener;
  }

  async subscribe(room: string): Promise<void> {
    this.#wanted.add(room);
    const shard = this.#shards.of(partitionOf(room));
    if (!shard.subscribed)
      throw new ChatError("unavailable", "The feed is not connected.", { retryAfterMs: 500 });
    await this.#ask(shard, (client) => client.ssubscribe(this.#names.channel(room)));
  }

  async unsubscribe(room: string): Promise<void> {
    this.#wanted.delete(room);
    const shard = this.#shards.of(partitionOf(room));
    if (shard.subscribed) await this.#ask(shard, (client) => client.sunsubscribe(this.#names.channel(room)));
  }

  async probe(): Promise<void> {
    const shards = [...this.#shards.all()];
    await Promise.all(shards.map(([shard, [partition]]) => this.#probe(shard, partition)));
  }

  /** Resolves when the connections stand. */
  async ready(): Promise<void> {
    await this.#shards.ready();
  }

  async close(): Promise<void> {
    this.#shards.close();
  }

  async #probe(shard: Shard, partition: number): Promise<void> {
    if (!shard.subscribed) return;
    const nonce = uuidV7(this.#runtime);
    const heard = new Promise<boolean>((resolve) => {
      const answer = (isHeard: boolean) => {
        cancel();
        this.#canaries.delete(nonce);
        resolve(isHeard);
      };
      const cancel = this.#runtime.after(CANARY_TIMEOUT_MS, () => answer(false));
      this.#canaries.set(nonce, () => answer(true));
    });
    await this.#publish(partition, this.#names.canary(this.#node, partition), nonce);
    if (!(await heard) && shard.subscribed) shard.client.disconnect(true);
  }

  #open(target: RedisTarget): Shard {
    const client = connectRedis(target);
    const shard: Shard = { client, subscribed: false };
    client.on("error", this.#onError);
    client.on("close", () => (shard.subscribed = false));
    client.on("ready", () => void this.#resubscribe(shard));
    client.on("smessage", (channel: string, text: string) => this.#hear(channel, text));
    // The server has taken subscriptions off by itself: their slot is elsewhere now.
    client.on("moved", () => this.#servers.suspect());
    return shard;
  }

  #hear(channel: string, text: string): void {
    if (channel === this.#names.notices) return this.#noticed();
    if (channel === this.#names.readMarks) return this.#heardReadMarks(JSON.parse(text) as ReadMark[]);
    const room = this.#names.roomOf(channel);
    if (room === undefined) return this.#canaries.get(text)?.();
    this.#listener?.onEvent(room, text.slice(0, DIGITS), {
      position: text.slice(DIGITS, 2 * DIGITS),
      prev: text.slice(2 * DIGITS, 3 * DIGITS),
      json: text.slice(3 * DIGITS),
    });
  }

  async #resubscribe(shard: Shard): Promise<void> {
    const partitions = this.#shards.all().get(shard);
    if (!partitions) return;
    try {
      await shard.client.ssubscribe(...this.#channelsOfNode(partitions[0]));
      // Rooms that are wanted while these are made are made by `subscribe` itself.
      shard.subscribed = true;
      // All at once: one after another, many rooms would stay deaf for as many round trips.
      const channels = [...this.#channelsIn(new Set(partitions))];
      await Promise.all(channels.map((some) => shard.client.ssubscribe(...some)));
      this.#listener?.onInterrupted();
      this.#noticed();
    } catch (error) {
      this.#onError(error as Error);
      this.#shards.failed(shard, error);
      shard.client.disconnect(true);
    }
  }

  /** The first partition of a server stands for it; what is common to all nodes is in the first one of all. */
  #channelsOfNode(partition: number): string[] {
    const canary = this.#names.canary(this.#node, partition);
    return partition === COMMON_PARTITION ? [canary, this.#names.notices, this.#names.readMarks] : [canary];
  }

  /** One call may name channels of one hash tag only. */
  #channelsIn(partitions: ReadonlySet<number>): Iterable<string[]> {
    const channels = new Map<number, string[]>();
    for (const room of this.#wanted) {
      const partition = partitionOf(room);
      if (!partitions.has(partition)) continue;
      channels.set(partition, [...(channels.get(partition) ?? []), this.#names.channel(room)]);
    }
    return channels.values();
  }

  async #ask(shard: Shard, command: (client: Redis) => Promise<unknown>): Promise<void> {
    try {
      await command(shard.client);
    } catch (cause) {
      this.#shards.failed(shard, cause);
      throw new ChatError("unavailable", "The feed does not answer.", { cause, retryAfterMs: 500 });
    }
  }
}
