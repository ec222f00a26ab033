/**
 * Applies the migrations of a folder, and keeps the same record of it as `prisma migrate deploy`: either may follow the other.
 *
 * Prisma's own engine is a program that has to be downloaded; this needs a connection only, also one within the process.
 */
import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MigrationSession } from "./database.ts";

/** The project's own migrations. */
export const MIGRATIONS_DIR = fileURLToPath(new URL("../../prisma/migrations", import.meta.url));

const CREATE_RECORD = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

/** An earlier run broke off; what it left has to be looked at by hand. */
export class FailedMigrationError extends Error {
  override readonly name = "FailedMigrationError";

  constructor(migration: string) {
    super(
      `The migration ${migration} was begun and did not finish. Mend the database by hand, then say so with ` +
        `\`npx prisma migrate resolve --rolled-back ${migration} --config prisma/prisma.config.ts\` (or \`--applied\`).`,
    );
  }
}

/** Applies what is pending, one by one, and answers its names. Throws `FailedMigrationError`, or the database's error. */
export async function migrate(session: MigrationSession, dir: string = MIGRATIONS_DIR): Promise<string[]> {
  if (await isUpToDate(session, dir)) return [];
  await session.prepare();
  await session.exec(CREATE_RECORD);
  const names = await pendingMigrations(session, dir); // once more: the runner we waited for may have applied them
  for (const name of names) await apply(session, name, await readFile(join(dir, name, "migration.sql")));
  return names;
}

/** Whether nothing is left to do. One that is unfinished may be under way: only who has the lock can call it failed. */
async function isUpToDate(session: MigrationSession, dir: string): Promise<boolean> {
  try {
    return (await pendingMigrations(session, dir)).length === 0;
  } catch (error) {
    if (error instanceof FailedMigrationError) return false;
    throw error;
  }
}

/** The names of the migrations that the database lacks, in order. Changes nothing. Throws `FailedMigrationError`. */
export async function pendingMigrations(
  session: MigrationSession,
  dir: string = MIGRATIONS_DIR,
): Promise<string[]> {
  const applied = new Set(await appliedMigrations(session));
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.sort().filter((name) => !applied.has(name));
}

async function appliedMigrations(session: MigrationSession): Promise<string[]> {
  const [record] = await session.query<{ present: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present",
  );
  if (!record?.present) return [];
  const rows = await session.query<{ name: string; finished: boolean }>(
    `SELECT migration_name AS name, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const failed = rows.find(({ finished }) => !finished);
  if (failed) throw new FailedMigrationError(failed.name);
  return rows.map(({ name }) => name);
}

async function apply(session: MigrationSession, name: string, script: Buffer): Promise<void> {
  const id = randomUUID();
  const checksum = createHash("sha256").update(script).digest("hex");
  await session.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)", [
    id,
    checksum,
    name,
  ]);
  try {
    await session.exec(script.toString("utf8"));
  } catch (error) {
    await session.query("UPDATE _prisma_migrations SET logs = $2 WHERE id = $1", [id, String(error)]);
    throw error;
  }
  await session.query(
    "UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1",
    [id],
  );
}
