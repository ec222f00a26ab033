/** Embedded databases for tests: one is made for all of them, and every other is a copy of it, since making one takes seconds. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Database } from "../adapters/database.ts";
import { MIGRATIONS_DIR } from "../adapters/migrations.ts";
import { openPglite } from "../adapters/pglite-client.ts";

export interface PgliteTemplate {
  /** A database that holds nothing but what the migrations put there. It is deleted when it is closed. */
  open(): Promise<Database>;
  remove(): Promise<void>;
}

export async function createPgliteTemplate(): Promise<PgliteTemplate> {
  const dir = await mkdtemp(join(tmpdir(), "skat-pglite-"));
  let count = 0;
  return {
    open: async () => {
      const copy = join(dir, String(count++));
      await copyEmptyPglite(copy);
      const database = await openPglite(copy);
      return {
        ...database,
        close: () => database.close().then(() => rm(copy, { recursive: true, force: true })),
      };
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Puts into `dir` what a first start would make there. */
export async function copyEmptyPglite(dir: string): Promise<void> {
  const template = join(CACHE_DIR, `pglite-${fingerprint()}`);
  if (!existsSync(template)) await makeTemplate(template);
  await cp(template, dir, { recursive: true });
}

const CACHE_DIR = fileURLToPath(new URL("../../node_modules/.cache/skat", import.meta.url));

/** Whole or not there, however many make it at once. */
async function makeTemplate(template: string): Promise<void> {
  await mkdir(CACHE_DIR, { recursive: true });
  const unfinished = join(await mkdtemp(join(CACHE_DIR, "making-")), "pglite");
  await (await openPglite(unfinished)).close();
  await rename(unfinished, template).catch((error: unknown) => {
    if (!existsSync(template)) throw error;
  });
  await rm(dirname(unfinished), { recursive: true });
}

/** Of all that it depends on. */
function fingerprint(): string {
  const hash = createHash("sha256").update(process.version);
  hash.update(readFileSync(createRequire(import.meta.url).resolve("@electric-sql/pglite")));
  const files = readdirSync(MIGRATIONS_DIR, { recursive: true, encoding: "utf8" }).toSorted();
  for (const file of files.filter((name) => name.endsWith(".sql")))
    hash.update(`\0${file}\0`).update(readFileSync(join(MIGRATIONS_DIR, file)));
  return hash.digest("hex").slice(0, 16);
}
