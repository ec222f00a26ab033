/** The store on PostgreSQL: the contract, and what is its own: sealed schemas, time limits, a server that goes away. */
import { chown, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startPostgres, type PostgresEngine } from "../../scripts/engines/postgres.ts";
import { openPostgres, type PostgresOptions } from "../adapters/postgres-client.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { ZERO } from "../core/position.ts";
import type { Store } from "../core/store.ts";
import { readDatabaseUrl } from "../lib/connection-url.ts";
import type { RoomInfo, User } from "../protocol.ts";
import { describeEngine } from "./engines.ts";
import { message, messages, newId } from "./events.ts";
import { LOCALHOST_CERTIFICATE, LOCALHOST_KEY } from "./localhost-certificate.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";
import { describeRoomStore } from "./room-store-contract.ts";
import { describeStore } from "./store-contract.ts";
import { TEST_CERTIFICATE } from "./certificate.ts";

const UNAVAILABLE = { name: "ChatError", code: "unavailable" };

/** What `work` rejects with, and after which time. */
async function failure(work: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startedAtMs = performance.now();
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: performance.now() - startedAtMs };
}

/** The messages of an error and of all its causes. */
function story(error: unknown): string {
  return error instanceof Error ? `${error.message} ${story(error.cause)}` : "";
}

const ROOM: RoomInfo = { id: "r", slug: "r", kind: "public", name: "n", topic: "", archived: false };
const ADA: User = { id: "u1", name: "Ada" };

