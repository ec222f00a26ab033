/** The log on Kafka: the contract on a real broker, and what is Kafka's own: stages, topics, batches it refuses. */
import { afterEach, beforeEach, describe, expect, it, vi, inject } from "vitest";
import { describeEngine } from "./engines.ts";
import { KafkaEventLog } from "../adapters/event-log-kafka.ts";
import { ensureTopics } from "../adapters/kafka-topics.ts";
import { KafkaLogConsumer } from "../adapters/log-consumer-kafka.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { LogRejectedError } from "../core/event-log.ts";
import { createLogger, silentLogger } from "../lib/logger.ts";
import {
  collector,
  DEADLINE,
  describeDurableLog,
  describeEventLog,
  numbered,
  valuesOf,
} from "./event-log-contract.ts";
import {
  createKafkaWorld,
  kafkaConfig,
  type KafkaWorld,
  membersOf,
  plainKafka,
  topicsOf,
} from "./kafka-world.ts";

const { kafkaBrokers } = inject("engines");
const brokers = [kafkaBrokers ?? ""];
/** Nobody listens there. */
const NOWHERE = ["127.0.0.1:1"];

describeEngine(["kafka"], "kafka", () => {
  describeEventLog("kafka", () => createKafkaWorld(kafkaConfig(brokers)));
  describeDurableLog("kafka", () => createKafkaWorld(kafkaConfig(brokers)));
});

describeEngine(["kafka"], "kafka log", () => {
  let world: KafkaWorld;
  beforeEach(async () => {
    world = await createKafkaWorld(kafkaConfig(brokers));
  });
  afterEach(() => world.close());

  it("writes key, value and headers that other programs can read", async () => {
    const log = world.openLog();
    await log.append([
      {
        room: "red",
        value: '{"n":1}',
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      },
      { room: "red", value: '{"n":2}' },
    ]);
    expect(await readPlainly(world, 2)).toEqual([
      {
        key: "test/red",
        value: '{"n":1}',
        headers: {
          stage: "test",
          v: "1",
          traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        },
      },
      { key: "test/red", value: '{"n":2}', headers: { stage: "test", v: "1" } },
    ]);
  });

  it("[G12] two stages on one topic: each reads at its own pace and is told who wrote", async () => {
    const other = { ...world.config, stage: "other", groupId: `${world.config.groupId}.other` };
    const common = { config: other, runtime: systemRuntime, logger: silentLogger };
    const [otherLog, otherConsumer] = [new KafkaEventLog(common), new KafkaLogConsumer(common)];
    const [own, foreign] = [collector(), collector()];
    const consumer = world.openConsumer();
    await consumer.start(own.handle);
    await world.openLog().append(numbered("red", 0, 3));
    await otherLog.append(numbered("red", 3, 3));
    await expect.poll(() => own.records.length, DEADLINE).toBe(6);
    expect(own.records.map(({ stage, key, value }) => `${stage} ${key} ${value}`).toSorted()).toEqual([
      ...["other other/red 3", "other other/red 4", "other other/red 5"],
      ...["test test/red 0", "test test/red 1", "test test/red 2"],
    ]);
    expect((await otherConsumer.progress()).every(({ committed }) => committed === 0n)).toBe(true);
    await otherConsumer.start(foreign.handle);
    await expect.poll(() => foreign.records.length, DEADLINE).toBe(6);
    await Promise.all([otherLog.close(), otherConsumer.close()]);
  });

  it("a record too large is refused as such, and the next one is taken", async () => {
    const log = world.openLog();
    const large = { room: "red", value: "x".repeat(1_200_000) };
    await expect(log.append([large])).rejects.toThrow(LogRejectedError);
    const batch = Array.from({ length: 8 }, () => ({ room: "red", value: "x".repeat(200_000) }));
    await expect(log.append(batch)).rejects.toThrow("MESSAGE_TOO_LARGE");
    await log.append(numbered("red", 0, 1));
    expect((await readPlainly(world, 1)).map(({ value }) => value)).toEqual(["0"]);
  });

  it("records of nobody in particular are handed over too", async () => {
    const producer = plainKafka(world.config).producer();
    await producer.connect();
    await producer.send({
      topic: world.config.topic,
      messages: [{ key: null, value: null }, { value: "text" }],
    });
    await producer.disconnect();
    const { records, handle } = collector();
    await world.openConsumer().start(handle);
    await expect.poll(() => records.length, DEADLINE).toBe(2);
    expect(records.map(({ key, stage }) => [key, stage])).toEqual([
      ["", undefined],
      ["", undefined],
    ]);
    expect(valuesOf(records).toSorted()).toEqual(["", "text"]);
  });

  it("[G8] a batch that is held while another member joins comes again, to one of the two", async () => {
    const log = world.openLog();
    await log.append(numbered("red", 0, 10));
    let isAway = true;
    let tries = 0;
    const stored: string[] = [];
    const [first, second] = [world.openConsumer(), world.openConsumer()];
    const handle: Parameters<typeof first.start>[0] = async (batch) => {
      tries++;
      while (isAway) {
        if (!(await batch.keepAlive())) throw new Error("the batch is no longer ours");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      stored.push(...valuesOf(batch.records));
    };
    await first.start(handle);
    await expect.poll(() => tries, DEADLINE).toBe(1);
    await second.start(handle);
    await expect.poll(() => tries, DEADLINE).toBeGreaterThan(1);
    isAway = false;
    await expect
      .poll(
        async () => (await first.progress()).reduce((sum, { committed }) => sum + committed, 0n),
        DEADLINE,
      )
      .toBe(10n);
    expect([...new Set(stored)]).toEqual(Array.from({ length: 10 }, (_, index) => String(index)));
  });

  it("a consumer that is closed while it joins leaves no member behind", async () => {
    // At every moment of a join, from connecting to having joined.
    for (let delayMs = 0; delayMs < 40; delayMs += 5) {
      const consumer = world.openConsumer();
      await consumer.start(async () => {});
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await consumer.close();
      expect(await membersOf(world.config)).toBe(0);
    }
    const { records, handle } = collector();
    await world.openConsumer().start(handle);
    await world.openLog().append(numbered("red", 0, 1));
    await expect.poll(() => records.length, DEADLINE).toBe(1);
    expect(await membersOf(world.config)).toBe(1);
  });

  it("a letter's reason is cut, so that the letter fits where its record did", async () => {
    const letters = world.openDeadLetters();
    const value = "x".repeat(1_040_000);
    await letters.put({ key: "k", value, stage: "test", partition: 3, offset: 9n, reason: "r".repeat(1e6) });
    expect((await letters.list()).map(({ reason }) => reason)).toEqual(["r".repeat(1000)]);
  });

  it("an idle connection sets no timers of a millisecond", async () => {
    const consumer = world.openConsumer();
    await consumer.progress();
    const timers = vi.spyOn(globalThis, "setTimeout");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(timers.mock.calls.length).toBeLessThan(20);
    timers.mockRestore();
  });
});

describeEngine(["kafka"], "kafka topics", () => {
  it("are created by any number of processes at once, with the settings asked for", async () => {
    const config = kafkaConfig(brokers);
    const options = topicsOf(config, { partitions: 7, retentionMs: 86_400_000, maxMessageBytes: 500_000 });
    await Promise.all(Array.from({ length: 4 }, () => ensureTopics(options)));
    await ensureTopics(options);
    const admin = plainKafka(config).admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [config.topic, config.deadLetterTopic] });
    expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual(
      expect.arrayContaining([
        [config.topic, 7],
        [config.deadLetterTopic, 1],
      ]),
    );
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: config.topic }],
    });
    const settings = Object.fromEntries(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
    );
    expect(settings).toMatchObject({
      "cleanup.policy": "delete",
      "retention.ms": "86400000",
      "max.message.bytes": "500000",
    });
    await admin.deleteTopics({ topics: [config.topic, config.deadLetterTopic] });
    await admin.disconnect();
  });

  it("that can't be created are named, with how to create them", async () => {
    const config = kafkaConfig(brokers);
    const options = topicsOf(config, {
      partitions: 6,
      replicationFactor: 3,
      retentionMs: 1000,
      maxMessageBytes: 99,
    });
    await expect(ensureTopics(options)).rejects.toThrow(
      `Kafka topic "${config.topic}" is missing and could not be created (INVALID_REPLICATION_FACTOR). ` +
        "Create it: partitions 6, replication factor 3, cleanup.policy=delete, retention.ms=1000, max.message.bytes=99, min.insync.replicas=2, message.timestamp.before.max.ms=5000.",
    );
  });
});

