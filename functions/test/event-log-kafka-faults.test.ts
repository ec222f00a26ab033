/** The log on Kafka while the broker dies and connections fall silent: what was acknowledged is there, and both ends go on by themselves. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { EventLog, LogProgress } from "../core/event-log.ts";
import { createLogger } from "../lib/logger.ts";
import { startKafka, type KafkaEngine } from "../../scripts/engines/kafka.ts";
import { describeEngine } from "./engines.ts";
import { collector, DEADLINE, numbered, valuesOf } from "./event-log-contract.ts";
import { createKafkaWorld, kafkaConfig, type KafkaWorld, membersOf } from "./kafka-world.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

const FAULT_DEADLINE = { timeout: 60_000, interval: 50 };

describeEngine(
  ["control"],
  "kafka log under faults",
  () => {
    let proxy: TcpProxy;
    let broker: KafkaEngine;
    let world: KafkaWorld;
    let lines: string[] = [];
    const logger = createLogger({ level: "warn", destination: { write: (line) => void lines.push(line) } });

    beforeAll(async () => {
      proxy = await startTcpProxy(() => broker.port);
      broker = await startKafka({
        properties: { "advertised.listeners": `PLAINTEXT://127.0.0.1:${proxy.port}` },
      });
    }, 90_000);
    afterAll(async () => {
      await broker?.dispose();
      await proxy?.close();
    });
    beforeEach(async () => {
      lines = [];
      world = await createKafkaWorld(kafkaConfig([`127.0.0.1:${proxy.port}`]), logger);
    });
    afterEach(() => world.close());

    it("[G3] [G7] the broker is killed: appends reject, go on after its return, and nothing acknowledged is lost", async () => {
      const { records, handle } = collector();
      const consumer = world.openConsumer();
      await consumer.start(handle);
      const writer = createWriter(world.openLog());
      await writer.until(50);
      await broker.kill();
      const back = broker.start();
      await writer.until(100);
      await back;
      expect(writer.rejections).toBeGreaterThan(0);
      await expectAllRead(records, 100);
      await expectSettled(consumer);
      expect(await membersOf(world.config)).toBe(1);
    });

    it("[G3] [G7] the broker stops for longer than a request may take: the same", async () => {
      const { records, handle } = collector();
      const consumer = world.openConsumer();
      await consumer.start(handle);
      const writer = createWriter(world.openLog());
      await writer.until(50);
      await broker.pause();
      const written = writer.until(100);
      await expect.poll(() => writer.rejections, FAULT_DEADLINE).toBeGreaterThan(0);
      await broker.resume();
      await written;
      await expectAllRead(records, 100);
      await expectSettled(consumer);
    });

    it("connections are cut: both ends go on", async () => {
      const { records, handle } = collector();
      const consumer = world.openConsumer();
      await consumer.start(handle);
      const writer = createWriter(world.openLog());
      for (const count of [30, 60, 90]) {
        await writer.until(count);
        proxy.cut();
      }
      await writer.until(100);
      await expectAllRead(records, 100);
      await expectSettled(consumer);
    });

    it("[G3] [G7] connections fall silent: an attempt ends within seconds, the next one succeeds; the reader is replaced", async () => {
      const { records, handle } = collector();
      const consumer = world.openConsumer();
      await consumer.start(handle);
      const log = world.openLog();
      await log.append(numbered("red", 0, 1));
      await expect.poll(() => records.length, DEADLINE).toBe(1);
      await consumer.progress();

      proxy.silence();
      const startedAtMs = performance.now();
      await expect(log.append(numbered("red", 1, 1))).rejects.toThrow();
      expect(performance.now() - startedAtMs).toBeLessThan(8000);
      const againAtMs = performance.now();
      await log.append(numbered("red", 1, 1));
      expect(performance.now() - againAtMs).toBeLessThan(2000);
      await expect.poll(() => valuesOf(records), FAULT_DEADLINE).toEqual(["0", "1"]);
      expect(lines.join("")).toContain("no sign of life from Kafka");
      await expectSettled(consumer);
      expect(await membersOf(world.config)).toBe(1);
    });

    it("close ends while the connection is silent", async () => {
      const { records, handle } = collector();
      const consumer = world.openConsumer();
      await consumer.start(handle);
      const log = world.openLog();
      await log.append(numbered("red", 0, 1));
      await expect.poll(() => records.length, DEADLINE).toBe(1);
      proxy.silence();
      const startedAtMs = performance.now();
      await Promise.all([log.close(), consumer.close()]);
      expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    });

    /** As the flusher does: the same record again until it is acknowledged, one append in flight. */
    function createWriter(log: EventLog) {
      let next = 0;
      let rejections = 0;
      return {
        get rejections() {
          return rejections;
        },
        async until(count: number): Promise<void> {
          while (next < count) {
            try {
              await log.append(numbered("red", next, 1));
              next++;
            } catch {
              rejections++;
              await new Promise((resolve) => setTimeout(resolve, 100));
            }
          }
        },
      };
    }
  },
  { timeout: 90_000 },
);

/** Every value, the first time each in order; repeats are allowed. */
async function expectAllRead(records: Parameters<typeof valuesOf>[0], count: number): Promise<void> {
  await expect.poll(() => new Set(valuesOf(records)).size, FAULT_DEADLINE).toBe(count);
  expect([...new Set(valuesOf(records))]).toEqual(Array.from({ length: count }, (_, index) => String(index)));
}

async function expectSettled(consumer: { progress(): Promise<readonly LogProgress[]> }): Promise<void> {
  await expect
    .poll(async () => {
      const progress = await consumer.progress().catch(() => []);
      return progress.length > 0 && progress.every(({ end, committed }) => end === committed);
    }, FAULT_DEADLINE)
    .toBe(true);
}
