/**
 * Which server holds which partition: one on its own holds all of them, the primaries of a cluster those whose slots they have.
 *
 * A client of a cluster usually hides this, and sends again by itself what was refused or lost. Here nothing may be sent to a
 * server whose fences nobody has found, so each primary gets plain connections (`RedisShards`), and this is only the map.
 */
import type { RedisTarget } from "./redis-connection.ts";

export interface RedisServers {
  /** Where the partition is; undefined while no server is known to hold it. The same server has always the same URL. */
  of(partition: number): RedisTarget | undefined;
  /** Told which partitions have come to another server, until the answer is called. */
  watch(listener: (moved: readonly number[]) => void): () => void;
  /** Something was refused or lost, so the map may be old. */
  suspect(): void;
}

export function oneServer({ url, ca }: RedisTarget): RedisServers {
  const target: RedisTarget = { url, ...(ca === undefined ? {} : { ca }) };
  return { of: () => target, watch: () => () => {}, suspect: () => {} };
}
