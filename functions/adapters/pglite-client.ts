/** Opens PGlite, a PostgreSQL within the process, on a folder that nobody else may have open meanwhile. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { PrismaClient } from "../generated/prisma/client.ts";
import type { Database, MigrationSession } from "./database.ts";
import { migrate } from "./migrations.ts";

/**
 * The database of `dir`, made where it is missing and with every migration applied. What is acknowledged survives the death of the
 * process; PGlite never calls fsync, so it does not survive the loss of power. Text is exact but for a byte order mark (U+FEFF) at its
 * very beginning, which PGlite drops when it reads.
 */
export async function openPglite(dir: string): Promise<Database> {
  if (!existsSync(join(dir, "PG_VERSION"))) await create(dir);
  const pglite = await PGlite.create(dir);
  await migrate(toMigrationSession(pglite));
  const prisma = new PrismaClient({ adapter: new PrismaPGlite(pglite) });
  let closed: Promise<void> | undefined;
  return {
    prisma,
    withSession: (work) => work(toMigrationSession(pglite)),
    close: () => (closed ??= close(prisma, pglite)),
  };
}

/** In a process that ends: making a database takes half a gigabyte, which a WebAssembly memory never gives back. */
async function create(dir: string): Promise<void> {
  const unfinished = `${dir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(dirname(dir), { recursive: true });
  const module = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const script = `require(${JSON.stringify(module)}).PGlite.create(${JSON.stringify(unfinished)}).then((db) => db.close())`;
  await run(process.execPath, ["--input-type=commonjs", "--eval", script]);
  await rename(unfinished, dir);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (code !== 0) throw new Error(`The embedded database could not be made:\n${complaint}`);
}

export function toMigrationSession(pglite: PGlite): MigrationSession {
  return {
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
      (await pglite.query<Row>(sql, [...values])).rows,
    exec: async (script) => void (await pglite.exec(script)),
    prepare: async () => {}, // one process, one connection, and the schema is always there
  };
}

async function close(prisma: PrismaClient, pglite: PGlite): Promise<void> {
  await prisma.$disconnect();
  await pglite.close();
}