describe("without a broker", () => {
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  const common = { config: kafkaConfig(NOWHERE), runtime: systemRuntime, logger };

  it("[G7] append and progress reject, as unavailable, and the log says why, nobody else does", async () => {
    const written = [vi.spyOn(console, "log"), vi.spyOn(console, "error"), vi.spyOn(process.stdout, "write")];
    const [log, consumer] = [new KafkaEventLog(common), new KafkaLogConsumer(common)];
    await expect(log.append(numbered("red", 0, 1))).rejects.toThrow("ECONNREFUSED");
    await expect(log.append(numbered("red", 0, 1))).rejects.not.toThrow(LogRejectedError);
    await expect(consumer.progress()).rejects.toMatchObject({ code: "unavailable" });
    await Promise.all([log.close(), consumer.close()]);
    expect(lines.join("")).toContain("ECONNREFUSED");
    for (const spy of written) {
      expect(spy.mock.calls.filter(([text]) => String(text).includes("ECONNREFUSED"))).toEqual([]);
      spy.mockRestore();
    }
  });

  it("a consumer starts, keeps trying, and closes", async () => {
    const consumer = new KafkaLogConsumer(common);
    lines.length = 0;
    await consumer.start(async () => {});
    const replaced = (): number => lines.filter((line) => line.includes("is replaced")).length;
    await expect.poll(replaced, DEADLINE).toBeGreaterThan(1);
    await consumer.close();
    const before = replaced();
    await consumer.close();
    expect(replaced()).toBe(before);
  });
});

interface PlainRecord {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly headers: Record<string, string>;
}

/** What is on the topic, by kafkajs alone. */
async function readPlainly({ config }: KafkaWorld, count: number): Promise<PlainRecord[]> {
  const consumer = plainKafka(config).consumer({ groupId: `${config.groupId}.plain`, maxWaitTimeInMs: 100 });
  const records: PlainRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: config.topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers } }) => {
      const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
      records.push({ key: key?.toString(), value: value?.toString(), headers: Object.fromEntries(texts) });
    },
  });
  await expect.poll(() => records.length, DEADLINE).toBe(count);
  await consumer.disconnect();
  return records;
}
