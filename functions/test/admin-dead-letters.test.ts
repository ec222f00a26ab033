/** `npm run admin -- dead-letters` as an operator meets it, on a real log whose consumer has put records aside. */
import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, expect, it, describe } from "vitest";
import { KafkaDeadLetters } from "../adapters/dead-letters-kafka.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { encodeEvent } from "../core/event.ts";
import { loadConfig } from "../config.ts";
import { silentLogger } from "../lib/logger.ts";
import { describeEngine } from "./engines.ts";
import { message } from "./events.ts";
import { runCommand, startConsumer, type Running } from "./harness.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";
import { waitFor } from "./wait-for.ts";

interface Listed {
  readonly id: string;
  readonly reason: string;
  readonly value: string;
}

describeEngine(["redis", "kafka", "postgres"], "dead letters by hand", (engines) => {
  const stage = `t-${randomUUID().slice(0, 8)}`;
  const schema = `skat_${stage.replaceAll("-", "_")}`;
  const env = {
    STAGE: stage,
    REDIS_URL: engines.redisUrl,
    KAFKA_BROKERS: engines.kafkaBrokers,
    DATABASE_URL: engines.databaseUrl,
  };
  const admin = (...args: string[]) => runCommand("admin", env, ["dead-letters", ...args]);
  const list = async () => JSON.parse((await admin("list", "--json")).out) as Listed[];
  let consumer: Running;
  let database: PostgresWorld;
  let letters: KafkaDeadLetters;

  beforeAll(async () => {
    database = await createPostgresWorld(engines.databaseUrl);
    database.options({ schema }); // so that it is dropped
    consumer = await startConsumer(env);
    const config = loadConfig({ ...env, AUTH_SECRET: "s".repeat(32) }, "node").kafka;
    letters = new KafkaDeadLetters({ config, runtime: systemRuntime, logger: silentLogger });
    const producer = new Kafka({ brokers: [...config.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const headers = { stage, v: "1" };
    const messages = ["not json", '{"type":"event"}'].map((value) => ({
      key: `${stage}/red`,
      value,
      headers,
    }));
    await producer.send({ topic: config.topic, messages });
    await producer.disconnect();
    await waitFor(async () => (await letters.list()).length === 2, "two letters", 30_000);
  }, 60_000);
  afterAll(async () => {
    await consumer?.stop();
    await letters?.close();
    await database?.close();
  });

  it("[G9] lists what was put aside, with its reason, and shows all of a letter", async () => {
    const listed = await list();
    expect(listed.map(({ value }) => value)).toEqual(["not json", '{"type":"event"}']);
    expect(listed[0]?.reason).toMatch(/^invalid: /);
    const { out } = await admin("list");
    expect(out.trim().split("\n")).toHaveLength(2);
    const shown = await admin("show", listed[0]?.id ?? "");
    expect(shown.out).toContain("not json");
    expect(shown.out).not.toContain('{"type":"event"}');
  });

  it("changes nothing, and says why, where it is not agreed to or not understood", async () => {
    const before = await letters.list();
    const refused: [args: string[], why: string][] = [
      [["replay", "--all"], "--yes"],
      [["drop", "--all"], "--yes"],
      [["drop", "7-7", "--yes"], "no dead letter 7-7"],
      [["replay", "--yes"], "--all"],
      [["burn"], "list, show, replay, drop"],
      [["list", "--loud"], "--loud"],
    ];
    await Promise.all(
      refused.map(async ([args, why]) => {
        const { code, out, err } = await admin(...args);
        expect([code, out]).toEqual([1, ""]);
        expect(err).toContain(why);
      }),
    );
    expect(await letters.list()).toEqual(before);
  });

  it("[G2] [G9] replays what is named: stored once though put aside twice, and what is still poison comes back", async () => {
    const good = message("red", 1);
    const letter = {
      key: `${stage}/red`,
      value: encodeEvent(good),
      stage,
      partition: 0,
      offset: 7n,
      reason: "a bug",
    };
    await letters.put(letter);
    await letters.put(letter);
    const [bad, other, ...twice] = await letters.list();
    const named = [bad, ...twice].map((found) => found?.id ?? "");
    expect(await admin("replay", "--yes", ...named)).toMatchObject({ code: 0, err: "" });
    const stored = () => database.query<{ id: string }>(`SELECT id FROM ${schema}.events`);
    await waitFor(async () => (await stored()).length > 0, "the event to be stored", 20_000);
    const back = await waitFor(
      async () => {
        const now = await letters.list();
        return now.length === 2 && now;
      },
      "the poison to come back",
      20_000,
    );
    expect(back.map(({ value }) => value)).toEqual([other?.value, "not json"]);
    expect(back[1]?.id).not.toBe(bad?.id);
    expect(await stored()).toEqual([{ id: good.id }]);
    expect((await admin("replay", "--yes", named[0] ?? "")).err).toContain("no dead letter");
  });

  it("drops for good what is named, and then the rest", async () => {
    const [first] = await letters.list();
    expect((await admin("drop", "--yes", first?.id ?? "")).code).toBe(0);
    expect(await letters.list()).toHaveLength(1);
    expect((await admin("drop", "--yes", "--all")).out).toBe("Dropped 1 dead letter.\n");
    expect((await admin("list")).out).toBe("There are no dead letters.\n");
    expect((await admin("replay", "--all")).code).toBe(0);
  });
});

describe("dead letters of an embedded log", () => {
  it("are out of reach, and that is said", async () => {
    const { code, err } = await runCommand("admin", {}, ["dead-letters", "list"]);
    expect(code).toBe(1);
    expect(err).toContain("KAFKA_BROKERS");
  });
});
