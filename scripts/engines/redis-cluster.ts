/** Starts a real Redis or Valkey Cluster: three primaries that share the slots evenly, and replicas of them. */
import type { Engine } from "./engine.ts";
import { freePort, until } from "./ports.ts";
import { command, startRedis, type RedisEngine, type RedisOptions } from "./redis.ts";

export interface RedisClusterOptions extends Pick<RedisOptions, "detached" | "tls"> {
  /** Of each primary; one unless given. */
  replicas?: number;
  /** From when a member that is silent counts as failed. */
  nodeTimeoutMs?: number;
}

export interface RedisCluster extends Pick<Engine, "how" | "port" | "url" | "env"> {
  /** The primaries as they were made, then the replicas. */
  readonly members: readonly RedisEngine[];
  /** Resolves when every member that runs finds the cluster in order, and every replica has what its primary has. */
  settled(): Promise<void>;
  dispose(): Promise<void>;
}

interface Member {
  readonly engine: RedisEngine;
  readonly busPort: number;
}

const PRIMARIES = 3;
const SLOTS = 16_384;
const SETTLE_MS_MAX = 30_000;

/** Rejects when this machine has no Redis or the cluster does not come about. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { replicas = 1, nodeTimeoutMs = 2_000, ...each } = options;
  const start = async (): Promise<Member> => {
    const busPort = await freePort();
    return { busPort, engine: await startRedis({ ...each, cluster: { busPort, nodeTimeoutMs } }) };
  };
  const all = await Promise.all(Array.from({ length: PRIMARIES * (1 + replicas) }, start));
  const members = all.map(({ engine }) => engine);
  const dispose = async () => void (await Promise.all(members.map((member) => member.dispose())));
  const settled = () => wait(async () => (await Promise.all(members.map(isSettled))).every(Boolean));
  try {
    await form(all);
    await settled();
  } catch (error) {
    await dispose();
    throw error;
  }
  const { port, url, how, env } = members[0] as RedisEngine;
  const size = `cluster of ${PRIMARIES} primaries and ${PRIMARIES * replicas} replicas`;
  return {
    how: `${how}, ${size}`,
    port,
    url,
    env: { ...env, REDIS_CLUSTER: "true" },
    members,
    settled,
    dispose,
  };
}

async function form(all: readonly Member[]): Promise<void> {
  const primaries = all.slice(0, PRIMARIES);
  for (const [index, { engine }] of primaries.entries()) {
    const [first, end] = [index, index + 1].map((share) => Math.floor((share * SLOTS) / PRIMARIES));
    await command(engine.port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    await command(engine.port, `CLUSTER ADDSLOTSRANGE ${first} ${Number(end) - 1}`);
  }
  const [{ engine: inviting }, ...others] = all as [Member, ...Member[]];
  for (const { engine, busPort } of others)
    await command(inviting.port, `CLUSTER MEET 127.0.0.1 ${engine.tlsPort || engine.port} ${busPort}`);
  await wait(() => everyKnows(all));
  for (const [index, { engine }] of all.slice(PRIMARIES).entries()) {
    const id = await command((primaries[index % PRIMARIES] as Member).engine.port, "CLUSTER MYID");
    await command(engine.port, `CLUSTER REPLICATE ${id.split("\r\n")[1]}`);
  }
}

async function everyKnows(all: readonly Member[]): Promise<boolean> {
  const infos = await Promise.all(all.map(({ engine }) => command(engine.port, "CLUSTER INFO")));
  return infos.every((info) => info.includes(`cluster_known_nodes:${all.length}\r\n`));
}

async function isSettled(member: RedisEngine): Promise<boolean> {
  if (!member.running) return true;
  const [cluster, replication] = await Promise.all(
    ["CLUSTER INFO", "INFO replication"].map((text) => command(member.port, text).catch(() => "")),
  );
  const isWhole = /role:master|master_link_status:up/.test(replication ?? "");
  return isWhole && /cluster_state:ok/.test(cluster ?? "");
}

async function wait(condition: () => Promise<boolean>): Promise<void> {
  if (await until(condition, SETTLE_MS_MAX)) return;
  throw new Error(`The cluster was not in order within ${SETTLE_MS_MAX / 1000} s.`);
}
