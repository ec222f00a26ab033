/** A stage in Redis: all keys and channels that begin with its name, and a user who reaches no others. */
import type { Redis } from "ioredis";
import { userOf, type StageKeeper } from "../core/stages.ts";
import { connectRedis, whenReady, type RedisTarget } from "./redis-connection.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const SCAN_COUNT = 1_000;

/** What Skat needs, without what tells or changes anything beyond the stage's own names. */
export const RIGHTS = [
  ..."+@read +@write +@pubsub +@scripting +@connection +@transaction -@dangerous -@admin".split(" "),
  ..."-scan -randomkey -dbsize -pubsub -function -script +script|load +info +time".split(" "),
  ..."+cluster|slots +cluster|shards +cluster|nodes".split(" "),
];

export function keepRedisStage(target: RedisTarget, stage: string): StageKeeper {
  const client = connectRedis(target);
  client.on("error", () => {}); // what is asked next tells
  const ready = whenReady(client, CONNECT_TIMEOUT_MS);
  ready.catch(() => {}); // the first to use it tells
  const user = userOf(stage);
  const names = `skat:${stage}:*`;
  return {
    engine: "redis",
    async create(password) {
      await ready;
      if (password === undefined) return `names ${names}`;
      const rights = ["reset", "on", `>${password}`, `~${names}`, `&${names}`, ...RIGHTS];
      const isMade = await allowed(client.call("ACL", "SETUSER", user, ...rights));
      if (!isMade)
        return `names ${names}; no user: the server denies ACL, make ${user} with ~${names} &${names} where its users are kept`;
      return `names ${names}, user ${user}${await saveUsers(client)}`;
    },
    async remove() {
      await ready;
      if (await allowed(client.call("ACL", "DELUSER", user))) await saveUsers(client);
      let count = 0;
      for await (const keys of keysLike(client, names)) count += await client.unlink(...keys);
      return `${count} keys ${names}, user ${user}`;
    },
    async list() {
      await ready;
      const stages = new Set<string>();
      for await (const keys of keysLike(client, "skat:*"))
        for (const key of keys) stages.add(key.split(":", 2)[1] ?? "");
      const users: string[] = [];
      await allowed(client.call("ACL", "USERS").then((all) => users.push(...(all as string[]))));
      for (const each of users) if (each.startsWith(userOf(""))) stages.add(each.slice(userOf("").length));
      return [...stages];
    },
    close: async () => client.disconnect(),
  };
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

/** Users live in the server's memory unless it has a file for them. */
async function saveUsers(client: Redis): Promise<string> {
  try {
    await client.call("ACL", "SAVE");
    return "";
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("not configured to use an ACL file"))) throw error;
    return " (until the server restarts: it has no `aclfile`)";
  }
}

async function* keysLike(client: Redis, pattern: string): AsyncGenerator<string[]> {
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
    cursor = next;
    if (keys.length > 0) yield keys;
  } while (cursor !== "0");
}
