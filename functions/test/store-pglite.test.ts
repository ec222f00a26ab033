/** The store on PGlite: the contract, and what is its own: made once, opened again, not lost with its process. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openPglite } from "../adapters/pglite-client.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { ZERO } from "../core/position.ts";
import { copyEmptyPglite, createPgliteTemplate, type PgliteTemplate } from "./pglite-template.ts";
import { messages } from "./events.ts";
import { describeStore } from "./store-contract.ts";
import { describeRoomStore } from "./room-store-contract.ts";

let template: PgliteTemplate;
beforeAll(async () => {
  template = await createPgliteTemplate();
}, 60_000);
afterAll(() => template.remove());

describeStore("pglite", async () => new PrismaStore(await template.open()));
describeRoomStore("pglite", async () => new PrismaStore(await template.open()));

describe("pglite", () => {
  let parent: string;
  let dir: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "skat-pglite-"));
    dir = join(parent, "deep", "store");
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it("makes the folder on the first start and finds everything on the next", async () => {
    const first = new PrismaStore(await openPglite(dir));
    const events = messages("r", 3);
    await first.insertEvents(events);
    await first.close();
    await first.close();
    expect(await readdir(join(parent, "deep"))).toEqual(["store"]);
    const second = new PrismaStore(await openPglite(dir));
    expect((await second.eventsAfter("r", ZERO, 9)).events).toEqual(events);
    await second.close();
  }, 60_000);

  it("[G3] what was acknowledged survives a kill -9 of the process", async () => {
    await copyEmptyPglite(dir);
    const writer = spawn(process.execPath, [
      "--import",
      "tsx",
      fileURLToPath(new URL("pglite-writer.ts", import.meta.url)),
      dir,
    ]);
    let told = "";
    writer.stdout.setEncoding("utf8").on("data", (text: string) => (told += text));
    await expect.poll(() => told.split("\n").length, { timeout: 30_000 }).toBeGreaterThan(20);
    writer.kill("SIGKILL");
    await new Promise((resolve) => writer.once("close", resolve));
    const acknowledged = told.slice(0, told.lastIndexOf("\n")).split("\n");
    const store = new PrismaStore(await openPglite(dir));
    const stored = (await store.eventsAfter("r", ZERO, 1_000_000)).events.map(({ id }) => id);
    expect(acknowledged.filter((id) => !stored.includes(id))).toEqual([]);
    await store.close();
  }, 60_000);
});
