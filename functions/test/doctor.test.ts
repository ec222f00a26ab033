/** The preflight against engines as a provider hands them out: what is well passes, and each fault ends in one line with its cure. */
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { createServer } from "node:net";
import { plannedTopics, TIMESTAMP_BEFORE_MAX } from "../adapters/kafka-topics.ts";
import { examineRedis } from "../adapters/preflight-redis.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { topicsOptions } from "../engines.ts";
import { KafkaProgress } from "../adapters/kafka-progress.ts";
import { loadConfig } from "../config.ts";
import { lineOf, type Finding } from "../core/preflight.ts";
import { silentLogger } from "../lib/logger.ts";
import { examine } from "../preflight.ts";
import { audit } from "./audit.ts";
import { createAuthority } from "./authority.ts";
import { describeEngine } from "./engines.ts";
import { joinAll } from "./faults/world.ts";
import { runCommand, startConsumer, startNode, type Env, type Running } from "./harness.ts";
import { load } from "./load.ts";
import { PASSWORD, startSecureWorld, type SecureWorld } from "./secure-world.ts";
import { waitFor } from "./wait-for.ts";

const STAGE = "doctored";
const CHECKS = [
  ...["connect", "version", "role", "eviction", "clock", "rights"].map((name) => `redis.${name}`),
  ...["connect", "topics", "settings", "write", "group", "read"].map((name) => `kafka.${name}`),
  ...["connect", "version", "writable", "schema", "migrations", "rights", "partitions", "connections"].map(
    (name) => `postgres.${name}`,
  ),
];

