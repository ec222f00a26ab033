/** Embedded databases for tests: one is made per run of a file, and every other is a copy of it. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../adapters/database.ts";
import { openPglite } from "../adapters/pglite-client.ts";

export interface PgliteTemplate {
  /** A database that holds nothing but what the migrations put there. It is deleted when it is closed. */
  open(): Promise<Database>;
  remove(): Promise<void>;
}

export async function createPgliteTemplate(): Promise<PgliteTemplate> {
  const dir = await mkdtemp(join(tmpdir(), "skat-pglite-"));
  const template = join(dir, "template");
  await (await openPglite(template)).close();
  let count = 0;
  return {
    open: async () => {
      const copy = join(dir, String(count++));
      await cp(template, copy, { recursive: true });
      const { prisma, close } = await openPglite(copy);
      return { prisma, close: () => close().then(() => rm(copy, { recursive: true, force: true })) };
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
