/** The migration runner on both databases, and side by side with Prisma's own command line. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MigrationSession } from "../adapters/database.ts";
import { FailedMigrationError, migrate, pendingMigrations } from "../adapters/migrations.ts";
import { toMigrationSession } from "../adapters/pglite-client.ts";
import { withMigrationSession, type PostgresOptions } from "../adapters/postgres-client.ts";
import { describeEngine } from "./engines.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";
import { prisma } from "./prisma-cli.ts";
import { waitFor } from "./wait-for.ts";

interface RecordRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly isFinished: boolean;
  readonly applied_steps_count: number;
  readonly logs: string | null;
}

/** The project's own, in their order, with their checksums: one that was deployed must not change. */
const CHECKSUMS = {
  "20261124000000_init": "84bf136d8c0b94b503cc89da1906ba13773e28d42fbd1df5fc965a9734ae8ffb",
  "20261124150000_accounts": "97dff63b72f1ad868a425b84ba1d45f043606041069a884a61066ba5b20018fd",
  "20261124160000_rooms": "66c9bdae355836402c7eae375d69169073ae67f8a896d8047bc1efba578d8ea6",
  "20261124170000_retention": "4a4ad323078fbde379af7637a9a5768ad8d55cdef339895ad04d355372eb9549",
  "20261124180000_read_marks": "d3892700aa6d767c59e951afb5d1106e9646ff870d78411fc56b6d53224eb7cc",
  "20261125020000_own_data": "324dc3b197caabe02d84559224a3bd863447ce7a4ee2be5854a24effdd1e4c22",
  "20261201000000_event_periods": "582cce17a271b725f3b3ef1cf33c67ad337cc51edad253d87b29cb3091e216b2",
};
const PROJECT = Object.keys(CHECKSUMS);

const READ_RECORD = `SELECT migration_name, checksum, finished_at IS NOT NULL AS "isFinished", applied_steps_count, logs
FROM _prisma_migrations ORDER BY started_at`;

/** A folder of migrations that is made of `scripts`. */
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "skat-migrations-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function write(scripts: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, script] of Object.entries(scripts)) {
    await mkdir(join(dir, name), { recursive: true });
    await writeFile(join(dir, name, "migration.sql"), script);
  }
}

type WithSession = (work: (session: MigrationSession) => Promise<void>) => Promise<void>;

