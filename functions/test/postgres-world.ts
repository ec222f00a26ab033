/** Schemas on a real PostgreSQL for tests: each a stage of its own, dropped at the end. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import type { Database } from "../adapters/database.ts";
import { migrate } from "../adapters/migrations.ts";
import { openPostgres, withMigrationSession, type PostgresOptions } from "../adapters/postgres-client.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";

export interface PostgresWorld {
  /** Options for a schema that is there only after `open` or a migration. */
  options(more?: Partial<PostgresOptions>): PostgresOptions;
  /** A store on a migrated schema: its own, unless one is given. */
  openStore(options?: PostgresOptions): Promise<PrismaStore>;
  /** The same, without a store on it. */
  openDatabase(options?: PostgresOptions): Promise<Database>;
  /** Asks the database beside all stores. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Closes the stores and drops the schemas. */
  close(): Promise<void>;
}

export async function createPostgresWorld(url: string): Promise<PostgresWorld> {
  const schemas: string[] = [];
  const databases: Database[] = [];
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on("error", () => {}); // tests stop the server
  const options = (more: Partial<PostgresOptions> = {}): PostgresOptions => {
    const schema = more.schema ?? `test_${randomUUID().replaceAll("-", "")}`;
    schemas.push(schema);
    return { url, poolMax: 5, statementTimeoutMs: 10_000, ...more, schema };
  };
  const openDatabase = async (given = options()): Promise<Database> => {
    await withMigrationSession(given, (session) => migrate(session));
    const database = openPostgres(given);
    databases.push(database);
    return database;
  };
  return {
    options,
    openDatabase,
    openStore: async (given) => new PrismaStore(await openDatabase(given)),
    query: async (sql, values = []) => (await pool.query(sql, [...values])).rows,
    close: async () => {
      await Promise.all(databases.map((database) => database.close()));
      for (const schema of new Set(schemas)) {
        await pool.query(`DROP SCHEMA IF EXISTS ${pg.escapeIdentifier(schema)} CASCADE`);
      }
      await pool.end();
    },
  };
}
