/** What happens when Redis forgets under load, or its feed is cut. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit, history } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { newId } from "../events.ts";
import type { Running } from "../harness.ts";
import { guest, RawClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { sum, underLoad } from "./under-load.ts";
import { joinAll, startWorld, type World } from "./world.ts";

describeEngine(["control"], "Redis under load", () => {
  let world: World;
  let nodes: Running[];
  beforeAll(async () => {
    world = await startWorld("redis");
    [nodes] = await Promise.all([Promise.all([world.node(), world.node()]), world.consumer()]);
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);

  test("[G6] FLUSHALL under load: nothing saved is lost, no position goes back, and members are told", async () => {
    const client = new Redis(world.redis.url);
    const { clients } = await underLoad(
      nodes,
      { messages: 2_000, perSecond: 300 },
      async () => void (await client.flushall()),
    );
    client.disconnect();
    expect(clients.every(({ resets }) => resets > 0)).toBe(true);
  }, 180_000);

  test("[G6] Redis restored from an older snapshot under load: what was saved since is kept", async () => {
    const file = join(world.redis.dir, "..", `snapshot-${world.redis.port}.rdb`);
    const { clients } = await underLoad(nodes, { messages: 3_000, perSecond: 300 }, async ({ more }) => {
      await world.redis.save(file);
      await more(500);
      await world.redis.restore(file);
    });
    expect(clients.every(({ resets }) => resets > 0)).toBe(true);
  }, 180_000);

  test("[G2] [N7] a retry that Redis has forgotten is judged by the store: it gets its first place again", async () => {
    const url = nodes[0]?.url ?? "";
    const { rooms, clients } = await joinAll(nodes, 1, 1);
    const [room = ""] = rooms;
    const { token } = await guest(url, "again");
    const client = await RawClient.open(url, token);
    const joined = await client.ask({ type: "join", room });
    const send = {
      type: "send",
      room,
      id: newId(),
      body: "once",
      since: joined.type === "joined" ? joined.head : "",
    };
    const first = await client.ask(send);
    await client.next("saved");
    await waitFor(async () => (await history(url, room)).length === 1, "it to be stored");
    const redis = new Redis(world.redis.url);
    await redis.flushall();
    redis.disconnect();
    await client.next("reset");
    const again = await waitFor(
      async () => {
        const answer = await client.ask(send);
        return answer.type === "sent" || (answer.type === "error" && !answer.retriable) ? answer : undefined;
      },
      "an answer that stands",
      30_000,
    );
    expect(again).toMatchObject({ type: "sent", position: first.type === "sent" ? first.position : "" });
    expect(await audit(url, clients, rooms)).toEqual([]);
    expect(await history(url, room)).toHaveLength(1);
    client.close();
    await clients[0]?.stop();
  }, 120_000);

  test("[G4] [G13] the feed cut again and again under load: what it did not bring is read from the stream, and who is put out hears nothing more", async () => {
    const client = new Redis(world.redis.url);
    const repairs = async () => {
      const pages = await Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
      const counts = pages.flatMap((page) => [
        ...page.matchAll(/^skat_hub_repairs_total\{source="(?:stream|store)"\} (\d+)$/gm),
      ]);
      return counts.reduce((total, [, count]) => total + Number(count), 0);
    };
    const before = await repairs();
    const { clients } = await underLoad(
      nodes,
      { messages: 2_000, perSecond: 300, whole: true, withOutcasts: true },
      async ({ more }) => {
        for (let round = 0; round < 8; round++) {
          await client.call("CLIENT", "KILL", "TYPE", "pubsub");
          await more(100);
        }
      },
    );
    client.disconnect();
    expect(
      sum(clients, ({ holes }) => holes),
      "holes are mended before a client sees them",
    ).toBe(0);
    expect(await repairs()).toBeGreaterThan(before);
  }, 180_000);
});
