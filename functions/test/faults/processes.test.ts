/** The path on real engines, and what happens when a node or the consumer ends under load. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLOSES } from "../../protocol.ts";
import { audit, history } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { metricOf, type Running } from "../harness.ts";
import { load } from "../load.ts";
import { waitFor } from "../wait-for.ts";
import { readTopic } from "./topic.ts";
import { savedBy, underLoad } from "./under-load.ts";
import { joinAll, startWorld, UNLIMITED, type World } from "./world.ts";

describeEngine(["control"], "processes under load", () => {
  let world: World;
  let nodes: Running[];
  let consumer: Running;
  beforeAll(async () => {
    world = await startWorld("processes", UNLIMITED);
    [nodes, consumer] = await Promise.all([Promise.all([world.node(), world.node()]), world.consumer()]);
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);

  test("[G1] [G2] [G3] [G4] [G5] 8,000 messages of 40 clients over two nodes, re-sent and cut at random", async () => {
    const { rooms, clients } = await joinAll(nodes, 40, 4);
    await load({ clients, rooms, messages: 8_000, perSecond: 800, resentShare: 0.05, cutsPerSecond: 4 });
    const faults = await audit(nodes[0]?.url ?? "", clients, rooms, { whole: true });
    await Promise.all(clients.map((client) => client.stop()));
    expect(faults).toEqual([]);
    expect(savedBy(clients)).toBe(8_000);
    const records = (await readTopic(world.kafka.url, "skat.processes.events")).filter(({ room }) =>
      rooms.includes(room),
    );
    const places = new Map(records.map(({ id, position }) => [id, position]));
    expect(places.size, "every message is on the log").toBe(8_000);
    expect(
      records.filter(({ id, position }) => places.get(id) !== position),
      "at one position",
    ).toEqual([]);
    console.log(`${records.length - places.size} records are repeats`);
  }, 240_000);

  test("[G3] [G13] the consumer killed under load: nothing lost, nothing doubled, and who is put out meanwhile hears nothing more", async () => {
    const options = { messages: 3_000, perSecond: 200, whole: true, withOutcasts: true };
    await underLoad(nodes, options, async () => {
      await consumer.kill();
      consumer = await world.consumer();
    });
  }, 180_000);

  test("[G3] [G4] consumers share the work by their group: two more come under load, one is killed, one ends", async () => {
    const { rooms, clients } = await joinAll(nodes, 12, 24);
    const storedBy = (one: Running) => metricOf(one, "skat_consumer_rows_inserted_total");
    const work = load({ clients, rooms, messages: 6_000, perSecond: 200 });
    const [second, third] = await Promise.all([world.consumer(), world.consumer()]);
    const before = await storedBy(consumer);
    await waitFor(async () => (await storedBy(second)) > 0 && (await storedBy(third)) > 0, "all to store");
    await waitFor(async () => (await storedBy(consumer)) > before, "the first one to go on beside them");
    await second.kill();
    expect(await third.stop()).toBe(0);
    await work;
    const faults = await audit(nodes[0]?.url ?? "", clients, rooms, { whole: true });
    await Promise.all(clients.map((client) => client.stop()));
    expect(faults).toEqual([]);
    expect(savedBy(clients)).toBe(6_000);
  }, 180_000);

  test("[G3] [G5] a node killed under load: its clients resume on the other", async () => {
    await underLoad(
      nodes,
      { messages: 2_000, perSecond: 150, whole: true },
      async () => void (await nodes[1]?.kill()),
    );
    nodes = [...nodes.slice(0, 1), await world.node()];
  }, 180_000);

  test("[G11] a drain under load: clients are told when to come back, and nothing is lost", async () => {
    let code: number | undefined;
    const { clients } = await underLoad(nodes, { messages: 2_000, perSecond: 150, whole: true }, async () => {
      code = await nodes[1]?.stop();
    });
    nodes = [...nodes.slice(0, 1), await world.node()];
    expect(code).toBe(0);
    const drained = clients.filter(({ closeCodes }) => closeCodes.includes(CLOSES.draining.code));
    expect(drained.length).toBeGreaterThan(0);
    const waits = drained.map(({ told }) => told.find((frame) => frame.type === "reconnect")?.afterMs ?? 0);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(new Set(waits).size, "not all at once").toBeGreaterThan(1);
  }, 180_000);

  test("[G3] [C5] what a node left unsaved when it died is stored, though its client never comes back", async () => {
    const lone = await world.node();
    const { rooms, clients } = await joinAll([lone], 1, 1);
    const [client] = clients;
    const [room = ""] = rooms;
    await world.kafka.kill();
    for (let count = 0; count < 100; count++) client?.say(room, `message ${count}`);
    await waitFor(() => client?.sent.size === 100, "all to be sent");
    await lone.kill();
    await client?.stop();
    expect(client?.saved.size).toBe(0);
    await world.kafka.start();
    const url = nodes[0]?.url ?? "";
    await waitFor(
      async () => (await history(url, room)).length === 100,
      "the rest of a dead node to be stored",
      60_000,
    );
    const stored = new Map((await history(url, room)).map(({ id, position }) => [id, position]));
    expect(stored).toEqual(client?.sent);
  }, 180_000);
});
