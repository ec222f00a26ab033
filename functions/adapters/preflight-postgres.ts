/** What must hold of PostgreSQL before a process uses it. */
import pg from "pg";
import { CheckFault, examination, type Check, type Examine } from "../core/preflight.ts";
import { connectionFault } from "./connection-fault.ts";
import { FailedMigrationError, pendingMigrations } from "./migrations.ts";
import { connectionOf, toSession, type PostgresOptions } from "./postgres-client.ts";

export interface PostgresPreflightOptions extends PostgresOptions {
  /** The start applies pending migrations. */
  readonly migrate: boolean;
  /** This process makes partitions of the events table. */
  readonly makesPartitions: boolean;
}

interface Session {
  readonly client: pg.Client;
  readonly options: PostgresPreflightOptions;
}

const CHECKS: readonly Check<Session>[] = [
  { name: "version", isBrief: true, run: checkVersion },
  { name: "writable", isBrief: true, run: checkWritable },
  { name: "schema", isBrief: true, run: checkSchema },
  { name: "migrations", isBrief: true, run: checkMigrations },
  { name: "rights", isBrief: true, run: checkRights },
  { name: "partitions", isBrief: true, run: checkPartitions },
  { name: "connections", isBrief: false, run: checkConnections },
];

const VERSION_LEAST = 15;
/** Longer than in traffic: a start can wait, and many may start at once. */
const CONNECT_MS_MAX = 10_000;

export function examinePostgres(options: PostgresPreflightOptions): Examine {
  return examination<Session>({
    engine: "postgres",
    checks: CHECKS,
    connect: async () => {
      const client = new pg.Client({ ...connectionOf(options), connectionTimeoutMillis: CONNECT_MS_MAX });
      client.on("error", () => {}); // the query that was under way tells
      await client.connect();
      return { client, options };
    },
    close: ({ client }) => client.end(),
    explain: (error) => explain(error, options),
  });
}

async function checkVersion({ client }: Session): Promise<string> {
  const { version } = await row<{ version: string }>(
    client,
    "SELECT current_setting('server_version') AS version",
  );
  if (Number.parseInt(version, 10) >= VERSION_LEAST) return `PostgreSQL ${version}`;
  throw new CheckFault(`The server is PostgreSQL ${version}.`, `use version ${VERSION_LEAST} or later.`);
}

async function checkWritable({ client }: Session): Promise<string> {
  const { readonly } = await row<{ readonly: string }>(
    client,
    "SELECT current_setting('transaction_read_only') AS readonly",
  );
  if (readonly === "off") return "a primary";
  throw new CheckFault(
    "The server takes no writes: it is a replica, or read-only.",
    "name the primary in DATABASE_URL.",
  );
}

/** In force, or such that the migrations make it. */
async function checkSchema({ client, options: { schema } }: Session): Promise<string> {
  const found = await row<{ current: string | null; there: boolean; usable: boolean; creatable: boolean }>(
    client,
    `SELECT current_schema() AS current, n.oid IS NOT NULL AS there,
       coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
       has_database_privilege(current_database(), 'CREATE') AS creatable
     FROM (SELECT $1::text AS name) wanted LEFT JOIN pg_namespace n ON n.nspname = wanted.name`,
    [schema],
  );
  if (found.current === schema) return schema;
  if (found.current !== null)
    throw new CheckFault(
      `The connection is in schema "${found.current}" instead of "${schema}".`,
      "take `options` out of DATABASE_URL, and a pooler that drops start-up options out of the way.",
    );
  if (found.there && !found.usable)
    throw new CheckFault(
      `This user may not use schema "${schema}".`,
      "grant it, or set STAGE to the stage that these credentials are for.",
    );
  if (!found.there && found.creatable) return `${schema} is missing, the migrations make it`;
  throw new CheckFault(
    `The database has no schema "${schema}", and this user may not make it.`,
    `let the owner of the database run: CREATE SCHEMA ${schema} AUTHORIZATION the user.`,
  );
}

