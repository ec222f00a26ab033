/** What Redis and PostgreSQL were asked between two moments, by their own statistics; everybody's questions are in it. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";

export interface Counted {
  readonly redisCommands: number;
  readonly postgresTransactions: number;
}

export interface Counters {
  /** What was counted since the opening. */
  end(): Promise<Counted>;
}

/** PostgreSQL's processes report once a second at most. */
const REPORTED_AFTER_MS = 1_500;

export async function openCounters(urls: { redisUrl: string; databaseUrl: string }): Promise<Counters> {
  const redis = new Redis(urls.redisUrl);
  const client = new pg.Client({ connectionString: urls.databaseUrl });
  await client.connect();
  const read = async (): Promise<Counted> => ({
    redisCommands: callsIn(await redis.info("commandstats")),
    postgresTransactions: await transactions(client),
  });
  const before = await read();
  return {
    end: async () => {
      await sleep(REPORTED_AFTER_MS);
      const after = await read();
      await Promise.all([redis.quit(), client.end()]);
      return {
        redisCommands: after.redisCommands - before.redisCommands,
        postgresTransactions: after.postgresTransactions - before.postgresTransactions,
      };
    },
  };
}

function callsIn(info: string): number {
  return [...info.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function transactions(client: pg.Client): Promise<number> {
  const sql =
    "SELECT (xact_commit + xact_rollback)::int AS count FROM pg_stat_database WHERE datname = current_database()";
  const { rows } = await client.query<{ count: number }>(sql);
  return rows[0]?.count ?? 0;
}
