/** The whole path on the embedded engines: many clients, retries, cuts and restarts, and everybody has the same rooms. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audit } from "./audit.ts";
import { makeRooms, startEmbedded, type Embedded } from "./harness.ts";
import { load } from "./load.ts";
import { TestClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

describe("the path on embedded engines", () => {
  let embedded: Embedded;
  beforeAll(async () => void (embedded = await startEmbedded({}, { isFirstStart: true })), 60_000);
  afterAll(async () => void (await embedded?.stop()));

  test("[G1] [G2] [G3] [G4] [G5] 40 clients in 4 rooms, re-sent messages and cut connections", async () => {
    const rooms = await makeRooms(embedded.url, 4);
    const clients = await Promise.all(
      Array.from({ length: 40 }, (_, index) => new TestClient(`c${index}`, [embedded.url], rooms).start()),
    );
    await load({ clients, rooms, messages: 4_000, perSecond: 800, resentShare: 0.05, cutsPerSecond: 4 });
    const faults = await audit(embedded.url, clients, rooms, { whole: true });
    await Promise.all(clients.map((client) => client.stop()));
    expect(faults).toEqual([]);
    expect(clients.reduce((sum, { reconnects }) => sum + reconnects, 0)).toBeGreaterThan(clients.length);
  }, 180_000);

  test("[G3] a kill -9 loses nothing that was saved, and an orderly end nothing that was acknowledged", async () => {
    const [room = ""] = await makeRooms(embedded.url, 1);
    const client = await new TestClient("survivor", [embedded.url], [room]).start();
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      for (let index = 0; index < 50; index++) client.say(room, `${signal} ${index}`);
      await waitFor(() => client.saved.size > 10, "some to be saved");
      await embedded.restart(signal);
      await waitFor(() => client.waiting === 0, "the rest to be saved", 30_000);
    }
    const faults = await audit(embedded.url, [client], [room]);
    await client.stop();
    expect(faults).toEqual([]);
    expect(client.saved.size).toBe(100);
  }, 120_000);
});
