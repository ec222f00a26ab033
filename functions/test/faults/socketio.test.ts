/** Clients of Socket.IO, old and new, and of `/ws` in the same rooms on two nodes that are killed under load. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { makeRooms, type Running } from "../harness.ts";
import { load } from "../load.ts";
import { heardBy, ioClient, SocketIoClient, textsOf } from "../socketio-client.ts";
import { startBalancer, type Balancer } from "../tcp-proxy.ts";
import { TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { startWorld, type World } from "./world.ts";

const KILLS = 2;

describeEngine(["control"], "Socket.IO on two nodes", () => {
  let world: World;
  let nodes: Running[];
  let balancer: Balancer;
  beforeAll(async () => {
    world = await startWorld("socketio", { SOCKETIO: "true" });
    [nodes] = await Promise.all([Promise.all([world.node(), world.node()]), world.consumer()]);
    balancer = await startBalancer(() => nodes.map(({ url }) => Number(new URL(url).port)));
  }, 120_000);
  afterAll(async () => {
    await balancer?.close();
    await world?.close();
  }, 60_000);

  /** Each after some more has been saved, under a load that goes on. */
  async function killInTurn(clients: readonly { readonly saved: ReadonlySet<string> }[]): Promise<void> {
    const saved = () => clients.reduce((sum, client) => sum + client.saved.size, 0);
    for (let kill = 0; kill < KILLS; kill++) {
      const goal = saved() + 100;
      await waitFor(() => saved() >= goal, `${goal} to be saved`, 60_000);
      await nodes[kill % 2]?.kill();
      nodes[kill % 2] = await world.node();
    }
  }

  test("[G3][G5] 40 clients, of the newest and an old library and of /ws: nothing is lost while nodes are killed, and all show the same", async () => {
    const [room = ""] = await makeRooms(nodes[0]?.url ?? "", 1);
    const { url } = balancer;
    const io = await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const isOld = index % 3 === 2;
        const resume = index % 3 === 0 ? "offset" : "after";
        return new SocketIoClient(`io${index}`, url, room, { resume, isOld }).start();
      }),
    );
    const ws = await Promise.all(
      Array.from({ length: 10 }, (_, index) => new TestClient(`ws${index}`, [url], [room]).start()),
    );
    const clients = [...io, ...ws];
    let isOver = false;
    const killing = killInTurn(clients).finally(() => (isOver = true));
    while (!isOver)
      await load({
        clients,
        rooms: [room],
        messages: 200,
        perSecond: 40,
        resentShare: 0.05,
        cutsPerSecond: 1,
      });
    await killing;
    expect(await audit(url, clients, [room], { whole: true })).toEqual([]);
    const told = { recoveries: 0, resets: 0 };
    for (const { recoveries, resets } of io)
      [told.recoveries, told.resets] = [told.recoveries + recoveries, told.resets + resets];
    console.log(`recovered by the library: ${told.recoveries}; resets: ${told.resets}`);
    expect(told.recoveries).toBeGreaterThan(0);
    clients.forEach((client) => void client.stop());
  }, 180_000);

  test("[G5] the simple dialect loses nothing at the kill of its node: it is recovered on the other one", async () => {
    const client = ioClient(balancer.url);
    client.connect();
    const heard = heardBy(client);
    await waitFor(() => heard.findLast(({ event }) => event === "offset")?.args[0], "an offset", 30_000);
    const writer = await new TestClient(
      "writer",
      [nodes[0]?.url ?? "", nodes[1]?.url ?? ""],
      ["lobby"],
    ).start();
    const texts = Array.from({ length: 60 }, (_, index) => `simple ${index}`);
    for (const text of texts.slice(0, 20)) writer.say("lobby", text);
    await waitFor(() => textsOf(heard).length === 20, "the first messages");
    for (const node of nodes) await node.kill();
    nodes = await Promise.all([world.node(), world.node()]);
    const behind = await new TestClient(
      "behind",
      nodes.map(({ url }) => url),
      ["lobby"],
    ).start();
    for (const text of texts.slice(20)) behind.say("lobby", text);
    await waitFor(() => textsOf(heard).length >= 60, "all messages", 30_000);
    expect(textsOf(heard)).toEqual(texts);
    expect(client.recovered).toBe(true);
    client.disconnect();
    await Promise.all([writer.stop(), behind.stop()]);
  }, 120_000);
});
