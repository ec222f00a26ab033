/** A stage in Redis: all keys and channels that begin with its name, and a user who reaches no others. */
import type { Redis } from "ioredis";
import { userOf, type StageKeeper } from "../core/stages.ts";
import { readCluster } from "./redis-cluster.ts";
import { connectOnce, type RedisTarget } from "./redis-connection.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const SCAN_COUNT = 1_000;

/** What Skat needs, without what tells or changes anything beyond the stage's own names. */
export const RIGHTS = [
  ..."+@read +@write +@pubsub +@scripting +@connection +@transaction -@dangerous -@admin".split(" "),
  ..."-scan -randomkey -dbsize -pubsub -function -script +script|load +info +time".split(" "),
  ..."+cluster|slots +cluster|info".split(" "),
];

/** Keys are on primaries. Users are every server's own, and a replica needs them on the day on which it takes over. */
interface Servers {
  readonly primaries: readonly Redis[];
  readonly replicas: readonly Redis[];
}

export function keepRedisStage(
  target: RedisTarget & { readonly cluster: boolean },
  stage: string,
): StageKeeper {
  const connecting = connect(target);
  connecting.catch(() => {}); // the first to use it tells
  const user = userOf(stage);
  const names = `skat:${stage}:*`;
  return {
    engine: "redis",
    async create(password) {
      const servers = await connecting;
      if (password === undefined) return `names ${names}`;
      const rights = ["reset", "on", `>${password}`, `~${names}`, `&${names}`, ...RIGHTS];
      const isMade = await onAll(servers, (client) =>
        allowed(client.call("ACL", "SETUSER", user, ...rights)),
      );
      if (!isMade.every(Boolean))
        return `names ${names}; no user: the server denies ACL, make ${user} with ~${names} &${names} where its users are kept`;
      // On a cluster one sees whether a replica was left out: members don't name one that has nothing yet, or is away.
      const where = target.cluster ? ` of ${isMade.length} servers` : "";
      return `names ${names}, user ${user}${where}${await saveUsers(servers)}`;
    },
    async remove() {
      const servers = await connecting;
      const isGone = await onAll(servers, (client) => allowed(client.call("ACL", "DELUSER", user)));
      if (isGone.every(Boolean)) await saveUsers(servers);
      let count = 0;
      // One by one: keys of several slots can't go in one command.
      for (const client of servers.primaries)
        for await (const keys of keysLike(client, names))
          for (const gone of await Promise.all(keys.map((key) => client.unlink(key)))) count += gone;
      return `${count} keys ${names}, user ${user}`;
    },
    async list() {
      const { primaries } = await connecting;
      const stages = new Set<string>();
      for (const client of primaries) {
        for await (const keys of keysLike(client, "skat:*"))
          for (const key of keys) stages.add(key.split(":", 2)[1] ?? "");
        const users: string[] = [];
        await allowed(client.call("ACL", "USERS").then((all) => users.push(...(all as string[]))));
        for (const each of users) if (each.startsWith(userOf(""))) stages.add(each.slice(userOf("").length));
      }
      return [...stages];
    },
    close: async () => {
      const servers = await connecting.catch(() => undefined);
      if (servers) await onAll(servers, async (client) => client.disconnect());
    },
  };
}

async function connect(target: RedisTarget & { readonly cluster: boolean }): Promise<Servers> {
  const to = (some: readonly RedisTarget[]) => {
    const distinct = new Map(some.map((one) => [one.url, one])).values();
    return Promise.all([...distinct].map((one) => connectOnce(one, CONNECT_TIMEOUT_MS)));
  };
  if (!target.cluster) return { primaries: await to([target]), replicas: [] };
  const { ranges } = await readCluster(target, CONNECT_TIMEOUT_MS);
  const [primaries, replicas] = await Promise.all([
    to(ranges.map(({ primary }) => primary)),
    to(ranges.flatMap((range) => range.replicas)),
  ]);
  return { primaries, replicas };
}

function onAll<T>({ primaries, replicas }: Servers, task: (client: Redis) => Promise<T>): Promise<T[]> {
  return Promise.all([...primaries, ...replicas].map(task));
}

/** False where the server does not let us keep users: managed ones do it elsewhere. */
async function allowed(reply: Promise<unknown>): Promise<boolean> {
  try {
    await reply;
    return true;
  } catch (error) {
    if (error instanceof Error && /^NOPERM|unknown command|not allowed/i.test(error.message)) return false;
    throw error;
  }
}

/** Users live in a server's memory unless it has a file for them. */
async function saveUsers(servers: Servers): Promise<string> {
  const isKept = await onAll(servers, async (client) => {
    try {
      await client.call("ACL", "SAVE");
      return true;
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("not configured to use an ACL file")))
        throw error;
      return false;
    }
  });
  return isKept.every(Boolean) ? "" : " (until the server restarts: it has no `aclfile`)";
}

async function* keysLike(client: Redis, pattern: string): AsyncGenerator<string[]> {
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
    cursor = next;
    if (keys.length > 0) yield keys;
  } while (cursor !== "0");
}
