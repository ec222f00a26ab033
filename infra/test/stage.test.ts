/** Stages and settings by themselves: these need neither SST nor a cloud. */
import { describe, expect, it } from "vitest";
import { VARIABLE_GROUPS, VARIABLES } from "../../functions/config/variables.ts";
import { loadConfig } from "../../functions/config.ts";
import { KEEP_ALIVE_MS } from "../../functions/http/server.ts";
import { CLOSE_MS } from "../../functions/process.ts";
import { SECRETS, variablesOf, type Part } from "../secret-names.ts";
import { readSettings } from "../settings.ts";
import { DATABASE_POOL_MAX, stageOf, TIMEOUTS } from "../stage.ts";

const ENGINES = {
  REDIS_URL: "redis://redis.example",
  KAFKA_BROKERS: "kafka.example:1",
  DATABASE_URL: "postgres://postgres.example/db",
};
const previews = Array.from({ length: 9999 }, (_, index) => `pr-${index + 1}`);

describe("infra: stages", () => {
  it.each([
    "Production",
    "prod",
    "production2",
    "pr-0",
    "pr-012",
    "pr-10000",
    "pr-1a",
    "pr_1",
    "-a",
    "a-",
    "a--b",
    "1a",
    "",
  ])("refuses the name %j", (name) => {
    expect(() => stageOf(name)).toThrow(/is no name of a stage/);
  });

  it("takes production, every pull request from 1 to 9999, and a person's own", () => {
    const kinds = ["production", ...previews, "ann", "ann-2"].map((name) => stageOf(name).kind);
    expect(kinds.filter((kind) => kind === "preview")).toHaveLength(9999);
    expect([kinds[0], ...kinds.slice(-2)]).toEqual(["production", "personal", "personal"]);
  });

  it("[G12] gives names to every pull request that are legal for the processes, and that no two share", () => {
    const { schema } = VARIABLE_GROUPS.Process.STAGE;
    expect(previews.filter((name) => !schema.safeParse(name).success)).toEqual([]);
    const sample = ["production", "pr-1", "pr-12", "pr-9999", `a${"-b".repeat(9)}`];
    const configs = sample.map((name) => loadConfig({ ...ENGINES, STAGE: stageOf(name).name }, "consumer"));
    const names = configs.flatMap(({ kafka, database }) => [
      kafka.topic,
      kafka.deadLetterTopic,
      kafka.groupId,
      database.schema,
    ]);
    expect(new Set(names).size).toBe(4 * sample.length);
    expect(names.filter((name) => !/^[\w.-]{1,63}$/.test(name))).toEqual([]);
    // Hyphens become underscores in a schema, and no name has underscores: so that is unique too.
    expect(new Set(previews.map((name) => name.replaceAll("-", "_"))).size).toBe(previews.length);
  });

  it("keeps production and lets the others go", () => {
    expect(stageOf("production")).toMatchObject({ isKept: true, isSpot: false, hasAlarms: true });
    expect(stageOf("pr-12")).toMatchObject({ isKept: false, isSpot: true, hasAlarms: false });
  });
});

describe("infra: figures that only make sense together", () => {
  it("two heartbeats pass before anything on the way gives up", () => {
    const CLOUDFRONT_IDLE_SECONDS = 600;
    expect(2 * TIMEOUTS.heartbeatMs).toBeLessThan(TIMEOUTS.balancerIdleSeconds * 1000);
    expect(TIMEOUTS.balancerIdleSeconds).toBeLessThan(CLOUDFRONT_IDLE_SECONDS);
  });

  it("whoever sends next on an idle connection is the one that closes it", () => {
    expect(TIMEOUTS.cdnKeepAliveSeconds).toBeLessThan(TIMEOUTS.balancerIdleSeconds);
    expect(TIMEOUTS.balancerIdleSeconds * 1000).toBeLessThan(KEEP_ALIVE_MS);
  });

  it("[G11] a task is drained before it is stopped, and stopped before the balancer forgets it", () => {
    const STOP_SECONDS_MAX_OF_FARGATE = 120;
    expect(TIMEOUTS.drainMs + CLOSE_MS).toBeLessThan(TIMEOUTS.stopSeconds * 1000);
    expect(TIMEOUTS.stopSeconds).toBeLessThan(TIMEOUTS.deregistrationSeconds);
    expect(TIMEOUTS.stopSeconds).toBeLessThanOrEqual(STOP_SECONDS_MAX_OF_FARGATE);
  });

  it("connections to PostgreSQL fit a plan of a hundred, three of them the administrator's, in mid-deployment too", () => {
    const { node, consumer } = stageOf("production");
    const tasks = 2 * (node.max + consumer.count);
    expect(tasks * DATABASE_POOL_MAX).toBeLessThanOrEqual(97);
  });

  it("no consumer is without a partition, and replicas outlive the loss of one broker", () => {
    for (const { consumer, topic } of [stageOf("production"), stageOf("pr-1")]) {
      expect(consumer.count).toBeLessThanOrEqual(topic.partitions);
      expect(topic.replication).toBeGreaterThanOrEqual(2);
    }
  });
});