function describeRunner(withSession: WithSession): void {
  it(
    "are applied in the order of their names, once",
    () =>
      withSession(async (session) => {
        await writeFile(join(dir, "migration_lock.toml"), 'provider = "postgresql"');
        await write({ "2_second": "ALTER TABLE t ADD COLUMN b TEXT", "1_first": "CREATE TABLE t (a INT)" });
        expect(await pendingMigrations(session, dir)).toEqual(["1_first", "2_second"]);
        expect(await migrate(session, dir)).toEqual(["1_first", "2_second"]);
        expect(await migrate(session, dir)).toEqual([]);
        await write({ "3_third": "INSERT INTO t VALUES (1, 'x'); INSERT INTO t VALUES (2, 'y')" });
        expect(await pendingMigrations(session, dir)).toEqual(["3_third"]);
        expect(await migrate(session, dir)).toEqual(["3_third"]);
        expect(await pendingMigrations(session, dir)).toEqual([]);
        expect(await session.query("SELECT * FROM t")).toEqual([
          { a: 1, b: "x" },
          { a: 2, b: "y" },
        ]);
      }),
    30_000,
  );

  it(
    "may hold bodies of functions, with semicolons and dollar quotes",
    () =>
      withSession(async (session) => {
        const body =
          "CREATE FUNCTION f() RETURNS INT AS $$ BEGIN PERFORM 1; RETURN 7; END; $$ LANGUAGE plpgsql;";
        await write({
          "1_function": `-- a comment; with a semicolon\n${body}\nCREATE TABLE t AS SELECT f() AS n;`,
        });
        await migrate(session, dir);
        expect(await session.query("SELECT n FROM t")).toEqual([{ n: 7 }]);
      }),
    30_000,
  );

  it(
    "one that fails leaves nothing but its record, and stops every later run until that is resolved",
    () =>
      withSession(async (session) => {
        await write({
          "1_good": "CREATE TABLE good (a INT)",
          "2_bad": "CREATE TABLE half (a INT); SELECT 1/0",
          "3_never": "CREATE TABLE never (a INT)",
        });
        await expect(migrate(session, dir)).rejects.toThrow(/division by zero/);
        expect(await session.query("SELECT to_regclass('good') IS NOT NULL AS there")).toEqual([
          { there: true },
        ]);
        expect(await session.query("SELECT to_regclass('half') IS NOT NULL AS there")).toEqual([
          { there: false },
        ]);
        expect(await session.query<RecordRow>(READ_RECORD)).toMatchObject(
          [
            { migration_name: "1_good", isFinished: true, applied_steps_count: 1, logs: null },
            {
              migration_name: "2_bad",
              isFinished: false,
              applied_steps_count: 0,
              logs: /division by zero/,
            },
          ].map(({ logs, ...row }) => ({
            ...row,
            logs: logs === null ? null : expect.stringMatching(logs),
          })),
        );

        await write({ "2_bad": "CREATE TABLE half (a INT)" });
        for (const run of [migrate, pendingMigrations]) {
          const error = await run(session, dir).catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(FailedMigrationError);
          expect(String(error)).toContain("2_bad");
        }
        await session.exec(
          "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '2_bad'",
        );
        expect(await migrate(session, dir)).toEqual(["2_bad", "3_never"]);
      }),
    30_000,
  );

  it(
    "of the project make the same record everywhere",
    () =>
      withSession(async (session) => {
        await migrate(session);
        const records = Object.entries(CHECKSUMS).map(([migration_name, checksum]) => ({
          migration_name,
          checksum,
          isFinished: true,
          applied_steps_count: 1,
          logs: null,
        }));
        expect(await session.query<RecordRow>(READ_RECORD)).toEqual(records);
      }),
    30_000,
  );
}

describe("migrations on PGlite", () => {
  let empty: Blob;
  beforeAll(async () => {
    const pglite = await PGlite.create();
    empty = await pglite.dumpDataDir("none");
    await pglite.close();
  }, 60_000);

  describeRunner(async (work) => {
    const pglite = new PGlite({ loadDataDir: empty });
    await work(toMigrationSession(pglite));
    await pglite.close();
  });
});

