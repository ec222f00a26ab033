/** What happens on a Redis Cluster when a slot moves, or a primary dies, under load. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedisCluster, type RedisCluster } from "../../../scripts/engines/redis-cluster.ts";
import { describeEngine } from "../engines.ts";
import type { Running } from "../harness.ts";
import { holderOf, moveSlot, slotOf } from "../redis-cluster-tools.ts";
import type { TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { underLoad } from "./under-load.ts";
import { startWorld, UNLIMITED, type World } from "./world.ts";

const LOAD = { messages: 800, perSecond: 150 };

describeEngine(["control", "secure"], "a Redis Cluster under load", () => {
  let cluster: RedisCluster;
  let world: World;
  let nodes: Running[];
  beforeAll(async () => {
    cluster = await startRedisCluster({ nodeTimeoutMs: 1_000 });
    world = await startWorld("cluster", { ...UNLIMITED, ...cluster.env });
    [nodes] = await Promise.all([Promise.all([world.node(), world.node()]), world.consumer()]);
  }, 120_000);
  afterAll(async () => {
    await world?.close();
    await cluster?.dispose();
  }, 60_000);

  function expectReset(clients: readonly TestClient[]): void {
    expect(clients.every(({ resets }) => resets > 0)).toBe(true);
  }

  test("[G1] [G3] [G4] [G6] a slot of rooms in use moves to another primary and back: a reset, and nothing is lost", async () => {
    const { clients } = await underLoad(nodes, LOAD, async ({ rooms: [room = ""], more }) => {
      const home = await holderOf(cluster, room);
      const other = cluster.members.find((member) => member !== home) ?? home;
      await moveSlot(cluster, slotOf(room), home, other);
      await more(200);
      await moveSlot(cluster, slotOf(room), other, home);
    });
    expectReset(clients);
  }, 180_000);

  test("[G1] [G3] [G4] [G6] a primary dies and its replica takes over: a reset, and nothing saved is lost", async () => {
    const { clients } = await underLoad(nodes, LOAD, async ({ rooms: [room = ""] }) => {
      const primary = await holderOf(cluster, room);
      await primary.kill();
      await waitFor(
        async () => (await holderOf(cluster, room).catch(() => primary)) !== primary,
        "the replica",
      );
      await primary.start();
    });
    expectReset(clients);
  }, 180_000);
});
