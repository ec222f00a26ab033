/** The container images without Docker: two nodes and a consumer from their file trees, without rights, on real engines. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../scripts/dockerfile.ts";
import { freePort } from "../../scripts/engines/ports.ts";
import { audit } from "./audit.ts";
import { describeEngine } from "./engines.ts";
import { makeRooms, type Running } from "./harness.ts";
import { createImageWorld, type ImageWorld } from "./image-world.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";
import { TestClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

const TREE_BYTES_MAX = 12_000_000;
const STAGE = `image-${randomBytes(4).toString("hex")}`;
const SCHEMA = `skat_${STAGE.replace("-", "_")}`;

describeEngine(["redis", "kafka", "postgres"], "the images", ({ redisUrl, kafkaBrokers, databaseUrl }) => {
  const env = {
    STAGE,
    AUTH_SECRET: randomBytes(32).toString("hex"),
    ALLOWED_ORIGINS: "none",
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers,
    DATABASE_URL: databaseUrl,
    DATABASE_MIGRATE: "false",
  };
  let images: ImageWorld;
  let postgres: PostgresWorld;
  let nodes: Running[] = [];
  let consumer: Running | undefined;
  const running = () => [...nodes, ...(consumer ? [consumer] : [])];

  beforeAll(async () => {
    images = await createImageWorld();
    postgres = await createPostgresWorld(databaseUrl);
    postgres.options({ schema: SCHEMA }); // it is dropped at the end
  }, 120_000);

  afterAll(async () => {
    await Promise.all(running().map((one) => one.kill()));
    await postgres?.close();
    images?.close();
  });

  test.each(["node", "consumer"])(
    "%s: the tree is small, and holds no dependency of development",
    (target) => {
      const dir = join(images.trees, target);
      const files = readdirSync(dir, { recursive: true, encoding: "utf8" });
      const bytes = files.reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);
      expect(bytes).toBeLessThan(TREE_BYTES_MAX);
      const code = files
        .filter((file) => file.endsWith(".mjs"))
        .map((file) => readFileSync(join(dir, file), "utf8"));
      const names = code.join("\n").matchAll(/^\/\/ .*node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//gm);
      const bundled = new Set([...names].map(([, name = ""]) => name));
      expect([...bundled]).toEqual(
        expect.arrayContaining(["hono", "ioredis", "kafkajs", "pg", "@prisma/client"]),
      );
      expect([...bundled].filter(isForDevelopment)).toEqual([]);
    },
  );

  test("whoever writes a file is stopped, so that what runs here writes none", async () => {
    const writing = ["node", "-e", "require('node:fs').writeFileSync('/tmp/written', '')"];
    expect(await images.run("node", writing, {})).toMatchObject({
      code: 1,
      output: expect.stringContaining("ERR_ACCESS_DENIED"),
    });
  });

  test("migrations are in the image, and nodes that may not apply them say so", async () => {
    const pending = await images.run("node", readImage("node").command, { ...env, PORT: "0" });
    expect(pending).toMatchObject({ code: 1, output: expect.stringContaining("Migrations are pending") });
    const migrated = await images.run("node", ["node", "functions/migrate.mjs"], env);
    expect(migrated).toMatchObject({ code: 0, output: expect.stringMatching(/applied \d+_init/) });
  });

  test("the doctor is in the image, and finds these engines well", async () => {
    const { code, output } = await images.run("node", ["node", "functions/doctor.mjs"], env);
    expect(output).toContain("ok      postgres.migrations");
    expect(code).toBe(0);
  });

  test("two people chat over two nodes, and what they said is in PostgreSQL", async () => {
    const [one, other, third] = [await freePort(), await freePort(), await freePort()];
    [consumer, ...nodes] = await Promise.all([
      images.start("consumer", { ...env, CONSUMER_PORT: String(third) }, third),
      ...[one, other].map((port) => images.start("node", { ...env, PORT: String(port) }, port)),
    ]);
    const urls = nodes.map(({ url }) => url);
    const [room = ""] = await makeRooms(urls[0] ?? "", 1);
    const clients = await Promise.all(
      ["ann", "bob"].map((name, index) => new TestClient(name, urls, [room], index).start()),
    );
    const ids = clients.map((client) => client.say(room, `hello from ${client.name}`));
    expect(await audit(urls[0] ?? "", clients, [room], { whole: true })).toEqual([]);
    const rows = () =>
      postgres.query<{ id: string }>(`SELECT id FROM ${SCHEMA}.events WHERE room = $1`, [room]);
    const stored = await waitFor(async () => {
      const found = await rows();
      return found.length === 2 && found;
    }, "both messages in PostgreSQL");
    expect(stored.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    await Promise.all(clients.map((client) => client.stop()));
  }, 120_000);

  test("a node serves the page", async () => {
    const response = await fetch(nodes[0]?.url ?? "");
    expect(await response.text()).toContain("<title>Skat");
  });

  test.each(["node", "consumer"])(
    "%s: the health check tells one that runs from one that does not",
    async (target) => {
      const { health, env: image } = readImage(target);
      const [name = ""] = Object.keys(image).filter((key) => key.endsWith("PORT"));
      const one = target === "node" ? nodes[0] : consumer;
      const check = (port: string | number) => images.run(target, health, { [name]: String(port) });
      expect(await check(new URL(one?.url ?? "").port)).toEqual({ code: 0, output: "" });
      expect(await check(await freePort())).toMatchObject({ code: 1 });
    },
  );

  test("SIGTERM ends them in order", async () => {
    expect(await Promise.all(running().map((one) => one.stop()))).toEqual([0, 0, 0]);
  });
});

/** Whether the lockfile has it for development alone. */
function isForDevelopment(name: string): boolean {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, { dev?: boolean }>>;
  };
  return lock.packages[`node_modules/${name}`]?.dev === true;
}
