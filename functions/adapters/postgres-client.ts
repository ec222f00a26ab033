/**
 * Opens PostgreSQL: a pool for the store and single connections for migrations, each sealed in one schema.
 *
 * Every wait has an end: connecting, a statement in the server, and an answer that does not come because the server is
 * paused or the line is dead.
 */
import { Socket } from "node:net";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "../generated/prisma/client.ts";
import type { Tls } from "../lib/tls.ts";
import type { Database, MigrationSession } from "./database.ts";

export interface PostgresOptions {
  /** Without `sslmode` and `schema`, which pg would take wrongly: `readDatabaseUrl` takes them out. */
  readonly url: string;
  /** Present when the connection is encrypted; the server is then always verified. */
  readonly ssl?: Tls;
  /** The only schema that is read and written. */
  readonly schema: string;
  readonly poolMax: number;
  readonly statementTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 3000;
/** What an answer may take beyond the statement itself, before the connection is given up. */
const ANSWER_GRACE_MS = 1000;
/** Providers cut idle connections after minutes and all of them after hours; ours end before. */
const IDLE_TIMEOUT_MS = 60_000;
const LIFETIME_S = 3600;
const CLOSE_GRACE_MS = 1000;
/** The number that Prisma's own migration engine locks. */
const MIGRATION_LOCK = 72707369;
const MIGRATION_LOCK_TIMEOUT_MS = 60_000;

/** Connects when first asked; a server that is away is an error of the query, not of the opening. */
export function openPostgres(options: PostgresOptions): Database {
  const sockets = new Set<Socket>();
  const pool = new pg.Pool({
    ...connectionOf(options),
    stream: () => trackedSocket(sockets),
    max: options.poolMax,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + ANSWER_GRACE_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: LIFETIME_S,
    onConnect: (client) => checkSchema(client, options.schema),
  });
  // An idle connection that is cut must not end the process. The pool replaces it, and the query that needs it tells.
  pool.on("error", () => {});
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { schema: options.schema }) });
  let closed: Promise<void> | undefined;
  return {
    prisma,
    withSession: (work) => withMigrationSession(options, work),
    close: () => (closed ??= closePool(prisma, pool, sockets)),
  };
}

/** Runs `work` on a connection of its own, without time limits. The schema need not be there yet. */
export async function withMigrationSession<T>(
  options: PostgresOptions,
  work: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(connectionOf(options));
  client.on("error", () => {}); // the query that was under way tells
  await client.connect();
  try {
    return await work(toSession(client, options.schema));
  } finally {
    await client.end();
  }
}

export function connectionOf({ url, ssl, schema }: PostgresOptions): pg.ClientConfig {
  return {
    connectionString: url,
    ssl: ssl === undefined ? false : { ...ssl, rejectUnauthorized: true },
    // Not `public` behind it: a table that is missing here must not be found there.
    options: `-c search_path=${quoteSetting(pg.escapeIdentifier(schema))}`,
    application_name: "skat",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

/** Backslashes and blanks end a word in start-up options. */
function quoteSetting(text: string): string {
  return text.replace(/[\\\s]/g, "\\$&");
}

/** A pooler in between, or `options` in the URL, can put another schema in force; then nothing is read or written. */
async function checkSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ current: string | null }>("SELECT current_schema() AS current");
  const current = rows[0]?.current ?? null;
  if (current === schema) return;
  throw new Error(
    current === null
      ? `The database has no schema "${schema}": run the migrations.`
      : `The connection is in schema "${current}" instead of "${schema}": does a pooler drop the start-up options?`,
  );
}

export function toSession(client: pg.ClientBase, schema: string): MigrationSession {
  return {
    query: async (sql, values = []) => (await client.query(sql, [...values])).rows,
    exec: async (script) => void (await client.query(script)),
    prepare: async () => {
      await client.query(`SET lock_timeout = ${MIGRATION_LOCK_TIMEOUT_MS}`);
      await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
      await client.query("RESET lock_timeout");
      await ensureSchema(client, schema);
    },
  };
}

/** Looks first, because creating needs a right that the user may not have, also where there is nothing to create. */
async function ensureSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema]);
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`);
  await checkSchema(client, schema);
}

function trackedSocket(sockets: Set<Socket>): Socket {
  const socket = new Socket();
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  return socket;
}

/** A server that is paused never confirms the goodbye: what is still open after a moment is cut. */
async function closePool(prisma: PrismaClient, pool: pg.Pool, sockets: ReadonlySet<Socket>): Promise<void> {
  await prisma.$disconnect();
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), CLOSE_GRACE_MS);
  await pool.end();
  await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  clearTimeout(timer);
}
