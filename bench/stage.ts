/** A deployment's place on the engines without its processes: tables of its own, its log's topics, and a look at its rows. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { ensureTopics } from "../functions/adapters/kafka-topics.ts";
import { migrate } from "../functions/adapters/migrations.ts";
import {
  connectionOf,
  withMigrationSession,
  type PostgresOptions,
} from "../functions/adapters/postgres-client.ts";
import type { KafkaConfig } from "../functions/adapters/kafka-client.ts";
import { loadConfig, type RedisConfig } from "../functions/config.ts";
import { topicsOptions } from "../functions/engines.ts";
import { silentLogger } from "../functions/lib/logger.ts";
import type { Env } from "../functions/test/harness.ts";
import type { BenchEngines } from "./engines.ts";
import { stageEnv } from "./systems.ts";

export interface Seen {
  readonly stored: number;
  /** From the first rows that were seen to the last. */
  readonly usPerRow: number;
}

export interface Stage {
  readonly env: Env;
  readonly name: string;
  readonly redis: RedisConfig;
  readonly kafka: KafkaConfig;
  readonly database: PostgresOptions;
  /** In the stage's schema. */
  readonly client: pg.Client;
  countRows(): Promise<number>;
  /** Until so many are there, or none has come for a while. */
  awaitRows(count: number): Promise<Seen>;
  /** Drops the tables. */
  end(): Promise<void>;
}

const PATIENCE_MS = 60_000;
const LOOK_MS = { least: 10, most: 1_000 };

export async function openStage(engines: BenchEngines): Promise<Stage> {
  const env = stageEnv(engines);
  const { stage, redis, kafka, database } = loadConfig(env, "consumer");
  if (!redis || !kafka || !database) throw new Error("the bench runs on engines of their own");
  await ensureTopics(topicsOptions(kafka, silentLogger));
  await withMigrationSession(database, (session) => migrate(session));
  const client = new pg.Client(connectionOf(database));
  await client.connect();
  const countRows = async () => {
    const { rows } = await client.query<{ count: number }>("SELECT count(*)::int AS count FROM events");
    return rows[0]?.count ?? 0;
  };
  return {
    env,
    name: stage,
    redis,
    kafka,
    database,
    client,
    countRows,
    awaitRows: (count) => awaitRows(countRows, count),
    end: async () => {
      await client.query(`DROP SCHEMA ${pg.escapeIdentifier(database.schema)} CASCADE`);
      await client.end();
    },
  };
}

/** Counting costs the server time, so it looks again when half of what is left should be there. */
async function awaitRows(countRows: () => Promise<number>, count: number): Promise<Seen> {
  let first: { atMs: number; rows: number } | undefined;
  let [rows, changedMs] = [0, performance.now()];
  for (;;) {
    const seen = await countRows();
    const nowMs = performance.now();
    if (seen > rows) [rows, changedMs] = [seen, nowMs];
    if (seen > 0) first ??= { atMs: nowMs, rows: seen };
    const msPerRow = first ? (nowMs - first.atMs) / (seen - first.rows) : 0;
    if (rows >= count || nowMs - changedMs > PATIENCE_MS) return { stored: rows, usPerRow: msPerRow * 1000 };
    const leftMs = Number.isFinite(msPerRow) ? ((count - rows) * msPerRow) / 2 : LOOK_MS.least;
    await sleep(Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, leftMs)));
  }
}