describeEngine(["secure"], "doctor", () => {
  let world: SecureWorld;
  beforeAll(async () => {
    world = await startSecureWorld({
      redisUsers: [
        `user managed on >${PASSWORD} ~* &* +@all -config -cluster -acl -monitor -command -debug -bgsave`,
        `user mute on >${PASSWORD} ~* &* +@all -spublish`,
        `user other on >${PASSWORD} ~skat:other:* &skat:other:* +@all`,
      ],
      kafkaUsers: ["stranger"],
      kafkaProperties: { "connections.max.idle.ms": "2000" },
    });
  }, 90_000);
  afterAll(async () => void (await world?.close()), 60_000);

  function look(env: Env, brief = false): Promise<readonly Finding[]> {
    return examine(loadConfig({ STAGE, ...env }, "operator"), { brief });
  }

  /** The lines of everything that is not well. */
  async function faults(env: Env): Promise<string[]> {
    const findings = await look(env);
    return findings.filter(({ outcome }) => outcome === "failed" || outcome === "warning").map(lineOf);
  }

  describe("finds nothing wrong", () => {
    it.each<[string, (world: SecureWorld) => Env]>([
      ["with SCRAM, a private authority, `valkeys://` and `sslmode=require`", ({ env }) => env],
      [
        "where CONFIG, CLUSTER and ACL are denied",
        ({ env, redisEnv }) => ({ ...env, ...redisEnv("managed") }),
      ],
      [
        "with a client certificate for Kafka",
        (world) => ({ ...world.env, ...mtls(world, world.authority.sign("operator")) }),
      ],
    ])("%s", async (_, env) => {
      const findings = await look(env(world));
      expect(findings.map(({ outcome }) => outcome)).toEqual(Array(findings.length).fill("ok"));
      expect(findings.map(({ check }) => check)).toEqual(CHECKS);
    });
  });

  describe("redis", () => {
    const at = (url: string, more: Env = {}) => ({ REDIS_URL: url, REDIS_CA: world.authority.ca, ...more });
    it.each<[string, () => Env, RegExp]>([
      [
        "another authority",
        () => ({ ...world.redisEnv("default"), REDIS_CA: createAuthority().ca }),
        /connect: .*not signed .* Cure: set REDIS_CA/,
      ],
      [
        "a wrong password",
        () => at(`rediss://default:wrong@127.0.0.1:${world.redis.tlsPort}`),
        /connect: WRONGPASS.* Cure: .*REDIS_URL/,
      ],
      [
        "no password",
        () => at(`rediss://127.0.0.1:${world.redis.tlsPort}`),
        /connect: NOAUTH.* Cure: put user and password/,
      ],
      [
        "TLS to a plain port",
        () => at(`rediss://default:${PASSWORD}@127.0.0.1:${world.redis.port}`),
        /connect: .* Cure: .*TLS/,
      ],
      [
        "no TLS to a TLS port",
        () => ({ REDIS_URL: `redis://default:${PASSWORD}@127.0.0.1:${world.redis.tlsPort}` }),
        /connect: .*closed .* Cure: if the port speaks TLS, begin REDIS_URL with rediss:/,
      ],
      [
        "a port where nobody listens",
        () => ({ REDIS_URL: "redis://127.0.0.1:1" }),
        /connect: Nobody listens .* Cure: check host and port/,
      ],
      [
        "a denied command",
        () => world.redisEnv("mute"),
        /rights: NOPERM.*'spublish'.* Cure: let this user run/,
      ],
      [
        "another stage's user",
        () => world.redisEnv("other"),
        /rights: NOPERM.* Cure: .*~skat:doctored:\*.* or set STAGE/,
      ],
      [
        "a wish for a cluster",
        () => ({ ...world.redisEnv("managed"), REDIS_CLUSTER: "true" }),
        /role: REDIS_CLUSTER is true, and the server is part of no cluster.* Cure: leave REDIS_CLUSTER out/,
      ],
    ])("%s is one line with the cure", async (_, env, line) => {
      const lines = await faults(env());
      expect(lines).toEqual([expect.stringMatching(line)]);
      expect(lines.join()).not.toContain(PASSWORD);
    });

    it("eviction of messages is one line with the cure", async () => {
      await world.redisAdmin.config("SET", "maxmemory-policy", "allkeys-lru");
      try {
        expect(await faults(world.redisEnv("managed"))).toEqual([
          expect.stringMatching(/redis.eviction: .*allkeys-lru.* Cure: set maxmemory-policy to noeviction/),
        ]);
      } finally {
        await world.redisAdmin.config("SET", "maxmemory-policy", "noeviction");
      }
    });

    it("[G1] clocks that are apart are one line with the cure", async () => {
      const runtime = { ...systemRuntime, now: () => Date.now() - 2_000 };
      const { redis } = loadConfig({ ...world.redisEnv("default") }, "operator");
      if (!redis) throw new Error("no Redis is set");
      const findings = await examineRedis({ ...redis, stage: STAGE, runtime })(systemRuntime, {
        brief: true,
      });
      expect(findings.filter(({ outcome }) => outcome !== "ok").map(lineOf)).toEqual([
        expect.stringMatching(/redis.clock: .* (19|20)\d\d ms apart; 500 are allowed. Cure: .*NTP/),
      ]);
    });

    it("leaves nothing behind", async () => {
      await world.redisAdmin.flushall();
      await look(world.redisEnv("default"));
      expect(await world.redisAdmin.keys("*")).toEqual([]);
    });
  });

  describe("kafka", () => {
    it.each<[string, () => Env, RegExp]>([
      [
        "another authority",
        () => ({ ...world.kafkaEnv("operator"), KAFKA_CA: createAuthority().ca }),
        /connect: .*not signed .* Cure: set KAFKA_CA/,
      ],
      [
        "a wrong password",
        () => ({ ...world.kafkaEnv("operator"), KAFKA_PASSWORD: "wrong" }),
        /connect: .*invalid credentials.* Cure: give KAFKA_USERNAME/,
      ],
      [
        "TLS to a plain port",
        () => ({ ...world.kafkaEnv("operator"), KAFKA_BROKERS: world.kafka.brokers }),
        /connect: Kafka's port does not speak TLS.* Cure: take the TLS port/,
      ],
      [
        "a password where none is taken",
        () => ({
          ...world.kafkaEnv("operator"),
          KAFKA_BROKERS: world.kafka.brokers,
          KAFKA_CA: "",
          KAFKA_SSL: "false",
        }),
        /connect: The port takes no passwords.* Cure: take the SASL port/,
      ],
      [
        "no TLS to a TLS port",
        () => ({ KAFKA_BROKERS: world.kafka.saslBrokers }),
        /connect: .*closed .* Cure: if the port speaks TLS, set KAFKA_SSL=true/,
      ],
      [
        "no certificate where one is wanted",
        () => ({ KAFKA_BROKERS: world.kafka.mtlsBrokers, KAFKA_CA: world.authority.ca }),
        /connect: .*wants a client certificate.* Cure: /,
      ],
      [
        "a certificate of another authority",
        () => mtls(world, { ...createAuthority().sign("operator"), ca: world.authority.ca }),
        /connect: .*wants a client certificate.* Cure: /,
      ],
      [
        "another mechanism",
        () => ({ ...world.kafkaEnv("operator"), KAFKA_SASL_MECHANISM: "plain" }),
        /connect: .*mechanism.* Cure: set KAFKA_SASL_MECHANISM/,
      ],
    ])("%s is one line with the cure", async (_, env, line) => {
      const lines = await faults(env());
      expect(lines).toEqual([expect.stringMatching(line)]);
      expect(lines.join()).not.toContain(PASSWORD);
    });

    it("a missing topic that may be created is announced, and one that may not is named with its settings", async () => {
      const [topics] = (await look(world.kafkaEnv("operator"))).filter(
        ({ check }) => check === "kafka.topics",
      );
      expect(topics?.found).toContain("skat.doctored.events is missing, the start creates it");
      expect(await world.kafkaAdmin.listTopics()).not.toContain("skat.doctored.events");
      const lines = await faults({ ...world.kafkaEnv("stranger"), STAGE: "unheard" });
      expect(lines[0]).toMatch(/kafka.topics: .*skat.unheard.events.* Cure: /);
    });

    it("rights that are missing, and topics that lose messages, are named with the cure", async () => {
      const topic = "skat.rightless.events";
      const deadLetters = "skat.rightless.dead-letters";
      await world.kafkaAdmin.createTopics({
        topics: [
          { topic, configEntries: [{ name: "cleanup.policy", value: "compact" }] },
          { topic: deadLetters },
        ],
      });
      const env = { STAGE: "rightless" };
      expect((await faults({ ...world.kafkaEnv("stranger"), ...env }))[0]).toMatch(
        /kafka.topics: These credentials may not use the topics .* Cure: let them Read, Write/,
      );
      expect(await faults({ ...world.kafkaEnv("operator"), ...env })).toEqual([
        expect.stringMatching(
          /kafka.settings: .*cleanup.policy=compact.* Cure: set the topic's cleanup.policy to delete/,
        ),
      ]);
    });

    it.each([
      ["write", ["READ", "DESCRIBE", "DESCRIBE_CONFIGS"]],
      ["read", ["WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"]],
      ["group", ["READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"]],
    ] as const)(
      "a right that is missing for kafka.%s is named, and looking writes nothing",
      async (check, operations) => {
        const stage = `lacks-${check}`;
        const topics = ["events", "dead-letters"].map((name) => `skat.${stage}.${name}`);
        await world.kafkaAdmin.createTopics({ topics: topics.map((topic) => ({ topic })) });
        const allow = {
          principal: "User:stranger",
          host: "*",
          permissionType: kafkajs.AclPermissionTypes.ALLOW,
        };
        const onTopic = {
          resourceType: kafkajs.AclResourceTypes.TOPIC,
          resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
        };
        const onGroup = {
          resourceType: kafkajs.AclResourceTypes.GROUP,
          resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
        };
        await world.kafkaAdmin.createAcls({
          acl: [
            ...topics.flatMap((resourceName) =>
              operations.map((name) => ({
                ...allow,
                ...onTopic,
                resourceName,
                operation: kafkajs.AclOperationTypes[name],
              })),
            ),
            ...(check === "group"
              ? []
              : [
                  {
                    ...allow,
                    ...onGroup,
                    resourceName: `skat.${stage}.`,
                    operation: kafkajs.AclOperationTypes.READ,
                  },
                ]),
          ],
        });
        const findings = await look({ ...world.kafkaEnv("stranger"), STAGE: stage });
        const failed = findings.filter(({ outcome }) => outcome === "failed").map(lineOf);
        expect(failed[0]).toMatch(
          new RegExp(`^kafka.${check}: These credentials may not use .* Cure: let them`),
        );
        const seen = await look({ ...world.kafkaEnv("operator"), STAGE: stage });
        expect(seen.map(lineOf).join("\n")).not.toContain("could not be removed");
        for (const topic of topics)
          expect((await world.kafkaAdmin.fetchTopicOffsets(topic)).map(({ high }) => high)).toEqual(["0"]);
        expect((await world.kafkaAdmin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain(
          `skat.${stage}.store.doctor`,
        );
      },
    );

    it("[G3] of three replicas two must have what is saved, where we create the topic", () => {
      const { kafka } = loadConfig({ ...world.kafkaEnv("operator"), KAFKA_REPLICATION: "3" }, "operator");
      if (!kafka) throw new Error("no Kafka is set");
      for (const { configEntries } of plannedTopics(topicsOptions(kafka, silentLogger)))
        expect(configEntries).toContainEqual({ name: "min.insync.replicas", value: "2" });
    });

    it("a short retention is a warning, with which all is still well", async () => {
      const configEntries = [
        { name: "retention.ms", value: "3600000" },
        { name: "max.message.bytes", value: "2000000" },
      ];
      const topics = ["events", "dead-letters"].map((name) => ({
        topic: `skat.hasty.${name}`,
        configEntries,
      }));
      await world.kafkaAdmin.createTopics({ topics });
      const findings = await look({ ...world.kafkaEnv("operator"), STAGE: "hasty" });
      expect(findings.filter(({ outcome }) => outcome !== "ok")).toEqual([
        expect.objectContaining({
          check: "kafka.settings",
          outcome: "warning",
          cure: "set the topic's retention.ms to 604800000.",
        }),
      ]);
    });

    it("[N8] a topic that takes records after their time is a warning, with its cure", async () => {
      const env = { ...world.kafkaEnv("operator"), STAGE: "patient" };
      const { kafka } = loadConfig(env, "operator");
      if (!kafka) throw new Error("no Kafka is set");
      const planned = plannedTopics(topicsOptions(kafka, silentLogger));
      const topics = planned.map(({ configEntries = [], ...topic }) => ({
        ...topic,
        configEntries: configEntries.filter(({ name }) => name !== TIMESTAMP_BEFORE_MAX),
      }));
      await world.kafkaAdmin.createTopics({ topics });
      const findings = await look(env);
      expect(findings.filter(({ outcome }) => outcome !== "ok")).toEqual([
        expect.objectContaining({
          check: "kafka.settings",
          outcome: "warning",
          cure: "set the topic's message.timestamp.before.max.ms to 5000.",
        }),
      ]);
    });

    it("[G3] a topic that can't have enough replicas is named", async () => {
      const configEntries = [{ name: "min.insync.replicas", value: "2" }];
      const topics = ["events", "dead-letters"].map((name) => ({
        topic: `skat.lonely.${name}`,
        configEntries,
      }));
      await world.kafkaAdmin.createTopics({ topics });
      expect(await faults({ ...world.kafkaEnv("operator"), STAGE: "lonely" })).toEqual([
        expect.stringMatching(/kafka.settings: .*1 replicas, and min.insync.replicas is 2.* Cure: /),
      ]);
    });
  });

  describe("postgres", () => {
    const at = (change: (url: string) => string, more: Env = {}): Env => {
      const { DATABASE_URL: url = "", ...rest } = world.postgresEnv("operator");
      return { ...rest, DATABASE_URL: change(url), ...more };
    };
    it.each<[string, () => Env, RegExp]>([
      [
        "another authority",
        () => at((url) => url, { DATABASE_CA: createAuthority().ca }),
        /connect: .*not signed .* Cure: set DATABASE_CA/,
      ],
      [
        "a wrong password",
        () => at((url) => url.replace(PASSWORD, "wrong")),
        /connect: password authentication failed.* Cure: give user and password/,
      ],
      [
        "no TLS where it is wanted",
        () => at((url) => url.replace("?sslmode=require", ""), { DATABASE_CA: "" }),
        /connect: no pg_hba.conf entry.*no encryption.* Cure: add `\?sslmode=require`/,
      ],
      [
        "a port where nobody listens",
        () => at((url) => url.replace(/:\d+\/postgres/, ":1/postgres")),
        /connect: Nobody listens .* Cure: check host and port/,
      ],
      [
        "no such database",
        () => at((url) => url.replace("/postgres?", "/nowhere?")),
        /connect: database "nowhere" does not exist.* Cure: name a database/,
      ],
      [
        "another schema in force",
        () => at((url) => `${url}&options=-c%20search_path%3Dpublic`),
        /schema: The connection is in schema "public" instead of "skat_doctored".* Cure: take `options` out/,
      ],
      [
        "too few connections",
        () => at((url) => url, { DATABASE_POOL_MAX: "1000" }),
        /connections: \d+ connections are free.* Cure: lower DATABASE_POOL_MAX/,
      ],
      [
        "migrations that nobody applies",
        () => at((url) => url, { DATABASE_MIGRATE: "false" }),
        /migrations: Migrations are pending.* Cure: run `npm run migrate`/,
      ],
    ])("%s is one line with the cure", async (_, env, line) => {
      const lines = await faults(env());
      expect(lines).toEqual([expect.stringMatching(line)]);
      expect(lines.join()).not.toContain(PASSWORD);
    });

    it("a user without rights, and one without free connections, are named with the cure", async () => {
      await world.query(`CREATE ROLE guest LOGIN PASSWORD '${PASSWORD}'`);
      expect(await faults(world.postgresEnv("guest"))).toEqual([
        expect.stringMatching(
          /postgres.schema: .*no schema "skat_doctored", and this user may not make it.* Cure: /,
        ),
      ]);
      await world.query("CREATE SCHEMA skat_doctored");
      expect((await faults(world.postgresEnv("guest")))[0]).toMatch(
        /postgres.schema: This user may not use schema.* Cure: grant it, or set STAGE/,
      );
      await world.query("DROP SCHEMA skat_doctored");
      await world.query("CREATE SCHEMA skat_barred CREATE TABLE events ()");
      await world.query("GRANT USAGE ON SCHEMA skat_barred TO guest");
      expect(await faults({ ...world.postgresEnv("guest"), STAGE: "barred" })).toEqual([
        expect.stringMatching(
          /postgres.rights: This user may not use the tables events.* Cure: grant SELECT/,
        ),
      ]);
      await world.query("DROP TABLE skat_barred.events");
      await world.query(
        "CREATE TABLE skat_barred.events (id uuid) PARTITION BY RANGE (id); CREATE TABLE skat_barred.events_rest PARTITION OF skat_barred.events DEFAULT",
      );
      await world.query("GRANT ALL ON skat_barred.events TO guest");
      const kept = { ...world.postgresEnv("guest"), STAGE: "barred", EVENTS_PARTITION_DAYS: "30" };
      expect(await faults({ ...kept, EVENTS_PARTITION_DAYS: "" }), "a partition has no rights").toEqual([]);
      expect(await faults(kept)).toEqual([
        expect.stringMatching(
          /postgres.partitions: The table of events belongs to \w+.* Cure: let the consumer/,
        ),
      ]);
      expect(
        await faults({ ...world.postgresEnv("operator"), STAGE: "fresh", EVENTS_PARTITION_DAYS: "30" }),
      ).toEqual([]);
      await world.query(
        `CREATE SCHEMA skat_midway AUTHORIZATION operator CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz)`,
      );
      await world.query("GRANT ALL ON skat_midway._prisma_migrations TO operator");
      await world.query("INSERT INTO skat_midway._prisma_migrations VALUES ('2026_midway')");
      const midway = { ...world.postgresEnv("operator"), STAGE: "midway" };
      expect(await faults(midway)).toEqual([]); // another process may be at it
      expect(await faults({ ...midway, DATABASE_MIGRATE: "false" })).toEqual([
        expect.stringMatching(/postgres.migrations: .*under way or has failed. Cure: .*migrate resolve/),
      ]);
      await world.query("ALTER ROLE operator SET default_transaction_read_only = on");
      expect(await faults(world.postgresEnv("operator"))).toEqual([
        expect.stringMatching(/postgres.writable: .*no writes.* Cure: name the primary/),
      ]);
      await world.query("ALTER ROLE operator RESET default_transaction_read_only");
      await world.query("ALTER ROLE guest CONNECTION LIMIT 0");
      expect(await faults(world.postgresEnv("guest"))).toEqual([
        expect.stringMatching(/postgres.connect: too many connections.* Cure: lower DATABASE_POOL_MAX/),
      ]);
    });
  });

  it("says of a server that speaks no TLS at all that it doesn't", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.end("N")).on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const env = { DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/db?sslmode=require` };
    expect(await faults(env)).toEqual([
      expect.stringMatching(/postgres.connect: PostgreSQL's port does not speak TLS/),
    ]);
    await new Promise((resolve) => server.close(resolve));
  });

  describe("the command", () => {
    it.each<[string, Env, number]>([
      ["0 where all is well", {}, 0],
      ["1 where a check fails", { REDIS_URL: "redis://127.0.0.1:1", REDIS_CA: "" }, 1],
      ["2 where a setting is wrong", { REDIS_URL: "http://127.0.0.1" }, 2],
    ])("ends with %s, and says the same as JSON", async (_, change, code) => {
      const env = { STAGE, ...world.env, ...change };
      const ask = async (...args: string[]) => {
        const { code: ended, out, err } = await runCommand("doctor", env, args);
        return { code: ended, output: out + err };
      };
      const [plain, json] = await Promise.all([ask(), ask("--json")]);
      expect([plain.code, json.code]).toEqual([code, code]);
      const answer = JSON.parse(json.output) as { ok: boolean; checks: Finding[] };
      expect(answer.ok).toBe(code === 0);
      expect(answer.checks.length > 0).toBe(code !== 2);
      for (const finding of answer.checks.filter(({ outcome }) => outcome === "failed"))
        expect(plain.output).toContain(`FAILED  ${lineOf(finding)}\n`);
      expect(plain.output + json.output).not.toContain(PASSWORD);
    });
  });

  it.each([
    ["a node", startNode],
    ["a consumer", startConsumer],
  ])("%s that can't use its engines ends at once and says which check failed", async (_, start) => {
    const env = { STAGE, AUTH_SECRET: "s".repeat(40), ...world.env, ...world.redisEnv("other") };
    await expect(start(env)).rejects.toThrow(/can't start \(\w+\): redis.rights: NOPERM.* Cure: .*set STAGE/);
  });

  describe("under a provider's conditions", () => {
    let nodes: Running[];
    let consumer: Running;
    beforeAll(async () => {
      const env = {
        STAGE,
        AUTH_SECRET: "s".repeat(40),
        LOG_LEVEL: "debug",
        ...world.env,
        ...world.redisEnv("managed"),
      };
      const [first, second] = [
        startNode(env),
        startNode({ ...env, ...mtls(world, world.authority.sign("operator")) }),
      ];
      nodes = [await first, await second];
      consumer = await startConsumer(env);
    }, 60_000);
    afterAll(async () => void (await Promise.all([...nodes, consumer].map((one) => one?.kill()))));

    test("the chat works by TLS, SCRAM and client certificates, and goes on after the server closed what was idle or old", async () => {
      const { rooms, clients } = await joinAll(nodes, 4, 2);
      const say = () => load({ clients, rooms, messages: 60, perSecond: 200 });
      await say();
      expect(await audit(nodes[0]?.url ?? "", clients, rooms, { whole: true })).toEqual([]);
      // It is last in use when all that the nodes do is done: when it is closed as idle, theirs are too.
      const { kafka } = loadConfig({ STAGE, ...world.env }, "operator");
      const canary = kafka && new KafkaProgress(kafka, kafka.topic, kafka.groupId, silentLogger);
      await canary?.read();
      const sockets = () =>
        process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
      const before = sockets();
      await waitFor(() => sockets() < before, "Kafka to close what is idle", 20_000);
      expect(await canary?.read()).toHaveLength(6);
      await canary?.close();
      await world.redisAdmin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await world.redisAdmin.call("CLIENT", "KILL", "TYPE", "pubsub");
      const ended = await world.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'skat'",
      );
      expect(ended.length).toBeGreaterThan(1);
      await say();
      expect(await audit(nodes[0]?.url ?? "", clients, rooms)).toEqual([]);
      await Promise.all(clients.map((client) => client.stop()));
    }, 90_000);
  });
});

function mtls({ kafka }: SecureWorld, { ca, cert, key }: { ca: string; cert: string; key: string }): Env {
  const none = { KAFKA_USERNAME: "", KAFKA_PASSWORD: "" };
  return { KAFKA_BROKERS: kafka.mtlsBrokers, KAFKA_CA: ca, KAFKA_CERT: cert, KAFKA_KEY: key, ...none };
}
