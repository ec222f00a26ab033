/**
 * What Redis and PostgreSQL were asked between two moments, by their own statistics. Everybody's questions are in it, so what is
 * asked while nothing happens is measured first and taken off by time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";

export interface Counted {
  readonly redisCommands: number;
  readonly postgresTransactions: number;
}

export interface Counters {
  /** What was counted since the opening, which takes some seconds. */
  end(): Promise<Counted>;
}

/** PostgreSQL's processes report once a second at most. */
const REPORTED_AFTER_MS = 1_500;
const QUIET_MS = 4_000;

export async function openCounters(urls: { redisUrl: string; databaseUrl: string }): Promise<Counters> {
  const redis = new Redis(urls.redisUrl);
  const client = new pg.Client({ connectionString: urls.databaseUrl });
  await client.connect();
  const read = async (): Promise<Counted> => ({
    redisCommands: callsIn(await redis.info("commandstats")),
    postgresTransactions: await transactions(client),
  });
  const start = { atMs: performance.now(), seen: await read() };
  await sleep(QUIET_MS);
  const quiet = { atMs: performance.now(), seen: await read() };
  return {
    end: async () => {
      await sleep(REPORTED_AFTER_MS);
      const seen = await read();
      const share = (performance.now() - quiet.atMs) / (quiet.atMs - start.atMs);
      await Promise.all([redis.quit(), client.end()]);
      const asked = (kind: keyof Counted) =>
        seen[kind] - quiet.seen[kind] - (quiet.seen[kind] - start.seen[kind]) * share;
      return { redisCommands: asked("redisCommands"), postgresTransactions: asked("postgresTransactions") };
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