describeEngine(["postgres"], "migrations on PostgreSQL", ({ databaseUrl }) => {
  let world: PostgresWorld;
  beforeAll(async () => {
    world = await createPostgresWorld(databaseUrl);
  });
  afterAll(() => world.close());

  describeRunner((work) => withMigrationSession(world.options(), work));

  it("several runners at once: each migration is applied by one of them, the others wait", async () => {
    await write({
      "1_slow": "CREATE TABLE t (a INT); SELECT pg_sleep(0.3)",
      "2_more": "INSERT INTO t VALUES (1)",
    });
    const options = world.options();
    const runs = await Promise.all(
      Array.from({ length: 5 }, () => withMigrationSession(options, (session) => migrate(session, dir))),
    );
    expect(runs.flat()).toEqual(["1_slow", "2_more"]);
  }, 30_000);

  it("a runner that comes in the midst of another's migration waits for it", async () => {
    await write({ "1_slow": "SELECT pg_sleep(1)" });
    const options = world.options();
    const run = () => withMigrationSession(options, (session) => migrate(session, dir));
    const first = run();
    const record = `${options.schema}._prisma_migrations`;
    await waitFor(async () => {
      const [found] = await world.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
        record,
      ]);
      return (
        found?.there && (await world.query(`SELECT 1 FROM ${record} WHERE finished_at IS NULL`)).length > 0
      );
    }, "the first runner to begin");
    expect(await run()).toEqual([]);
    expect(await first).toEqual(["1_slow"]);
  }, 30_000);

  it("looking for what is pending changes nothing", async () => {
    const options = world.options();
    const pending = await withMigrationSession(options, (session) => pendingMigrations(session));
    expect(pending).toEqual(PROJECT);
    const schemas = await world.query("SELECT FROM pg_namespace WHERE nspname = $1", [options.schema]);
    expect(schemas).toEqual([]);
  });

  it("[G12] stay in their schema", async () => {
    const [first, second] = [world.options(), world.options()];
    await withMigrationSession(first, (session) => migrate(session));
    await withMigrationSession(second, async (session) => {
      expect(await pendingMigrations(session)).toEqual(PROJECT);
      expect(await migrate(session)).toEqual(PROJECT);
    });
  }, 30_000);

  describe("Prisma's own command line", () => {
    const DIFF = ["migrate", "diff", "--to-schema", "prisma/schema.prisma", "--exit-code"];
    const run = ({ schema }: PostgresOptions, ...args: string[]): ReturnType<typeof prisma> =>
      prisma(databaseUrl, schema, args);

    it("finds nothing to do after our runner, and no difference between database and schema", async () => {
      const options = world.options();
      await withMigrationSession(options, (session) => migrate(session));
      const status = await run(options, "migrate", "status");
      expect(status.output).toContain("Database schema is up to date!");
      expect(status.code).toBe(0);
      expect((await run(options, "migrate", "deploy")).output).toContain("No pending migrations to apply.");
      const diff = await run(options, ...DIFF, "--from-config-datasource");
      expect(diff.output).toContain("No difference detected.");
      expect(diff.code).toBe(0);
    }, 60_000);

    it("may deploy first: our runner finds nothing to do, and both leave the same record", async () => {
      const [theirs, ours] = [world.options(), world.options()];
      await world.query(`CREATE SCHEMA ${theirs.schema}`);
      const pending = await run(theirs, "migrate", "status");
      expect(pending.output).toContain("not yet been applied");
      expect(pending.code).toBe(1);
      const deploy = await run(theirs, "migrate", "deploy");
      expect(deploy.output).toContain("All migrations have been successfully applied.");
      const record = await withMigrationSession(theirs, async (session) => {
        expect(await pendingMigrations(session)).toEqual([]);
        expect(await migrate(session)).toEqual([]);
        return session.query(READ_RECORD);
      });
      await withMigrationSession(ours, async (session) => {
        await migrate(session);
        expect(await session.query(READ_RECORD)).toEqual(record);
      });
    }, 60_000);

    it("sees our failed migration, and we see what it resolved", async () => {
      const options = world.options();
      await write({ "20261124000000_init": "SELECT 1/0" });
      const failing = withMigrationSession(options, (session) => migrate(session, dir));
      await expect(failing).rejects.toThrow(/division by zero/);
      const deploy = await run(options, "migrate", "deploy");
      expect(deploy.output).toContain("P3009");
      expect(deploy.code).toBe(1);
      await run(options, "migrate", "resolve", "--rolled-back", "20261124000000_init");
      const applied = await withMigrationSession(options, (session) => migrate(session));
      expect(applied).toEqual(PROJECT);
    }, 60_000);

    it("finds that the migrations make just the tables of the schema", async () => {
      const diff = await run(world.options(), ...DIFF, "--from-migrations", "prisma/migrations");
      expect(diff.output).toContain("No difference detected.");
      expect(diff.code).toBe(0);
    }, 60_000);

    it("would find a difference", async () => {
      const empty = world.options();
      await world.query(`CREATE SCHEMA ${empty.schema}`);
      const diff = await run(empty, ...DIFF, "--from-config-datasource");
      expect(diff.output).toContain("events");
      expect(diff.code).toBe(2);
    }, 60_000);
  });
});
