/** What the Prisma command line needs to know. Run it as `npx prisma … --config prisma/prisma.config.ts`. */
import { defineConfig } from "prisma/config";

const url = process.env["DATABASE_URL"];

export default defineConfig({
  schema: "schema.prisma",
  migrations: { path: "migrations" },
  ...(url === undefined ? {} : { datasource: { url } }),
});
