/** A stage in PostgreSQL: its schema, and a role that owns it and reaches no other. */
import pg from "pg";
import type { StageKeeper } from "../core/stages.ts";
import { connectionOf, type PostgresOptions } from "./postgres-client.ts";

const PREFIX = "skat_";

export function keepPostgresStage(options: PostgresOptions, stage: string): StageKeeper {
  const schema = `${PREFIX}${stage.replaceAll("-", "_")}`;
  if (options.schema !== schema)
    throw new Error(`DATABASE_SCHEMA or \`?schema=\` names one schema for all stages: leave it out.`);
  const client = new pg.Client(connectionOf(options));
  client.on("error", () => {}); // the query that was under way tells
  let connected: Promise<unknown> | undefined;
  const run = async <Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> => {
    await (connected ??= client.connect());
    return (await client.query<Row>(sql, values)).rows;
  };
  const name = pg.escapeIdentifier(schema);
  const hasRole = async () => (await run("SELECT FROM pg_roles WHERE rolname = $1", [schema])).length > 0;
  const make = async (password: string | undefined): Promise<string> => {
    if (password === undefined) {
      await run(`CREATE SCHEMA IF NOT EXISTS ${name}`);
      return `schema ${schema}`;
    }
    if (!(await hasRole())) await run(`CREATE ROLE ${name}`);
    await run(`ALTER ROLE ${name} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
    // Else only a superuser could give the role a schema, and take it away again.
    await run(`GRANT ${name} TO CURRENT_USER`);
    await run(`CREATE SCHEMA IF NOT EXISTS ${name} AUTHORIZATION ${name}`);
    return `schema ${schema}, role ${schema}`;
  };
  return {
    engine: "postgres",
    async create(password) {
      await run("BEGIN");
      // Two who alter one role at once fail: the second waits for the first.
      await run("SELECT pg_advisory_xact_lock(hashtext('skat stages'))");
      const made = await make(password);
      await run("COMMIT");
      return made;
    },
    async remove() {
      const isUser = await hasRole();
      if (isUser) {
        await run(`ALTER ROLE ${name} NOLOGIN`);
        await run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", [
          schema,
        ]);
      }
      await run(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
      if (!isUser) return `schema ${schema}`;
      await run(`DROP OWNED BY ${name}`);
      await run(`DROP ROLE ${name}`);
      return `schema ${schema}, role ${schema}`;
    },
    async list() {
      const rows = await run<{ name: string }>(
        `SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1)
         UNION SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)`,
        [PREFIX],
      );
      return rows.map((row) => row.name.slice(PREFIX.length).replaceAll("_", "-"));
    },
    close: async () => client.end(),
  };
}
