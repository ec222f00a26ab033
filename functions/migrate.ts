/** Entry: brings the tables of the configured PostgreSQL up to date, and ends. */
import { migrate } from "./adapters/migrations.ts";
import { withMigrationSession } from "./adapters/postgres-client.ts";
import { ConfigError, loadConfig } from "./config.ts";

try {
  const { database } = loadConfig(undefined, "migrate");
  const applied = await withMigrationSession(database, (session) => migrate(session));
  for (const name of applied) console.log(`applied ${name}`);
  console.log(`Schema "${database.schema}" is up to date.`);
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : `The migration failed: ${describe(error)}`);
  process.exitCode = 1;
}

/** With the code, since some connection errors have nothing else to say. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  return `${error.message || error.name}${code}`;
}
