/** What must hold of Redis or Valkey before a process uses it. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { CheckFault, examination, type Check, type Examine } from "../core/preflight.ts";
import type { Runtime } from "../core/runtime.ts";
import { CLOCK_MARGIN_MS } from "../core/settlement.ts";
import { connectionFault } from "./connection-fault.ts";
import { connectRedis, type RedisTarget } from "./redis-connection.ts";
import { redisNames } from "./redis-names.ts";

export interface RedisPreflightOptions extends RedisTarget {
  readonly stage: string;
  readonly cluster: boolean;
  readonly runtime: Runtime;
}

interface Session {
  readonly client: Redis;
  readonly options: RedisPreflightOptions;
}

const VERSION_LEAST = 7;
/** Longer than in traffic: a start can wait, and many may start at once. */
const CONNECT_MS_MAX = 5_000;
const CLOCK_TRIES = 3;

const CHECKS: readonly Check<Session>[] = [
  { name: "version", isBrief: true, run: checkVersion },
  { name: "role", isBrief: true, run: checkRole },
  { name: "eviction", isBrief: true, run: checkEviction },
  { name: "clock", isBrief: true, run: checkClock },
  { name: "rights", isBrief: true, run: checkRights },
];

export function examineRedis(options: RedisPreflightOptions): Examine {
  return examination<Session>({
    engine: "redis",
    checks: CHECKS,
    connect: async () => ({ client: await connect(options), options }),
    close: ({ client }) => client.disconnect(),
    explain: (error) => explain(error, options),
  });
}

/** One attempt, and the reason where it fails: the client itself says only that the connection is closed. */
async function connect(options: RedisPreflightOptions): Promise<Redis> {
  const client = connectRedis(options, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS_MAX,
    retryStrategy: () => null,
  });
  let reason: Error | undefined;
  client.on("error", (error: Error) => (reason = error));
  try {
    await client.connect();
    await client.ping();
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  }
}

async function checkVersion({ client }: Session): Promise<string> {
  const info = await client.info("server");
  const valkey = field(info, "valkey_version");
  const version = valkey ?? field(info, "redis_version") ?? "unknown";
  if (Number.parseInt(version, 10) >= VERSION_LEAST) return `${valkey ? "Valkey" : "Redis"} ${version}`;
  throw new CheckFault(
    `The server is version ${version}.`,
    `use Redis ${VERSION_LEAST} or Valkey 8, or a later one.`,
  );
}

/** Writes need a primary, and a cluster would need another client. */
async function checkRole({ client, options }: Session): Promise<string> {
  if (field(await client.info("replication"), "role") !== "master")
    throw new CheckFault("The server is a replica.", "name the primary in REDIS_URL.");
  if (options.cluster)
    throw new CheckFault(
      "REDIS_CLUSTER is true, and clusters are not supported yet.",
      "name a standalone server, and leave REDIS_CLUSTER out.",
    );
  if (field(await client.info("cluster"), "cluster_enabled") !== "1") return "a primary on its own";
  throw new CheckFault(
    "The server is part of a cluster, and those are not supported yet.",
    "name a standalone server in REDIS_URL.",
  );
}

/** Any other policy removes streams, fences and ids when memory is short: what was sent would be lost without a word. */
async function checkEviction({ client }: Session): Promise<string> {
  const policy = field(await client.info("memory"), "maxmemory_policy") ?? "unknown";
  if (policy === "noeviction") return policy;
  throw new CheckFault(
    `maxmemory-policy is ${policy}: short of memory, the server throws away messages.`,
    "set maxmemory-policy to noeviction in the server's settings.",
  );
}

/** The best of some tries: half of the round trip is what can't be known. */
async function checkClock({ client, options: { runtime } }: Session): Promise<string> {
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
async function checkRights({ client, options: { stage } }: Session): Promise<string> {
  const key = `${redisNames(stage).canary(randomUUID())}:doctor`;
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
  [/^NOPERM|unknown command/i, () => "let this user run the command."],
];

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
}
