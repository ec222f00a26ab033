/**
 * Connections of one kind, one to each server that holds partitions: made when a server comes into the map, ended when it leaves.
 *
 * `Shard` is what the user keeps beside a connection; it goes with it, so nothing that was known of one server is taken for another.
 */
import type { Redis } from "ioredis";
import { PARTITIONS } from "../core/room-stream.ts";
import { ChatError } from "../lib/errors.ts";
import { whenReady, type RedisTarget } from "./redis-connection.ts";
import type { RedisServers } from "./redis-servers.ts";

export interface ShardsOptions<Shard> {
  readonly servers: RedisServers;
  readonly open: (target: RedisTarget) => Shard;
  /** Told after partitions have come to other servers, with the connections already there. */
  readonly onMoved?: (partitions: readonly number[]) => void;
  /** Those that are used; all unless given. */
  readonly partitions?: readonly number[];
}

const CONNECT_TIMEOUT_MS = 5_000;
const ALL: readonly number[] = Array.from({ length: PARTITIONS }, (_, partition) => partition);

export class RedisShards<Shard extends { readonly client: Redis }> {
  readonly #options: ShardsOptions<Shard>;
  readonly #partitions: readonly number[];
  readonly #shards = new Map<string, Shard>();
  readonly #unwatch: () => void;

  constructor(options: ShardsOptions<Shard>) {
    this.#options = options;
    this.#partitions = options.partitions ?? ALL;
    this.#unwatch = options.servers.watch((moved) => {
      this.#follow();
      options.onMoved?.(moved);
    });
    this.#follow();
  }

  /** The shard that holds a partition, where one does. */
  at(partition: number): Shard | undefined {
    return this.#shards.get(this.#options.servers.of(partition)?.url ?? "");
  }

  /** As `at`; throws `unavailable` where there is none. */
  of(partition: number): Shard {
    const shard = this.at(partition);
    if (shard) return shard;
    throw new ChatError("unavailable", "No server of Redis holds this now.", { retryAfterMs: 500 });
  }

  /** Every shard with the partitions that it holds, in their order: at least one. */
  all(): ReadonlyMap<Shard, readonly [number, ...number[]]> {
    const shards = new Map<Shard, [number, ...number[]]>();
    for (const partition of this.#partitions) {
      const shard = this.at(partition);
      const held = shard && shards.get(shard);
      if (held) held.push(partition);
      else if (shard) shards.set(shard, [partition]);
    }
    return shards;
  }

  /** Reads in a failure whether the map may be old, and whether the connection is half open. */
  failed({ client }: Shard, error: unknown): void {
    if (!(error instanceof Error)) return;
    if (/^(MOVED|CLUSTERDOWN) /.test(error.message)) this.#options.servers.suspect();
    // A connection that lets a command time out may be half open, and then every later one would wait as well.
    if (error.message === "Command timed out") client.disconnect(true);
  }

  /** Resolves when all connections take commands; rejects with `unavailable` when they do not within five seconds. */
  async ready(): Promise<void> {
    await Promise.all([...this.#shards.values()].map(({ client }) => whenReady(client, CONNECT_TIMEOUT_MS)));
  }

  close(): void {
    this.#unwatch();
    const shards = [...this.#shards.values()];
    this.#shards.clear();
    for (const { client } of shards) client.disconnect();
  }

  #follow(): void {
    const targets = this.#partitions.map((partition) => this.#options.servers.of(partition));
    const wanted = new Map(targets.flatMap((target) => (target ? [[target.url, target]] : [])));
    for (const [url, { client }] of this.#shards) {
      if (wanted.has(url)) continue;
      this.#shards.delete(url);
      client.disconnect();
    }
    for (const target of wanted.values()) if (!this.#shards.has(target.url)) this.#open(target);
  }

  #open(target: RedisTarget): void {
    const shard = this.#options.open(target);
    this.#shards.set(target.url, shard);
    shard.client.on("close", () => {
      if (this.#shards.get(target.url) === shard) this.#options.servers.suspect();
    });
  }
}
