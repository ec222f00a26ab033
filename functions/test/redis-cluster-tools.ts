/** What tests do to a cluster: find who holds a room, move its slot, and let a replica take over. */
import type { RedisCluster } from "../../scripts/engines/redis-cluster.ts";
import { until } from "../../scripts/engines/ports.ts";
import type { RedisEngine } from "../../scripts/engines/redis.ts";
import { openCluster } from "../adapters/redis-cluster.ts";
import { SLOT_OF } from "../adapters/redis-slots.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { partitionOf } from "../core/room-stream.ts";
import { tell } from "./redis-world.ts";
import { waitFor } from "./wait-for.ts";

const BATCH = 100;
const MIGRATE_MS_MAX = 5_000;

/** A map of the cluster as a process reads it, from any member that answers. */
export function serversOf(cluster: RedisCluster) {
  const { url } = cluster.members.find(({ running }) => running) ?? cluster;
  return openCluster({ url, runtime, onError: () => undefined });
}

export function slotOf(room: string): number {
  return SLOT_OF[partitionOf(room)] ?? -1;
}

/** Who holds a room now, and who does not. */
export async function holderOf(cluster: RedisCluster, room: string) {
  const target = (await serversOf(cluster)).of(partitionOf(room));
  const holder = cluster.members.find(({ url }) => url === target?.url);
  if (!holder) throw new Error(`nobody holds ${room}`);
  return holder;
}

/** A room that this primary holds. */
export async function roomOn(cluster: RedisCluster, primary: RedisEngine): Promise<string> {
  const servers = await serversOf(cluster);
  for (let count = 0; ; count++)
    if (servers.of(partitionOf(`room-${count}`))?.url === primary.url) return `room-${count}`;
}

export interface Move {
  /** Keys that are still where they were. */
  left(): Promise<string[]>;
  /** Takes those along that are named. */
  take(keys: readonly string[]): Promise<void>;
  /** The slot is the other's; whatever was not taken along is gone. */
  finish(): Promise<void>;
}

/** As `redis-cli --cluster reshard` does it, step by step. */
export async function beginMove(
  cluster: RedisCluster,
  slot: number,
  from: RedisEngine,
  to: RedisEngine,
): Promise<Move> {
  const idOf = async (engine: RedisEngine) => String(await tell(engine, "CLUSTER", "MYID"));
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  await tell(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
  await tell(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
  return {
    left: async () => (await tell(from, "CLUSTER", "GETKEYSINSLOT", slot, BATCH)) as string[],
    take: async (keys) =>
      void (await tell(from, "MIGRATE", "127.0.0.1", to.port, "", 0, MIGRATE_MS_MAX, "KEYS", ...keys)),
    finish: async () => {
      const primaries: RedisEngine[] = [];
      for (const member of cluster.members)
        if (member.running && /role:master/.test(String(await tell(member, "INFO", "replication"))))
          primaries.push(member);
      for (const one of [to, from, ...primaries.filter((one) => one !== to && one !== from)])
        await tell(one, "CLUSTER", "SETSLOT", slot, "NODE", toId);
    },
  };
}

export async function moveSlot(
  cluster: RedisCluster,
  slot: number,
  from: RedisEngine,
  to: RedisEngine,
): Promise<void> {
  const move = await beginMove(cluster, slot, from, to);
  for (let keys = await move.left(); keys.length > 0; keys = await move.left()) await move.take(keys);
  await move.finish();
}

/** The replica takes over from its primary in order, as before maintenance. One that was refused its votes gives up after five seconds. */
export async function failOver(cluster: RedisCluster, replica: RedisEngine): Promise<void> {
  const says = async (text: string) => String(await tell(replica, "INFO", "replication")).includes(text);
  await waitFor(() => says("master_link_status:up"), "the replica to be one");
  await waitFor(async () => {
    await tell(replica, "CLUSTER", "FAILOVER");
    return until(() => says("role:master"), 6_000);
  }, "the replica to take over");
  await cluster.settled();
}

/** The replica of a primary. */
export async function replicaOf(cluster: RedisCluster, primary: RedisEngine): Promise<RedisEngine> {
  for (const member of cluster.members) {
    const info = member.running ? String(await tell(member, "INFO", "replication")) : "";
    if (info.includes(`master_port:${primary.port}\r\n`)) return member;
  }
  throw new Error("no replica");
}

/** Resolves when the replica has what its primary has now: a failover then loses nothing of it. */
export async function replicated(replica: RedisEngine, primary: RedisEngine): Promise<void> {
  const offset = async (engine: RedisEngine) =>
    Number(/^master_repl_offset:(\d+)/m.exec(String(await tell(engine, "INFO", "replication")))?.[1]);
  const goal = await offset(primary);
  await waitFor(async () => (await offset(replica)) >= goal, "the replica to have it");
}
