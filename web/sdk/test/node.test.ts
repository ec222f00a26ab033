/** The client against real nodes: killed, drained, fallen silent, and with a Redis that has lost its memory. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { describeEngine } from "../../../functions/test/engines.ts";
import { waitFor } from "../../../functions/test/wait-for.ts";
import type { Client } from "../src/index.ts";
import { historyOf, shown, startNodeWorld, type NodeWorld } from "./node-world.ts";

const EXAMPLE = fileURLToPath(new URL("../example.ts", import.meta.url));
const run = promisify(execFile);

describeEngine(["redis", "kafka", "postgres"], "the client and real nodes", (engines) => {
  let world: NodeWorld;
  let ada: Client;
  let ben: Client;
  let room: string;
  beforeAll(async () => {
    world = await startNodeWorld(engines);
  }, 90_000);
  afterAll(async () => void (await world?.close()));

  beforeEach(async () => {
    ada = await world.client("Ada");
    ben = await world.client("Ben");
    await waitFor(() => ada.getSnapshot().connection.phase === "online", "a connection");
    room = (await ada.createRoom("a room")).id;
    for (const client of [ada, ben]) {
      client.join(room);
      await client.joined(room);
    }
  });

  /** Both send and wait until all is saved; `meanwhile` happens after the first half. */
  async function talk(meanwhile: () => Promise<void> | void): Promise<void> {
    const say = (from: number) =>
      Array.from({ length: 20 }, (_, index) => [
        ada.send(room, `ada ${from + index}`),
        ben.send(room, `ben ${from + index}`),
      ]).flat();
    const first = say(0);
    await ada.saved(first[0]?.id ?? "");
    const done = meanwhile();
    const all = [...first, ...say(20)];
    await done;
    await Promise.all(all.map(({ id, body }) => (body.startsWith("ada") ? ada : ben).saved(id)));
  }

  /** Everybody shows what the store has: each message once, and each writer's in the order of writing. */
  async function expectSame(): Promise<void> {
    const reader = await world.client("Reader", world.node.url); // whose connections nothing has happened to
    reader.join(room);
    await reader.joined(room);
    const expected = await waitFor(async () => {
      const bodies = await historyOf(reader, room);
      return bodies.length >= 80 && bodies;
    }, "everything to be stored");
    for (const name of ["ada", "ben"])
      expect(expected.filter((body) => body.startsWith(name))).toEqual(
        Array.from({ length: 40 }, (_, index) => `${name} ${index}`),
      );
    for (const client of [ada, ben]) {
      await waitFor(() => shown(client, room).length >= 50, "the messages to be shown");
      while (client.getSnapshot().rooms.get(room)?.view?.complete === false) {
        const before = shown(client, room).length;
        client.loadOlder(room);
        await waitFor(() => shown(client, room).length > before, "older messages");
      }
      await waitFor(() => shown(client, room).length === 80, "all messages to be shown");
      expect(shown(client, room)).toEqual(expected);
    }
  }

  test("[G2] [G5] [K2] [K3] a node is killed in mid-conversation: on another each message is there once, in order", async () => {
    await talk(async () => {
      const dying = world.node;
      world.turnToNext();
      await dying.kill();
    });
    await expectSame();
  }, 60_000);

  test("[G11] a node drains: its clients come back when told, to another, with all their messages", async () => {
    const states: string[] = [];
    ada.on("state", ({ phase }) => states.push(phase));
    await world.addNode();
    await talk(async () => {
      const leaving = world.node;
      world.turnToNext();
      expect(await leaving.stop()).toBe(0);
    });
    expect(states).toContain("waiting");
    await expectSame();
  }, 60_000);

  test("[G6] [K1] Redis loses its memory: the rooms are reset, and nothing is missing or there twice", async () => {
    const reasons: string[] = [];
    ada.on("reset", ({ reason }) => reasons.push(reason));
    await talk(() => world.forget());
    await waitFor(
      () => ada.getSnapshot().rooms.get(room)?.view?.provisional === false && reasons.length > 0,
      "a settled view",
      30_000,
    );
    expect(reasons).toContain("fence");
    await expectSame();
  }, 60_000);

  test("a message that is refused fails with the server's reason, and the next ones go through", async () => {
    const bad = ada.send(room, "x".repeat(ada.getSnapshot().limits.bodyBytesMax + 1));
    const good = ada.send(room, "good");
    await expect(ada.saved(bad.id)).rejects.toMatchObject({ code: "body_too_long" });
    await ada.saved(good.id);
    ada.retry(bad.id);
    await waitFor(
      () => ada.getSnapshot().rooms.get(room)?.entries.get(bad.id)?.state === "failed",
      "the same refusal",
    );
    ada.cancel(bad.id);
    expect(shown(ada, room)).toEqual(["good"]);
    const nowhere = ada.send("01a20d4c-d51e-797d-b0cc-2abb7992e04d", "to no room");
    await expect(ada.saved(nowhere.id)).rejects.toMatchObject({ code: "unknown_room" });
  });

  test("a token is refreshed on the same connection, and a refused one ends it unless another can be had", async () => {
    const phases: string[] = [];
    ada.on("state", ({ phase }) => phases.push(phase));
    ada.refresh();
    await ada.saved(ada.send(room, "still here").id);
    expect(phases).toEqual([]);
    const stranger = await world.client("Stranger", world.url, { token: "nonsense" });
    await waitFor(() => stranger.getSnapshot().connection.phase === "stopped", "a refusal");
    expect(stranger.getSnapshot().connection).toEqual({ phase: "stopped", code: "invalid_token" });
    const { token } = await world.guest("Second");
    const renewing = await world.client("Renewing", world.url, {
      token: (reason) => (reason === "refused" ? token : "nonsense"),
    });
    await waitFor(() => renewing.getSnapshot().connection.phase === "online", "another token to be taken");
  });

  test("the example runs as it is written", async () => {
    const { stdout, stderr } = await run(process.execPath, ["--import", "tsx", EXAMPLE, world.url, "Grace"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(
      /\(online\)[\s\S]*Grace: Hello, I am Grace[\s\S]*is saved[\s\S]*the newest is: Hello, I am Grace/,
    );
  });

  test("[K2] a connection falls silent: the client notices by the missing heartbeats and resumes", async () => {
    const phases: string[] = [];
    ada.on("state", ({ phase }) => phases.push(phase));
    await talk(() => world.proxy.silence());
    expect(phases).toEqual(["waiting", "connecting", "online"]);
    await expectSame();
  }, 60_000);
});