/** One that did not finish may be under way in another process: only the start, which waits for that one, can call it failed. */
async function checkMigrations({ client, options: { schema, migrate } }: Session): Promise<string> {
  let pending: readonly string[];
  try {
    pending = await pendingMigrations(toSession(client, schema));
  } catch (error) {
    if (!(error instanceof FailedMigrationError)) throw error;
    if (migrate) return "one is under way or has failed, the start waits for it";
    throw new CheckFault("A migration is under way or has failed.", error.message, { cause: error });
  }
  if (pending.length === 0) return "all are applied";
  if (migrate) return `pending, the start applies them: ${pending.join(", ")}`;
  throw new CheckFault(`Migrations are pending: ${pending.join(", ")}.`, "run `npm run migrate`.");
}

/** Partitions are reached through their table alone, and need no rights of their own. */
async function checkRights({ client, options: { schema } }: Session): Promise<string> {
  const { rows } = await client.query<{ table: string }>(
    // A list of rights in one call asks whether the user has any of them.
    `SELECT tablename AS table FROM pg_tables, format('%I.%I', schemaname, tablename) AS full_name
     WHERE schemaname = $1 AND NOT EXISTS (SELECT FROM pg_class WHERE oid = full_name::regclass AND relispartition) AND NOT (has_table_privilege(full_name, 'SELECT') AND has_table_privilege(full_name, 'INSERT')
       AND has_table_privilege(full_name, 'UPDATE') AND has_table_privilege(full_name, 'DELETE'))`,
    [schema],
  );
  if (rows.length === 0) return "may read and write the tables";
  throw new CheckFault(
    `This user may not use the tables ${rows.map(({ table }) => table).join(", ")}.`,
    `grant SELECT, INSERT, UPDATE and DELETE on all tables in schema ${schema}.`,
  );
}

/** Only the owner of a table may give it partitions. Without them events wait, so this can be lived with until they are needed. */
async function checkPartitions({ client, options: { schema, makesPartitions } }: Session): Promise<string> {
  if (!makesPartitions) return "none are made by this process";
  const { rows } = await client.query<{ owner: string; isOwn: boolean }>(
    `SELECT pg_get_userbyid(relowner) AS owner, pg_has_role(relowner, 'USAGE') AS "isOwn"
     FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname = 'events'`,
    [pg.escapeIdentifier(schema)],
  );
  const [table] = rows;
  if (!table) return "the migrations make their table, and its owner may";
  if (table.isOwn) return "may be made";
  throw new CheckFault(
    `The table of events belongs to ${table.owner}, and only its owner may make partitions.`,
    `let the consumer connect as a member of ${table.owner}.`,
    { isWarning: true },
  );
}

/** Whether one more process gets all the connections that it may open. */
async function checkConnections({ client, options: { poolMax } }: Session): Promise<string> {
  const { free } = await row<{ free: number }>(
    client,
    `SELECT least(
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
         - (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user),
       (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
         - (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
     )::int AS free`,
  );
  if (free >= poolMax) return `${free} are free`;
  throw new CheckFault(
    `${free} connections are free, and one process opens up to ${poolMax}.`,
    "lower DATABASE_POOL_MAX, or let the server take more connections.",
  );
}

async function row<Row extends object>(client: pg.Client, sql: string, values: unknown[] = []): Promise<Row> {
  const [first] = (await client.query<Row>(sql, values)).rows;
  if (!first) throw new Error("the database answered nothing");
  return first;
}

const CREDENTIALS = "give user and password in DATABASE_URL as the server has them.";

const STATES: Readonly<Record<string, string>> = {
  "28P01": CREDENTIALS,
  "28000": "add `?sslmode=require` to DATABASE_URL where the server wants TLS, and check the user.",
  "3D000": "name a database in DATABASE_URL that is there.",
  "53300": "lower DATABASE_POOL_MAX of all processes, or let the server take more connections.",
  "42501": "grant the right, or set STAGE to the stage that these credentials are for.",
};

function explain(error: unknown, options: PostgresPreflightOptions): CheckFault {
  const text = error instanceof Error ? error.message : String(error);
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  const cure = /password must be a string/.test(text) ? CREDENTIALS : STATES[String(code)];
  if (cure !== undefined) return new CheckFault(`${text}.`, cure, { cause: error });
  const words = {
    engine: "PostgreSQL",
    address: "DATABASE_URL",
    ca: "DATABASE_CA",
    isTls: options.ssl !== undefined,
    tls: "add `?sslmode=require` to DATABASE_URL",
  };
  return (
    connectionFault(error, words) ?? new CheckFault(`${text}.`, "look at the server's log.", { cause: error })
  );
}