describeEngine(["postgres"], "the store on PostgreSQL", ({ databaseUrl }) => {
  let world: PostgresWorld;
  beforeAll(async () => {
    world = await createPostgresWorld(databaseUrl);
  });
  afterAll(() => world.close());

  describeStore("postgres", () => world.openStore());
  describeRoomStore("postgres", () => world.openStore());

  describe("postgres: text", () => {
    it("with a byte order mark in front comes back as it went in", async () => {
      const store = await world.openStore();
      const event = message(newId(), 0, { body: "\ufefftext" });
      await store.insertEvents([event]);
      expect(await store.findEvent(event.room, event.id)).toEqual(event);
    });
  });

  describe("postgres: two at once", () => {
    it("a room keeps an owner when two owners demote each other in the same moment", async () => {
      const options = world.options();
      const store = await world.openStore(options);
      const [bob, table] = [{ id: "u2", name: "Bob" }, `${pg.escapeIdentifier(options.schema)}.members`];
      await store.rooms.createRoom(ROOM, ADA);
      await store.members.addMember(ROOM.id, bob, 9);
      await store.members.setRole(ROOM.id, bob.id, "owner", ADA);
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      await client.query("BEGIN");
      await client.query(`SELECT FROM ${table} FOR UPDATE`);
      const demoted = Promise.all([
        store.members.setRole(ROOM.id, bob.id, "member", ADA),
        store.members.setRole(ROOM.id, ADA.id, "member", bob),
      ]);
      const waiting =
        "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND query LIKE '%owners AS%'";
      await expect.poll(async () => (await world.query(waiting)).length).toBe(2);
      await client.query("COMMIT");
      await client.end();
      expect((await demoted).filter(Boolean)).toHaveLength(1);
    });
  });

  describe("postgres: sealed in a schema", () => {
    it("[G12] two stages in one database never see each other's rooms, members, events and progress", async () => {
      const [own, foreign] = [await world.openStore(), await world.openStore()];
      const events = messages("r", 3);
      await own.insertEvents(events);
      await own.rooms.createRoom(ROOM, ADA);
      await own.markCaughtUp([{ partition: 0, caughtUpAtMs: 5 }], 1);
      expect((await foreign.eventsAfter("r", ZERO, 9)).events).toEqual([]);
      const listed = await foreign.rooms.listRooms(ADA.id, false, { limit: 9 });
      expect(listed.items.map(({ id }) => id)).toEqual(["lobby"]);
      expect(await foreign.rooms.standings([["r", ADA.id]])).toEqual([undefined]);
      expect(await foreign.caughtUpAt()).toBeUndefined();
      expect(await foreign.insertEvents(events)).toEqual({ inserted: 3, conflicts: [] });
      expect(await own.insertEvents(events)).toEqual({ inserted: 0, conflicts: [] });
    });

    it.each(['we"ird name', "back\\slash", "Upper", "pr-12", "o'k; drop"])(
      "[G12] a schema may be called %s",
      async (name) => {
        const options = world.options({ schema: `${name} ${newId()}` });
        const store = await world.openStore(options);
        await store.insertEvents(messages("r", 2));
        const table = `${pg.escapeIdentifier(options.schema)}.events`;
        expect(await world.query(`SELECT count(*)::int AS count FROM ${table}`)).toEqual([{ count: 2 }]);
      },
    );

    it("[G12] `?schema=` of the URL is honoured", async () => {
      const wanted = world.options().schema;
      const { url, schema } = readDatabaseUrl(`${databaseUrl}?schema=${wanted}&sslmode=disable`);
      expect(schema).toBe(wanted);
      const store = await world.openStore(
        world.options({ url, ...(schema === undefined ? {} : { schema }) }),
      );
      await store.rooms.createRoom(ROOM, ADA);
      expect(await world.query(`SELECT id FROM ${wanted}.rooms ORDER BY created_at`)).toEqual([
        { id: "lobby" },
        { id: "r" },
      ]);
    });

    it("[G12] nothing is read from another schema where a table is missing", async () => {
      const options = world.options();
      await world.query(`CREATE SCHEMA ${options.schema}`);
      await world.query("CREATE TABLE IF NOT EXISTS public.events (LIKE pg_catalog.pg_class)");
      const store = new PrismaStore(openPostgres(options));
      try {
        await expect(store.insertEvents(messages("r", 1))).rejects.toMatchObject(UNAVAILABLE);
        await expect(store.eventsAfter("r", ZERO, 1)).rejects.toMatchObject(UNAVAILABLE);
      } finally {
        await store.close();
        await world.query("DROP TABLE public.events");
      }
    });

    it("a missing schema is named, and what to do about it", async () => {
      const options = world.options();
      const store = new PrismaStore(openPostgres(options));
      const { error } = await failure(store.ping());
      expect(error).toMatchObject(UNAVAILABLE);
      expect(story(error)).toContain(`no schema "${options.schema}": run the migrations`);
      await store.close();
    });

    it("[G12] a connection that lands in another schema is not used", async () => {
      const options = world.options();
      await world.openStore(options);
      const elsewhere = { ...options, url: `${databaseUrl}?options=-c%20search_path%3Dpublic` };
      const store = new PrismaStore(openPostgres(elsewhere));
      const { error } = await failure(store.insertEvents(messages("r", 1)));
      expect(error).toMatchObject(UNAVAILABLE);
      expect(story(error)).toContain(`in schema "public" instead of "${options.schema}"`);
      await store.close();
    });
  });

  describe("postgres: time limits", () => {
    it("[G8] a server that is not there is `unavailable` at once", async () => {
      const store = new PrismaStore(openPostgres(world.options({ url: "postgresql://u@127.0.0.1:1/db" })));
      const { error, tookMs } = await failure(store.insertEvents(messages("r", 1)));
      expect(error).toMatchObject({ ...UNAVAILABLE, retriable: true });
      expect(tookMs).toBeLessThan(3000);
      await store.close();
    });

    it("[G8] a statement that waits too long is given up", async () => {
      const options = world.options({ statementTimeoutMs: 300 });
      const store = await world.openStore(options);
      const other = new pg.Client(databaseUrl);
      await other.connect();
      await other.query(`BEGIN; LOCK TABLE ${options.schema}.events`);
      const { error, tookMs } = await failure(store.insertEvents(messages("r", 1)));
      expect(error).toMatchObject(UNAVAILABLE);
      expect(story(error)).toMatch(/57014|statement timeout/);
      expect(tookMs).toBeLessThan(1200);
      await other.end();
      expect(await store.insertEvents(messages("r", 1))).toMatchObject({ inserted: 1 });
    });

    it("[G8] a pool that is taken is `unavailable`, not an endless wait", async () => {
      const options = world.options({ poolMax: 1 });
      const store = await world.openStore(options);
      const other = new pg.Client(databaseUrl);
      await other.connect();
      await other.query(`BEGIN; LOCK TABLE ${options.schema}.events`);
      const first = failure(store.headOf("r"));
      const { error, tookMs } = await failure(store.ping());
      expect(error).toMatchObject(UNAVAILABLE);
      expect(tookMs).toBeLessThan(4000);
      await other.end();
      expect((await first).error).toBeUndefined();
    }, 10_000);
  });
});