describe("infra: secrets", () => {
  it("are all that the processes know, and the settings of who may come in", () => {
    const settable = (Object.keys(SECRETS) as Part[]).flatMap(variablesOf);
    expect(settable.filter((name) => !(name in VARIABLES))).toEqual([]);
    const secret = Object.keys(VARIABLES).filter((name) => VARIABLES[name]?.secret);
    // The stack knows by itself where the page is.
    const known = ["ALLOWED_ORIGINS", "PUBLIC_URL"];
    const wanted = [...secret, ...Object.keys(VARIABLE_GROUPS.Access)].filter(
      (name) => !known.includes(name),
    );
    expect(wanted.filter((name) => !settable.includes(name))).toEqual([]);
  });
});

describe("infra: settings", () => {
  const read = (name: string, env: Record<string, string>) => readSettings(stageOf(name), env);

  it("production has a name of its own and makes its network", () => {
    expect(read("production", { SKAT_DOMAIN: "chat.example.org", SKAT_VPC_ID: "vpc-1" })).toEqual({
      domain: "chat.example.org",
      consumer: "service",
      keeping: {},
    });
    expect(() => read("production", {})).toThrow(/SKAT_DOMAIN/);
    expect(() => read("production", { SKAT_DOMAIN: "a.example", SKAT_CONSUMER: "schedule" })).toThrow(
      /SKAT_CONSUMER/,
    );
  });

  it("a preview shares the network and takes CloudFront's name", () => {
    expect(read("pr-1", { SKAT_DOMAIN: "chat.example.org", SKAT_VPC_ID: "vpc-1" })).toEqual({
      vpcId: "vpc-1",
      consumer: "service",
      keeping: {},
    });
    expect(() => read("pr-1", {})).toThrow(/SKAT_VPC_ID/);
  });

  it("clients of Socket.IO are served when it is chosen how", () => {
    const read = (how: string) => readSettings(stageOf("pr-1"), { SKAT_VPC_ID: "vpc-1", SKAT_SOCKETIO: how });
    expect(read("polling").socketIo).toBe("polling");
    expect(read("")).not.toHaveProperty("socketIo");
    expect(() => read("yes")).toThrow(/SKAT_SOCKETIO/);
  });

  it("how long events are kept is the consumer's, in whole days that it takes", () => {
    const read = (days: string) =>
      readSettings(stageOf("pr-1"), { SKAT_VPC_ID: "vpc-1", SKAT_RETENTION_DAYS: days });
    expect(read("365").keeping).toEqual({ RETENTION_DAYS: "365" });
    expect(read("").keeping).toEqual({});
    for (const days of ["7", "1e3", "-30", "40000"]) expect(() => read(days)).toThrow(/SKAT_RETENTION_DAYS/);
    for (const name of ["RETENTION_DAYS", "EVENTS_PARTITION_DAYS"] as const)
      for (const days of ["0", "1", "8", "3650", "3651", "36500", "36501"]) {
        const isTaken = VARIABLES[name]?.schema.safeParse(days).success;
        const reading = () => readSettings(stageOf("pr-1"), { SKAT_VPC_ID: "vpc-1", [`SKAT_${name}`]: days });
        if (isTaken) expect(reading().keeping).toEqual({ [name]: days });
        else expect(reading).toThrow(`SKAT_${name}`);
      }
  });

  it("tells every fault at once", () => {
    expect(() => read("pr-1", { AIVEN_TOKEN: "t", AIVEN_KAFKA: "k", SKAT_CONSUMER: "never" })).toThrow(
      /SKAT_VPC_ID.*SKAT_CONSUMER.*AIVEN_PROJECT.*AIVEN_VALKEY/,
    );
  });
});
