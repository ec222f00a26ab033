/** What must hold of Redis or Valkey before a process uses it. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { CheckFault, examination, type Check, type Examine } from "../core/preflight.ts";
import type { Runtime } from "../core/runtime.ts";
import { CLOCK_MARGIN_MS } from "../core/settlement.ts";
import { connectionFault } from "./connection-fault.ts";
import { ownersIn, readCluster, type ClusterView } from "./redis-cluster.ts";
import { connectOnce, type RedisTarget } from "./redis-connection.ts";
import { redisNames } from "./redis-names.ts";
import { SLOTS } from "./redis-slots.ts";

export interface RedisPreflightOptions extends RedisTarget {
  readonly stage: string;
  readonly cluster: boolean;
  readonly runtime: Runtime;
}

/** A server that holds partitions, and the first of them. */
interface Primary {
  readonly address: string;
  readonly client: Redis;
  readonly partition: number;
}

interface Session {
  readonly options: RedisPreflightOptions;
  /** All that hold partitions; on a cluster that is not meant, or is none, the one that the settings name. */
  readonly primaries: readonly Primary[];
  readonly isCluster: boolean;
  /** Present on a cluster that is meant. */
  readonly view?: ClusterView;
}

const VERSION_LEAST = 7;
/** Longer than in traffic: a start can wait, and many may start at once. */
const CONNECT_MS_MAX = 5_000;
const CLOCK_TRIES = 3;

const CHECKS: readonly Check<Session>[] = [
  { name: "version", isBrief: true, run: onEach(checkVersion) },
  { name: "role", isBrief: true, run: checkRole },
  { name: "eviction", isBrief: true, run: onEach(checkEviction) },
  { name: "clock", isBrief: true, run: onEach(checkClock) },
  { name: "rights", isBrief: true, run: onEach(checkRights) },
];

export function examineRedis(options: RedisPreflightOptions): Examine {
  return examination<Session>({
    engine: "redis",
    checks: CHECKS,
    connect: () => connect(options),
    close: ({ primaries }) => primaries.forEach(({ client }) => client.disconnect()),
    explain: (error) => explain(error, options),
  });
}

async function connect(options: RedisPreflightOptions): Promise<Session> {
  const named = await connectPrimary(options, options, 0);
  const isCluster = field(await named.client.info("cluster"), "cluster_enabled") === "1";
  if (!isCluster || !options.cluster) return { options, primaries: [named], isCluster };
  named.client.disconnect();
  const view = await readCluster(options, CONNECT_MS_MAX);
  const firsts = new Map<string, [RedisTarget, number]>();
  ownersIn(view).forEach((owner, partition) => {
    if (owner && !firsts.has(owner.url)) firsts.set(owner.url, [owner, partition]);
  });
  const connecting = [...firsts.values()].map(([owner, first]) => connectPrimary(owner, options, first));
  return { options, primaries: await all(connecting), isCluster, view };
}

async function connectPrimary(
  target: RedisTarget,
  options: RedisPreflightOptions,
  partition: number,
): Promise<Primary> {
  const address = new URL(target.url).host;
  try {
    return { address, client: await connectOnce(target, CONNECT_MS_MAX), partition };
  } catch (error) {
    throw target === options ? error : at([address], explain(error, options));
  }
}

/** Where one can't be had the others are ended. */
async function all(connecting: readonly Promise<Primary>[]): Promise<readonly Primary[]> {
  const settled = await Promise.allSettled(connecting);
  const failed = settled.find((one) => one.status === "rejected");
  const primaries = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (!failed) return primaries;
  for (const { client } of primaries) client.disconnect();
  throw failed.reason;
}

/** The same check of every primary. A fault names those that have it, where there are several to choose from. */
function onEach(check: (primary: Primary, options: RedisPreflightOptions) => Promise<string>) {
  return async ({ primaries, options, view }: Session): Promise<string> => {
    const settled = await Promise.allSettled(primaries.map((primary) => check(primary, options)));
    const failed = settled.find((one) => one.status === "rejected");
    if (failed) {
      const addresses = primaries.flatMap(({ address }, n) =>
        settled[n]?.status === "rejected" ? [address] : [],
      );
      throw view ? at(addresses, explain(failed.reason, options)) : failed.reason;
    }
    return [...new Set(settled.map((one) => (one.status === "fulfilled" ? one.value : "")))].join(", ");
  };
}

function at(addresses: readonly string[], fault: CheckFault): CheckFault {
  return new CheckFault(`At ${addresses.join(", ")}: ${fault.message}`, fault.cure, { cause: fault });
}

async function checkVersion({ client }: Primary): Promise<string> {
  const info = await client.info("server");
  const valkey = field(info, "valkey_version");
  const version = valkey ?? field(info, "redis_version") ?? "unknown";
  if (Number.parseInt(version, 10) >= VERSION_LEAST) return `${valkey ? "Valkey" : "Redis"} ${version}`;
  throw new CheckFault(
    `The server is version ${version}.`,
    `use Redis ${VERSION_LEAST} or Valkey 8, or a later one.`,
  );
}