describeEngine(["postgres", "control"], "postgres: a server that goes away", () => {
  let engine: PostgresEngine;
  let ownWorld: PostgresWorld;
  let options: PostgresOptions;
  let store: Store;
  beforeEach(async () => {
    // With fsync off a killed process loses nothing, but with asynchronous commits it does.
    engine = await startPostgres({ settings: { synchronous_commit: "on" } });
    ownWorld = await createPostgresWorld(engine.url);
    options = ownWorld.options({ statementTimeoutMs: 1000 });
    store = await ownWorld.openStore(options);
  }, 60_000);
  afterEach(async () => {
    await engine.resume();
    await engine.start();
    await ownWorld.close();
    await engine.dispose();
  }, 60_000);

  it("[G8] paused: what is under way and what is new is `unavailable` in time; resumed, all is well", async () => {
    await Promise.all(Array.from({ length: 5 }, () => store.ping()));
    await engine.pause();
    const calls = Array.from({ length: 12 }, (_, n) => failure(store.insertEvents([message("r", n)])));
    for (const { error, tookMs } of await Promise.all(calls)) {
      expect(error).toMatchObject(UNAVAILABLE);
      expect(tookMs).toBeLessThan(6000);
    }
    await engine.resume();
    const event = message("r", 100);
    await expect
      .poll(() => store.insertEvents([event]).then(() => "stored", String), { timeout: 10_000 })
      .toBe("stored");
    expect(await store.findEvent("r", event.id)).toEqual(event);
  }, 60_000);

  it("[G11] paused: closing takes a moment, not the server's", async () => {
    await Promise.all([store.ping(), store.ping()]);
    await engine.pause();
    const { error, tookMs } = await failure(store.close());
    expect(error).toBeUndefined();
    expect(tookMs).toBeLessThan(2000);
  }, 60_000);

  it("[G11] paused: closing ends what is under way", async () => {
    await store.ping();
    await engine.pause();
    const waiting = failure(store.ping());
    const { error, tookMs } = await failure(store.close());
    expect(error).toBeUndefined();
    expect(tookMs).toBeLessThan(2000);
    expect((await waiting).error).toMatchObject(UNAVAILABLE);
  }, 60_000);

  it("[G8] killed with connections idle: the process lives, and after the restart the store works again", async () => {
    const stored = message("r", 0);
    await store.insertEvents([stored]);
    await Promise.all(Array.from({ length: 5 }, () => store.ping()));
    await engine.kill();
    await expect(store.ping()).rejects.toMatchObject(UNAVAILABLE);
    await engine.start();
    await expect.poll(() => store.ping().then(() => "answers", String), { timeout: 10_000 }).toBe("answers");
    expect(await store.findEvent("r", stored.id)).toEqual(stored);
  }, 60_000);

  it("[G8] an orderly shutdown under load is `unavailable`, never a refusal of the data", async () => {
    const calls: Promise<{ error: unknown }>[] = [];
    const load = setInterval(() => calls.push(failure(store.insertEvents(messages(newId(), 500)))), 5);
    await expect.poll(() => calls.length).toBeGreaterThan(20);
    await engine.stop();
    clearInterval(load);
    const errors = (await Promise.all(calls))
      .map(({ error }) => error)
      .filter((error) => error !== undefined);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toMatchObject(UNAVAILABLE);
  }, 60_000);

  it("an encrypted connection verifies the server by the authority that is given, and refuses another", async () => {
    await useTls(engine, ownWorld);
    const secure = await ownWorld.openStore({ ...options, ssl: { ca: LOCALHOST_CERTIFICATE } });
    await secure.ping();
    const connections = await ownWorld.query<{ ssl: boolean }>(
      "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'skat' AND ssl",
    );
    expect(connections.length).toBe(1);
    for (const ssl of [{ ca: TEST_CERTIFICATE }, {}]) {
      const refused = new PrismaStore(openPostgres({ ...options, ssl }));
      const { error } = await failure(refused.ping());
      expect(error).toMatchObject(UNAVAILABLE);
      expect(story(error)).toMatch(/self-signed certificate/);
      await refused.close();
    }
  }, 60_000);
});

async function useTls(engine: PostgresEngine, { query }: PostgresWorld): Promise<void> {
  const { uid, gid } = await stat(engine.dir);
  for (const [name, text] of [
    ["server.crt", LOCALHOST_CERTIFICATE],
    ["server.key", LOCALHOST_KEY],
  ] as const) {
    const file = join(engine.dir, name);
    await writeFile(file, text, { mode: 0o600 });
    await chown(file, uid, gid);
  }
  const [row] = await query<{ dir: string }>("SELECT current_setting('data_directory') AS dir");
  const parent = row?.dir.replace(/\/data$/, "") ?? "";
  await query(`ALTER SYSTEM SET ssl_cert_file = '${parent}/server.crt'`);
  await query(`ALTER SYSTEM SET ssl_key_file = '${parent}/server.key'`);
  await query("ALTER SYSTEM SET ssl = on");
  await query("SELECT pg_reload_conf()");
  await expect.poll(() => query("SHOW ssl")).toEqual([{ ssl: "on" }]);
}
