/** Three stages on one Redis, one Kafka and one Postgres, each with a user of its own: made, sealed under load, and removed. */
import { Redis } from "ioredis";
import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkaErrorType } from "../../adapters/kafka-client.ts";
import { audit, history } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { runCommand, startConsumer, startNode, type Env, type Running } from "../harness.ts";
import { load } from "../load.ts";
import { PASSWORD, startSecureWorld, type SecureWorld } from "../secure-world.ts";
import { TestClient } from "../test-client.ts";
import { joinAll } from "./world.ts";

/** Two previews that share a topic, one's name the beginning of the other's, and a stage that shares none. */
const STAGES = ["pr-1", "pr-12", "staging"] as const;
type Stage = (typeof STAGES)[number];
const PAIRS = STAGES.flatMap((one) =>
  STAGES.filter((other) => other !== one).map((other) => [one, other] as const),
);
const SHARED = { KAFKA_TOPIC: "previews.events", KAFKA_DEAD_LETTER_TOPIC: "previews.dead-letters" };

const topicsOf = (stage: Stage): Env => (stage === "staging" ? {} : SHARED);
const topicOf = (stage: Stage) => topicsOf(stage)["KAFKA_TOPIC"] ?? `skat.${stage}.events`;
const schemaOf = (stage: Stage) => `skat_${stage.replaceAll("-", "_")}`;

