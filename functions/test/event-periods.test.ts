/** Periods of events on both databases, and on PostgreSQL what is its own: many at once, an old table, a stage's role. */
import { readdir, rm, cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate, MIGRATIONS_DIR } from "../adapters/migrations.ts";
import { openPostgres, withMigrationSession } from "../adapters/postgres-client.ts";
import { keepPostgresStage } from "../adapters/stage-postgres.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { fromMs, ZERO } from "../core/position.ts";
import { describeEngine } from "./engines.ts";
import { messages, newId } from "./events.ts";
import { DAY_MS, dated, dayMs, describeEventPeriods, NEW_YEAR_MS } from "./event-periods-contract.ts";
import { createPgliteTemplate, type PgliteTemplate } from "./pglite-template.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";

let template: PgliteTemplate;
beforeAll(async () => {
  template = await createPgliteTemplate();
}, 60_000);
afterAll(() => template.remove());

describeEventPeriods("pglite", () => template.open());

describeEngine(["postgres"], "periods of events on PostgreSQL", ({ databaseUrl }) => {
  let world: PostgresWorld;
  beforeAll(async () => {
    world = await createPostgresWorld(databaseUrl);
  });
  afterAll(() => world.close());

  describeEventPeriods("postgres", () => world.openDatabase());

  it("of many consumers one makes each period and drops it, while others write and read", async () => {
    const store = await world.openStore();
    await store.periods.prepare(dayMs(0), DAY_MS);
    await store.periods.prepare(dayMs(1), DAY_MS);
    const room = newId();
    let isOver = false;
    const stored: number[] = [];
    const write = async () => {
      for (let n = 0; !isOver; n++) {
        const { inserted } = await store.insertEvents([dated(room, 2, 2, n), dated(newId(), 0, 2, n)]);
        stored.push(inserted);
        await store.eventsBefore(room, undefined, 50);
      }
    };
    const writing = write();
    const five = Array.from({ length: 5 }, () => store);
    for (let day = 2; day < 12; day++)
      await Promise.all(five.map(({ periods }) => periods.prepare(dayMs(day), DAY_MS)));
    const drops = await Promise.all(five.map(({ periods }) => periods.dropBefore(fromMs(dayMs(2)))));
    isOver = true;
    await writing;
    expect(drops.flatMap(({ names }) => names)).toEqual(["events_21000102"]);
    expect(stored.filter((count) => count !== 2)).toEqual([]);
    expect((await store.eventsAfter(room, ZERO, 100_000)).events).toHaveLength(stored.length);
  }, 60_000);

  it("an old table becomes the rest while it is written to: no copy, nothing lost, no batch refused", async () => {
    const options = world.options();
    const dir = await mkdtemp(join(tmpdir(), "skat-before-periods-"));
    await cp(MIGRATIONS_DIR, dir, { recursive: true });
    const [since] = (await readdir(dir)).filter((name) => name.endsWith("_event_periods"));
    await rm(join(dir, since ?? ""), { recursive: true });
    await withMigrationSession(options, (session) => migrate(session, dir));
    const files = () =>
      world.query<{ name: string; node: string }>(
        `SELECT relname AS name, relfilenode::text AS node FROM pg_class
         WHERE relnamespace = '${options.schema}'::regnamespace AND relname ~ '^events' AND relkind IN ('r', 'i')`,
      );
    const before = new Set((await files()).map(({ node }) => node));
    const store = new PrismaStore(openPostgres(options));
    const room = newId();
    await store.insertEvents(messages(room, 5000));
    let [isOver, count] = [false, 5000];
    const write = async () => {
      for (; !isOver; count++) await store.insertEvents([dated(room, 0, 0, count)]);
    };
    const writers = [write(), write(), write()];
    const applied = await withMigrationSession(options, (session) => migrate(session));
    isOver = true;
    await Promise.all(writers);
    expect(applied).toEqual([since]);
    expect((await store.eventsAfter(room, ZERO, 1_000_000)).events.length).toBe(count);
    expect((await files()).filter(({ node }) => !before.has(node))).toEqual([]);
    await store.periods.prepare(NEW_YEAR_MS, DAY_MS);
    await store.close();
    await rm(dir, { recursive: true });
  }, 60_000);

  it("a new period is put beside the rest without reading it", async () => {
    const options = world.options();
    const store = await world.openStore(options);
    await store.insertEvents(Array.from({ length: 2000 }, (_, n) => dated(newId(), 0, 0, n)));
    await store.periods.prepare(dayMs(0), DAY_MS);
    const scans = async () => {
      await world.query("SELECT pg_stat_force_next_flush()").catch(() => {});
      const [row] = await world.query<{ scans: number }>(
        "SELECT seq_scan::int AS scans FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = 'events_rest'",
        [options.schema],
      );
      return row?.scans ?? 0;
    };
    const read = await scans();
    for (let day = 1; day < 5; day++) await store.periods.prepare(dayMs(day), DAY_MS);
    expect(await scans()).toBe(read);
  });

  it("[G12] a stage's own role may make and drop its periods", async () => {
    const stage = `periods-${newId().slice(-6)}`;
    const schema = `skat_${stage.replaceAll("-", "_")}`;
    const keeper = keepPostgresStage(world.options({ schema }), stage);
    await keeper.create("0123456789abcdef");
    const url = databaseUrl.replace("postgres@", `${schema}:0123456789abcdef@`);
    const store = await world.openStore(world.options({ schema, url }));
    expect(await store.periods.prepare(dayMs(0), DAY_MS)).toEqual(["events_21000102"]);
    await store.periods.prepare(dayMs(5), DAY_MS);
    await store.insertEvents([dated(newId(), 1)]);
    expect((await store.periods.dropBefore(fromMs(dayMs(2)))).names).toEqual(["events_21000102"]);
    await store.close();
    await keeper.remove();
    expect(await keeper.list()).not.toContain(stage);
    await keeper.close();
  }, 30_000);
});