/** Writes need a primary; a cluster needs other connections, and all of its slots. */
async function checkRole({ primaries, options, isCluster, view }: Session): Promise<string> {
  if (isCluster && !options.cluster)
    throw new CheckFault(
      "The server is part of a cluster.",
      "set REDIS_CLUSTER=true, or name another server.",
    );
  if (view) return checkCluster(view, primaries.length);
  if (options.cluster)
    throw new CheckFault(
      "REDIS_CLUSTER is true, and the server is part of no cluster.",
      "leave REDIS_CLUSTER out, or name a server of the cluster in REDIS_URL.",
    );
  const [named] = primaries;
  if (named && field(await named.client.info("replication"), "role") === "master")
    return "a primary on its own";
  throw new CheckFault("The server is a replica.", "name the primary in REDIS_URL.");
}

function checkCluster({ state, ranges }: ClusterView, primaries: number): string {
  const served = ranges.reduce((total, { first, last }) => total + last - first + 1, 0);
  if (served < SLOTS)
    throw new CheckFault(
      `Nobody serves ${SLOTS - served} of the cluster's ${SLOTS} slots.`,
      "bring back the server that had them, or let redis-cli --cluster fix give them to another.",
    );
  if (state !== "ok")
    throw new CheckFault(
      `The cluster's state is ${state}.`,
      "see in CLUSTER NODES which servers are down, and bring them back.",
    );
  return `${primaries} primaries of a cluster that serves every slot`;
}

/** Any other policy removes streams, fences and ids when memory is short: what was sent would be lost without a word. */
async function checkEviction({ client }: Primary): Promise<string> {
  const policy = field(await client.info("memory"), "maxmemory_policy") ?? "unknown";
  if (policy === "noeviction") return policy;
  throw new CheckFault(
    `maxmemory-policy is ${policy}: short of memory, the server throws away messages.`,
    "set maxmemory-policy to noeviction in the server's settings.",
  );
}

/** The best of some tries: half of the round trip is what can't be known. */
async function checkClock({ client }: Primary, { runtime }: RedisPreflightOptions): Promise<string> {
  let least = Infinity;
  for (let tries = 0; tries < CLOCK_TRIES; tries++) {
    const before = runtime.now();
    const [seconds, micros] = await client.time();
    const after = runtime.now();
    const apart = Math.abs(Number(seconds) * 1000 + Number(micros) / 1000 - (before + after) / 2);
    least = Math.min(least, Math.max(0, apart - (after - before) / 2));
  }
  const apartMs = Math.round(least);
  if (apartMs <= CLOCK_MARGIN_MS / 2) return `${apartMs} ms apart`;
  throw new CheckFault(
    `The clocks of this machine and of Redis are ${apartMs} ms apart; ${CLOCK_MARGIN_MS / 2} are allowed.`,
    "let both keep time by NTP.",
  );
}

/** Every command that the adapters and their scripts use, on names of this stage that nothing else has. */
async function checkRights(
  { client, partition }: Primary,
  { stage }: RedisPreflightOptions,
): Promise<string> {
  const key = `${redisNames(stage).canary(randomUUID(), partition)}:doctor`;
  const commands: readonly (readonly [string, ...(string | number)[]])[] = [
    ["EVAL", "return 1", 0],
    ["TIME"],
    ["HSET", key, "a", "1"],
    ["HGET", key, "a"],
    ["HMGET", key, "a"],
    ["DEL", key],
    ["SET", key, "1", "PX", 1000],
    ["GET", key],
    ["DEL", key],
    ["ZADD", key, 1, "a"],
    ["ZSCORE", key, "a"],
    ["ZRANGE", key, 0, -1],
    ["ZREM", key, "a"],
    ["XADD", key, "*", "a", "1"],
    ["XLEN", key],
    ["XRANGE", key, "-", "+"],
    ["XREVRANGE", key, "+", "-"],
    ["XTRIM", key, "MAXLEN", 0],
    ["DEL", key],
    ["SPUBLISH", key, "1"],
    ["SSUBSCRIBE", key],
    ["SUNSUBSCRIBE", key],
  ];
  for (const [command, ...args] of commands) await client.call(command, args);
  return `${new Set(commands.map(([command]) => command)).size} commands on names of stage ${stage}`;
}

function explain(error: unknown, options: RedisPreflightOptions): CheckFault {
  if (error instanceof CheckFault) return error;
  const text = error instanceof Error ? error.message : String(error);
  const refused = REFUSALS.find(([pattern]) => pattern.test(text));
  if (refused) return new CheckFault(`${text.trim()}.`, refused[1](options), { cause: error });
  const words = {
    engine: "Redis",
    address: "REDIS_URL",
    ca: "REDIS_CA",
    isTls: options.url.startsWith("rediss:"),
    tls: "begin REDIS_URL with rediss:// or valkeys://",
  };
  return (
    connectionFault(error, words) ??
    new CheckFault(`${text}.`, "look at the server's log, and at what this user may do.", { cause: error })
  );
}

const REFUSALS: readonly (readonly [RegExp, (options: RedisPreflightOptions) => string])[] = [
  [/^WRONGPASS|invalid password/i, () => "give user and password in REDIS_URL as the server has them."],
  [/^NOAUTH/, () => "put user and password into REDIS_URL."],
  [
    /^NOPERM.*(key|channel)/i,
    ({ stage }) =>
      `give the user ~skat:${stage}:* and &skat:${stage}:*, or set STAGE to the stage that these credentials are for.`,
  ],
  [/^MOVED/, () => "set REDIS_CLUSTER=true."],
  [/^NOPERM|unknown command/i, () => "let this user run the command."],
];

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
}
