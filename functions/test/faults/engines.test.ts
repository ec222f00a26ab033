/** What happens when Kafka or PostgreSQL die under load; redis.test.ts has the third engine. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import type { Running } from "../harness.ts";
import { guest, RawClient, type TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { committedOf } from "./topic.ts";
import { savedBy, sum, underLoad } from "./under-load.ts";
import { joinAll, startWorld, type World } from "./world.ts";

describeEngine(["control"], "Kafka and Postgres under load", () => {
  let world: World;
  let nodes: Running[];
  beforeAll(async () => {
    world = await startWorld("faults");
    [nodes] = await Promise.all([Promise.all([world.node(), world.node()]), world.consumer()]);
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);

  const shownBy = (clients: readonly TestClient[], rooms: readonly string[]) =>
    sum(clients, (client) => rooms.reduce((total, room) => total + client.shown(room).length, 0));

  /** The newest 20 events over HTTP, as somebody reads them who has just joined. */
  async function pageOfNewcomer(room: string): Promise<unknown> {
    const url = nodes[0]?.url ?? "";
    const { token } = await guest(url, "newcomer");
    const client = await RawClient.open(url, token);
    await client.ask({ type: "join", room });
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/api/rooms/${room}/events?limit=20`, { headers });
    client.close();
    return response.json();
  }

  test("[G8] Postgres stopped for 20 s of load: chat and saving go on, afterwards everything saved is stored", async () => {
    await underLoad(
      nodes,
      { messages: 4_500, perSecond: 150, whole: true },
      async ({ clients, rooms, more }) => {
        await world.postgres.stop();
        const [saved, shown] = [savedBy(clients), shownBy(clients, rooms)];
        const committed = () => committedOf(world.kafka.url, "skat.faults.store", "skat.faults.events");
        await more(100); // a batch that was stored before the end may still be committed
        const before = await committed();
        await more(2_900);
        expect(await committed(), "no offset moves past what is stored").toEqual(before);
        expect(await pageOfNewcomer(rooms[0] ?? "")).toMatchObject({
          source: "stream",
          events: { length: 20 },
        });
        expect(savedBy(clients) - saved).toBeGreaterThan(2_500);
        expect(shownBy(clients, rooms) - shown).toBeGreaterThan(2_500 * clients.length);
        expect(
          clients.some(({ told }) =>
            told.some((frame) => frame.type === "degraded" && frame.engine === "postgres"),
          ),
        ).toBe(true);
        await world.postgres.start();
      },
    );
  }, 240_000);

  test("[G7] Kafka killed for 20 s of load: delivery goes on, and saved follows", async () => {
    await underLoad(
      nodes,
      { messages: 5_000, perSecond: 150, whole: true },
      async ({ clients, rooms, more }) => {
        await world.kafka.kill();
        await more(50); // what was acknowledged before the end may still be told
        const [saved, shown] = [savedBy(clients), shownBy(clients, rooms)];
        await more(3_000);
        expect(savedBy(clients)).toBe(saved);
        expect(shownBy(clients, rooms) - shown).toBeGreaterThan(2_500 * clients.length);
        const told = clients.flatMap((client) => client.told);
        expect(told.some((frame) => frame.type === "degraded" && frame.engine === "kafka")).toBe(true);
        await world.kafka.start();
      },
    );
  }, 240_000);

  test("[G7] past the backlog's bound a send is refused, retriable, and goes through later", async () => {
    const small = await world.node({ LOG_BACKLOG_MAX: "50" });
    const { rooms, clients } = await joinAll([small], 1, 1);
    const [client] = clients;
    const [room = ""] = rooms;
    await world.kafka.kill();
    for (let count = 0; count < 200; count++) client?.say(room, `message ${count}`);
    await waitFor(() => (client?.refusals.get("backlog_full") ?? 0) > 0, "a refusal");
    expect(client?.sent.size).toBeLessThanOrEqual(50);
    await world.kafka.start();
    expect(await audit(small.url, clients, rooms, { whole: true })).toEqual([]);
    expect(client?.saved.size).toBe(200);
    await client?.stop();
  }, 180_000);
});
