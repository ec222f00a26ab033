/** Poison records, and two stages on the same engines. */
import { randomUUID } from "node:crypto";
import { Kafka } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit, history } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import type { Running } from "../harness.ts";
import { load } from "../load.ts";
import { guest, RawClient, TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { joinAll, startWorld, type World } from "./world.ts";

describeEngine(["control"], "guarantees on real engines", () => {
  let world: World;
  let nodes: Running[];
  beforeAll(async () => {
    world = await startWorld("one", { KAFKA_TOPIC: "shared", KAFKA_DEAD_LETTER_TOPIC: "shared-dead" });
    const stages = [{}, { STAGE: "two" }];
    [nodes] = await Promise.all([
      Promise.all(stages.map(world.node)),
      Promise.all(stages.map(world.consumer)),
    ]);
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);

  test("[G9] poison records go to the dead-letter topic with their reason; their partition goes on", async () => {
    const [node] = nodes as [Running];
    const { rooms, clients } = await joinAll([node], 2, 2);
    const kafka = new Kafka({ brokers: [world.kafka.url], logLevel: 0 });
    const producer = kafka.producer();
    await producer.connect();
    const headers = { stage: "one", v: "1" };
    const values = ["not json", "{}", JSON.stringify({ type: "event" })];
    for (let partition = 0; partition < 6; partition++) {
      await producer.send({
        topic: "shared",
        messages: values.map((value) => ({ key: "one/x", value, headers, partition })),
      });
    }
    await producer.disconnect();
    await load({ clients, rooms, messages: 200, perSecond: 400 });
    expect(await audit(node.url, clients, rooms)).toEqual([]);
    await Promise.all(clients.map((client) => client.stop()));
    const letters: string[] = [];
    const consumer = kafka.consumer({ groupId: randomUUID() });
    await consumer.connect();
    await consumer.subscribe({ topic: "shared-dead", fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => void letters.push(String(message.headers?.["reason"])),
    });
    await waitFor(() => letters.length >= 18, "18 dead letters", 30_000);
    await consumer.disconnect();
    expect(letters.every((reason) => reason.startsWith("invalid: "))).toBe(true);
  }, 120_000);

  test("[G12] two stages on the same Redis, Kafka topic and Postgres never see each other's data", async () => {
    const [one, two] = nodes as [Running, Running];
    const first = await new TestClient("first", [one.url], ["lobby"]).start();
    const second = await new TestClient("second", [two.url], ["lobby"]).start();
    await load({ clients: [first, second], rooms: ["lobby"], messages: 100, perSecond: 200 });
    await waitFor(
      () => first.waiting + second.waiting === 0 && first.isSettled && second.isSettled,
      "all to be saved",
      60_000,
    );
    const namesIn = async (node: Running) =>
      new Set((await history(node.url, "lobby")).map(({ user }) => user.name));
    await waitFor(
      async () => (await history(one.url, "lobby")).length + (await history(two.url, "lobby")).length >= 100,
      "all to be stored",
      30_000,
    );
    expect(await namesIn(one)).toEqual(new Set(["first"]));
    expect(await namesIn(two)).toEqual(new Set(["second"]));
    expect(new Set(first.shown("lobby").map(({ user }) => user.name))).toEqual(new Set(["first"]));
    const { token } = await guest(one.url, "stranger");
    const refused = await RawClient.open(two.url);
    expect(await refused.ask({ type: "auth", token })).toMatchObject({
      type: "error",
      code: "invalid_token",
    });
    await Promise.all([first.stop(), second.stop()]);
  }, 120_000);
});