describeEngine(["secure"], "stages with rights of their own", () => {
  let world: SecureWorld;
  const nodes = new Map<Stage, Running>();
  const consumers = new Map<Stage, Running>();

  function envOf(stage: Stage, users: { redis?: Stage; kafka?: Stage; postgres?: Stage } = {}): Env {
    return {
      STAGE: stage,
      AUTH_SECRET: `secret of ${stage} `.repeat(4),
      ...topicsOf(stage),
      ...world.redisEnv(`skat-${users.redis ?? stage}`),
      ...world.kafkaEnv(`skat-${users.kafka ?? stage}`),
      ...world.postgresEnv(schemaOf(users.postgres ?? stage)),
    };
  }

  async function stageCommand(
    args: readonly string[],
    env: Env = {},
  ): Promise<{ code: number; output: string }> {
    const { code, out, err } = await runCommand("stage", { ...world.env, ...env }, args, PASSWORD);
    return { code, output: out + err };
  }

  const committed = async (stage: Stage) => {
    const [answer] = await world.kafkaAdmin.fetchOffsets({
      groupId: `skat.${stage}.store`,
      topics: [topicOf(stage)],
    });
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, offset]));
  };

  beforeAll(async () => {
    world = await startSecureWorld({ kafkaUsers: STAGES.map((stage) => `skat-${stage}`) });
    await Promise.all(
      STAGES.map(async (stage) => {
        const made = await stageCommand(["create", stage, "--password-stdin"], topicsOf(stage));
        expect(made).toEqual({ code: 0, output: expect.stringContaining(`rights of User:skat-${stage}`) });
        const [node, consumer] = [startNode(envOf(stage)), startConsumer(envOf(stage))];
        nodes.set(stage, await node);
        consumers.set(stage, await consumer);
      }),
    );
  }, 180_000);
  afterAll(async () => {
    await Promise.all([...nodes.values(), ...consumers.values()].map((one) => one.kill()));
    await world?.close();
  }, 60_000);

  const nodeOf = (stage: Stage): Running => {
    const node = nodes.get(stage);
    if (!node) throw new Error(`no node of ${stage}`);
    return node;
  };

  test("creating a stage that is there, several times at once, changes nothing and says the same", async () => {
    const again = await Promise.all(
      [1, 2, 3, 4].map(() => stageCommand(["create", "pr-1", "--password-stdin"], SHARED)),
    );
    const [first] = again;
    for (const other of again) expect(other).toEqual(first);
    expect(first?.code).toBe(0);
    expect(first?.output).not.toContain(PASSWORD);
  });

  test("[G12] under load no stage sees another's data, and one whose consumer is gone slows no other's offsets", async () => {
    const worlds = await Promise.all(
      STAGES.map(async (stage) => ({ stage, ...(await joinAll([nodeOf(stage)], 2, 2)) })),
    );
    const visitors = await Promise.all(
      STAGES.map((stage) => new TestClient(stage, [nodeOf(stage).url], ["lobby"]).start()),
    );
    const say = () =>
      Promise.all([
        ...worlds.map(({ clients, rooms }) => load({ clients, rooms, messages: 150, perSecond: 100 })),
        load({ clients: visitors, rooms: ["lobby"], messages: 60, perSecond: 50 }),
      ]);
    await say();
    for (const { stage, clients, rooms } of worlds)
      expect(await audit(nodeOf(stage).url, clients, rooms, { whole: true })).toEqual([]);
    await consumers.get("staging")?.stop();
    const before = await committed("staging");
    await say();
    for (const { stage, clients, rooms } of worlds.slice(0, 2))
      expect(await audit(nodeOf(stage).url, clients, rooms, { whole: true })).toEqual([]);
    expect(await committed("staging")).toEqual(before);
    consumers.set("staging", await startConsumer(envOf("staging")));
    for (const { stage, clients, rooms } of worlds)
      expect(await audit(nodeOf(stage).url, clients, rooms, { whole: true })).toEqual([]);
    for (const [index, stage] of STAGES.entries()) {
      const client = visitors[index] as TestClient;
      expect(await audit(nodeOf(stage).url, [client], ["lobby"], { whole: true })).toEqual([]);
      const authors = (await history(nodeOf(stage).url, "lobby")).map(({ user }) => user.name);
      expect(new Set(authors)).toEqual(new Set([stage]));
    }
    await Promise.all(
      [...worlds.flatMap(({ clients }) => clients), ...visitors].map((client) => client.stop()),
    );
  }, 120_000);

  test.each(PAIRS)("[G12] the user of %s may neither read nor write what is %s's", async (one, other) => {
    const redis = new Redis({
      port: world.redis.port,
      username: `skat-${one}`,
      password: PASSWORD,
      lazyConnect: true,
      retryStrategy: () => null,
    });
    await redis.connect();
    const key = `skat:${other}:{p1}:fence`;
    for (const command of [
      ["GET", key],
      ["SET", key, "1"],
      ["SPUBLISH", key, "1"],
      ["SSUBSCRIBE", key],
      ["EVAL", "return redis.call('GET', KEYS[1])", "1", key],
      ["SCAN", "0"],
      ["KEYS", "*"],
      ["FLUSHALL"],
      ["PUBSUB", "SHARDCHANNELS"],
      ["CONFIG", "GET", "*"],
    ] as const)
      await expect(redis.call(command[0], ...command.slice(1)), command.join(" ")).rejects.toThrow(
        /NOPERM|can't access|No permissions/,
      );
    redis.disconnect();

    const url = `postgres://${schemaOf(one)}:${PASSWORD}@127.0.0.1:${world.postgres.port}/postgres`;
    const client = new pg.Client({ connectionString: url, ssl: { ca: world.authority.ca } });
    await client.connect();
    for (const sql of [
      `SELECT count(*) FROM ${schemaOf(other)}.events`,
      `DELETE FROM ${schemaOf(other)}.events`,
      `CREATE TABLE ${schemaOf(other)}.x ()`,
      `DROP SCHEMA ${schemaOf(other)} CASCADE`,
      `SET ROLE ${schemaOf(other)}`,
    ])
      await expect(client.query(sql), sql).rejects.toThrow(/permission denied|must be owner/);
    await client.end();

    const sasl = { mechanism: "scram-sha-256" as const, username: `skat-${one}`, password: PASSWORD };
    const ssl = { ca: world.authority.ca };
    const kafka = new Kafka({
      brokers: [world.kafka.saslBrokers],
      ssl,
      sasl,
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    const [admin, producer] = [kafka.admin(), kafka.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.listTopics(); // without knowing the brokers kafkajs finds no coordinator either
    const typeOf = (work: Promise<unknown>) => work.then(() => "done", kafkaErrorType);
    const offsetsOf = (stage: Stage) =>
      admin.fetchOffsets({ groupId: `skat.${stage}.store`, topics: [topicOf(one)] });
    expect(await offsetsOf(one)).toHaveLength(1);
    // kafkajs asks for the group's coordinator first, and does not tell why it was refused.
    await expect(offsetsOf(other)).rejects.toThrow("Failed to find group coordinator");
    if (topicOf(one) !== topicOf(other)) {
      expect(await typeOf(producer.send({ topic: topicOf(other), messages: [{ value: "x" }] }))).toBe(
        "TOPIC_AUTHORIZATION_FAILED",
      );
      expect(await typeOf(admin.fetchTopicOffsets(topicOf(other)))).toBe("TOPIC_AUTHORIZATION_FAILED");
    }
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });

  test.each([
    ["redis", /redis.rights: .*NOPERM.* Cure: .*or set STAGE to the stage that these credentials are for/],
    ["kafka", /kafka.group: .*skat.pr-1.store.* Cure: .*or set STAGE/],
    ["postgres", /postgres.schema: This user may not use schema "skat_pr_1".* Cure: .*or set STAGE/],
  ] as const)(
    "[G12] a node with another stage's credentials for %s is refused in one line",
    async (engine, line) => {
      await expect(startNode(envOf("pr-1", { [engine]: "pr-12" }))).rejects.toThrow(line);
    },
  );

  test("production is never removed", async () => {
    expect(await stageCommand(["remove", "production"])).toEqual({
      code: 1,
      output: "The stage production is never removed by this command.\n",
    });
  });

  test("removing a stage leaves nothing of it and all of the others; a sweep removes closed previews only", async () => {
    await Promise.all((["pr-1", "pr-12"] as const).map(use));
    await Promise.all([nodes.get("pr-1")?.kill(), consumers.get("pr-1")?.kill()]);
    // Streams: the keys of ids are over after minutes.
    const keys = async (stage: Stage) => (await world.redisAdmin.keys(`skat:${stage}:*stream:*`)).length;
    const kept = await keys("pr-12");
    expect(await keys("pr-1")).toBeGreaterThan(0);
    expect(kept).toBeGreaterThan(0);
    expect((await stageCommand(["list"])).output.trim().split("\n")).toEqual([...STAGES]);
    expect(await stageCommand(["remove", "pr-1"], SHARED)).toMatchObject({ code: 0 });
    await expectGone("pr-1");
    expect(await keys("pr-12")).toBe(kept);
    expect(await world.kafkaAdmin.listTopics()).toContain(SHARED.KAFKA_TOPIC);
    expect(await stageCommand(["remove", "pr-1"], SHARED)).toMatchObject({ code: 0 }); // again: nothing is there to remove

    await use("pr-12");

    const open = await stageCommand(["sweep", "--open", "12,15"], SHARED);
    expect(open).toEqual({ code: 0, output: "" });
    await Promise.all([nodes.get("pr-12")?.kill(), consumers.get("pr-12")?.kill()]);
    expect((await stageCommand(["sweep", "--open", ""], SHARED)).code).toBe(1);
    expect(await stageCommand(["sweep", "--open", "1,15"], SHARED)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^pr-12\n/),
    });
    await expectGone("pr-12");
    expect((await stageCommand(["list"])).output.trim()).toBe("staging");
  }, 120_000);

  /** The chat of a stage works, and nothing is missing. */
  async function use(stage: Stage): Promise<void> {
    const { rooms, clients } = await joinAll([nodeOf(stage)], 2, 1);
    await load({ clients, rooms, messages: 50, perSecond: 100 });
    expect(await audit(nodeOf(stage).url, clients, rooms, { whole: true })).toEqual([]);
    await Promise.all(clients.map((client) => client.stop()));
  }

  async function expectGone(stage: Stage): Promise<void> {
    expect(await world.redisAdmin.keys(`skat:${stage}:*`)).toEqual([]);
    expect(await world.redisAdmin.call("ACL", "USERS")).not.toContain(`skat-${stage}`);
    const name = schemaOf(stage);
    expect(await world.query(`SELECT FROM pg_namespace WHERE nspname = '${name}'`)).toEqual([]);
    expect(await world.query(`SELECT FROM pg_roles WHERE rolname = '${name}'`)).toEqual([]);
    const { groups } = await world.kafkaAdmin.listGroups();
    expect(
      groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(`skat.${stage}.`)),
    ).toEqual([]);
    const topics = await world.kafkaAdmin.listTopics();
    expect(topics.filter((topic) => topic.startsWith(`skat.${stage}.`))).toEqual([]);
  }
});
