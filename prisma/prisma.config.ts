/** What the Prisma command line needs to know. Run it as `npx prisma … --config prisma/prisma.config.ts`. */
import { defineConfig } from "prisma/config";
import { ConfigError, loadConfig } from "../functions/config.ts";
import type { Fault } from "../functions/config/settings.ts";

export default defineConfig({
  schema: "schema.prisma",
  migrations: { path: "migrations" },
  ...datasource(),
});

/** The database of the configuration. Without one there is still a client to generate. */
function datasource(): { datasource?: { url: string } } {
  try {
    const { url, schema, ssl } = loadConfig(undefined, "migrate").database;
    const full = new URL(url);
    full.searchParams.set("schema", schema);
    if (ssl !== undefined) full.searchParams.set("sslmode", "require");
    return { datasource: { url: full.href } };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const isUnset = ({ name, shown }: Fault): boolean => name === "DATABASE_URL" && shown === undefined;
    if (error.faults.every(isUnset)) return {};
    throw error;
  }
}
