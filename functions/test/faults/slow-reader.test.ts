/** A reader that stops reading, on real engines: alone on its machine, for it looks at memory and at who else is disturbed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { metricOf, type Running } from "../harness.ts";
import { guest, RawClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { joinAll, startWorld, type World } from "./world.ts";

const BUFFER_BYTES_MAX = 1024 * 1024;

describeEngine(["control"], "a slow reader", () => {
  let world: World;
  let node: Running;
  beforeAll(async () => {
    world = await startWorld("reader", {
      BUFFER_BYTES_MAX: String(BUFFER_BYTES_MAX),
      FRAMES_PER_SECOND: "5000",
      FRAME_BURST: "10000",
    });
    [node] = await Promise.all([world.node(), world.consumer()]);
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);

  const metric = (name: string) => metricOf(node, name);

  test("[G10] a reader that stops reading is closed at the byte bound; the others miss nothing and memory stays flat", async () => {
    const { rooms, clients } = await joinAll([node], 20, 1);
    const [room = ""] = rooms;
    const { token } = await guest(node.url, "stuck");
    const stuck = await RawClient.open(node.url, token);
    await stuck.ask({ type: "join", room });
    const closesBefore = await metric('skat_session_closes_total{reason="slow_client"}');
    const memoryBefore = await metric("process_resident_memory_bytes");
    stuck.socket.pause();
    for (let round = 0; round < 40; round++) {
      for (const client of clients) client.say(room, `${round} ${"x".repeat(7_000)}`);
      await waitFor(() => clients.every(({ waiting }) => waiting < 5), "the load to be taken", 30_000);
    }
    await waitFor(
      async () => (await metric('skat_session_closes_total{reason="slow_client"}')) === closesBefore + 1,
      "the slow client to be closed",
      30_000,
    );
    expect(await audit(node.url, clients, rooms)).toEqual([]);
    expect(clients.every(({ reconnects }) => reconnects === 0)).toBe(true);
    expect((await metric("process_resident_memory_bytes")) - memoryBefore).toBeLessThan(200 * 1024 * 1024);
    stuck.socket.terminate();
    await Promise.all(clients.map((client) => client.stop()));
  }, 180_000);
});
