/** The path on real engines, and what happens when they, a node or the consumer die under load. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Running } from "../harness.ts";
import { audit } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { load } from "../load.ts";
import { waitFor } from "../wait-for.ts";
import { joinAll, startWorld, type World } from "./world.ts";

describeEngine(["control"], "real engines under load", () => {
  let world: World;
  let nodes: Running[];
  let consumer: Running;
  beforeAll(async () => {
    world = await startWorld("faults");
    nodes = [await world.node(), await world.node()];
    consumer = await world.consumer();
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);

  /** Load, a fault in its midst, and the audit of all that was acknowledged. */
  async function underLoad(
    messages: number,
    perSecond: number,
    fault: () => Promise<void>,
    clientCount = 12,
  ) {
    const { rooms, clients } = await joinAll(nodes, clientCount, 3);
    const work = load({ clients, rooms, messages, perSecond, resentShare: 0.05, cutsPerSecond: 1 });
    await waitFor(() => clients.some(({ saved }) => saved.size > 5), "the load to run");
    await fault();
    await work;
    const faults = await audit(nodes[0]?.url ?? "", clients, rooms);
    await Promise.all(clients.map((client) => client.stop()));
    return { faults, clients, rooms };
  }

  test("[G1] [G2] [G3] [G4] [G5] 8,000 messages of 40 clients over two nodes, re-sent and cut at random", async () => {
    const { rooms, clients } = await joinAll(nodes, 40, 4);
    await load({ clients, rooms, messages: 8_000, perSecond: 800, resentShare: 0.05, cutsPerSecond: 4 });
    const faults = await audit(nodes[0]?.url ?? "", clients, rooms);
    await Promise.all(clients.map((client) => client.stop()));
    expect(faults).toEqual([]);
    expect(clients.reduce((sum, { saved }) => sum + saved.size, 0)).toBe(8_000);
  }, 180_000);

  test("[G8] Postgres stopped under load: chat goes on, afterwards everything saved is stored", async () => {
    const { faults } = await underLoad(3_000, 150, async () => {
      await world.postgres.stop();
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      await world.postgres.start();
    });
    expect(faults).toEqual([]);
  }, 180_000);

  test("[G3] the consumer killed in mid-batch: nothing lost, nothing doubled", async () => {
    const { faults } = await underLoad(2_000, 200, async () => {
      await consumer.kill();
      consumer = await world.consumer();
    });
    expect(faults).toEqual([]);
  }, 180_000);

  test("[G7] Kafka killed under load: delivery goes on, and saved follows", async () => {
    const { faults } = await underLoad(3_000, 150, async () => {
      await world.kafka.kill();
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      await world.kafka.start();
    });
    expect(faults).toEqual([]);
  }, 240_000);

  test("[G6] FLUSHALL under load: nothing saved is lost, no position goes back", async () => {
    const client = new Redis(world.redis.url);
    const { faults } = await underLoad(2_000, 150, async () => void (await client.flushall()));
    client.disconnect();
    expect(faults).toEqual([]);
  }, 180_000);

  test("[G6] Redis restored from an older snapshot under load", async () => {
    const file = join(world.redis.dir, "..", `snapshot-${world.redis.port}.rdb`);
    const { faults } = await underLoad(3_000, 150, async () => {
      await world.redis.save(file);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await world.redis.restore(file);
    });
    expect(faults).toEqual([]);
  }, 180_000);

  test("[G3] [G5] a node killed under load: its clients resume on the other", async () => {
    const { faults } = await underLoad(2_000, 150, async () => {
      await nodes[1]?.kill();
    });
    nodes = [...nodes.slice(0, 1), await world.node()];
    expect(faults).toEqual([]);
  }, 180_000);

  test("[G11] a drain under load: clients are told when to come back, and nothing is lost", async () => {
    let code: number | undefined;
    const { faults } = await underLoad(2_000, 150, async () => {
      code = await nodes[1]?.stop();
    });
    expect(faults).toEqual([]);
    expect(code).toBe(0);
  }, 180_000);
});
