/** The table of degraded modes in docs/guarantees.md, cell by cell: what clients are told, what goes on and what does not. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Ability, Engine } from "../../protocol.ts";
import { audit } from "../audit.ts";
import { describeEngine } from "../engines.ts";
import { newId } from "../events.ts";
import { makeRooms, type Running } from "../harness.ts";
import { guest, RawClient, type TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { joinAll, startWorld, type World } from "./world.ts";

/** There and back 1.8 s: later than the 1.5 s after which an engine counts as away, sooner than any command's time limit. */
const SLOW_MS = 900;

const CANNOT: Readonly<Record<Engine, readonly Ability[]>> = {
  redis: ["send"],
  kafka: ["save"],
  postgres: ["history"],
};

type Count = (kind: "sent" | "saved" | "refused") => number;

describeEngine(["control"], "degraded modes", () => {
  let world: World;
  let node: Running;
  let rooms: readonly string[];
  let clients: readonly TestClient[];
  let token: string;
  let observer: RawClient;
  beforeAll(async () => {
    world = await startWorld("degraded");
    [node] = await Promise.all([world.node(), world.consumer()]);
    ({ rooms, clients } = await joinAll([node], 2, 1));
  }, 120_000);
  afterAll(async () => {
    await Promise.all((clients ?? []).map((client) => client.stop()));
    await world?.close();
  }, 60_000);

  beforeEach(async () => {
    ({ token } = await guest(node.url, "observer"));
    observer = await RawClient.open(node.url, token);
    await observer.ask({ type: "join", room: room() });
  });
  afterEach(() => observer.close());

  const room = () => rooms[0] ?? "";
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${node.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });
  const history = () => ask(`/api/rooms/${room()}/events`);
  const say = (body: string) => clients[0]?.say(room(), body);
  const isShown = (body: string) =>
    clients.every((client) => client.shown(room()).some((event) => event.body === body));
  const counts = () => ({
    sent: clients[0]?.sent.size ?? 0,
    saved: clients[0]?.saved.size ?? 0,
    refused: clients[0]?.refusals.get("unavailable") ?? 0,
  });
  /** What the first client was told of its messages from now on. */
  const countSince = () => {
    const before = counts();
    return (kind: keyof typeof before) => counts()[kind] - before[kind];
  };

  /** Nobody writes until everybody has been told. Afterwards everything said is saved, stored and shown. */
  async function degraded(
    engine: Engine,
    fault: { begin(): unknown; end(): unknown },
    meanwhile: (told: Count) => Promise<void>,
  ): Promise<void> {
    const told = countSince();
    await fault.begin();
    expect(await observer.next("degraded")).toEqual({ type: "degraded", engine, cannot: CANNOT[engine] });
    const late = await RawClient.open(node.url, token);
    expect(await late.next("degraded"), "who comes later is told too").toMatchObject({ engine });
    late.close();
    await meanwhile(told);
    expect(
      observer.frames.filter(({ type }) => type === "recovered"),
      "told before it is",
    ).toEqual([]);
    await fault.end();
    expect(await observer.next("recovered")).toEqual({ type: "recovered", engine });
    say(`after ${engine}`);
    expect(await audit(node.url, clients, rooms, { whole: true })).toEqual([]);
    expect(isShown(`after ${engine}`)).toBe(true);
    expect(observer.frames.filter(({ type }) => type === "degraded" || type === "recovered")).toHaveLength(2);
  }

  const killed = (engine: Engine) => ({
    begin: () => world[engine].kill(),
    end: () => world[engine].start(),
  });
  const slowed = (engine: Engine) => ({
    begin: () => world.proxies[engine].slow(SLOW_MS),
    end: () => world.proxies[engine].slow(0),
  });

  test("[G7] Kafka down while nobody writes: it is told; then sending and delivery go on, and saved follows", async () => {
    await degraded("kafka", killed("kafka"), async (told) => {
      say("Kafka down");
      await waitFor(() => isShown("Kafka down") && told("sent") === 1, "live delivery");
      expect((await history()).status).toBe(200);
      expect(told("saved")).toBe(0);
    });
  }, 60_000);

  test("[G7] Kafka slow: it is told, also while nobody writes; everything goes on, saved comes late", async () => {
    await degraded("kafka", slowed("kafka"), async (told) => {
      say("Kafka slow");
      await waitFor(() => isShown("Kafka slow") && told("sent") === 1, "live delivery");
      expect(told("saved")).toBe(0);
      await waitFor(() => told("saved") === 1, "saved");
    });
  }, 60_000);

  test("[G8] Postgres down: chat, saving and joins go on, history is the stream's; what needs the store is refused, retriable", async () => {
    await degraded("postgres", killed("postgres"), async (told) => {
      say("Postgres down");
      await waitFor(() => isShown("Postgres down") && told("saved") === 1, "delivery and saving");
      expect(await (await history()).json()).toMatchObject({ source: "stream" });
      const guestHere = await RawClient.open(node.url, (await guest(node.url, "new")).token);
      expect(await guestHere.ask({ type: "join", room: room() })).toMatchObject({ type: "joined" });
      guestHere.close();
      const refused = await ask("/api/rooms", { method: "POST", body: JSON.stringify({ name: "new" }) });
      expect([refused.status, await refused.json()]).toMatchObject([
        503,
        { error: { code: "unavailable", retriable: true } },
      ]);
    });
  }, 60_000);

  test("[G8] Postgres slow: the same is told; chat and saving don't wait for it, and what needs it is answered late", async () => {
    await degraded("postgres", slowed("postgres"), async (told) => {
      say("Postgres slow");
      const startMs = performance.now();
      await waitFor(() => isShown("Postgres slow") && told("saved") === 1, "delivery and saving");
      expect(performance.now() - startMs, "it did not wait for the store").toBeLessThan(SLOW_MS);
      expect((await history()).status).toBe(200);
      expect(await makeRooms(node.url, 1)).toHaveLength(1);
    });
  }, 60_000);

  test("[G6] Redis down: a send is refused, retriable, and waits; history goes on; the node is not ready", async () => {
    await degraded("redis", killed("redis"), async (told) => {
      const send = { type: "send", room: room(), id: newId(), body: "no", since: "0".repeat(19) };
      expect(await observer.ask(send)).toMatchObject({ type: "error", code: "unavailable", retriable: true });
      say("Redis down");
      const page = await history();
      expect([page.status, await page.json()]).toMatchObject([200, { source: "store" }]);
      expect((await fetch(`${node.url}/readyz`)).status).toBe(503);
      expect(told("sent")).toBe(0);
    });
  }, 60_000);

  test("[G6] Redis slow: the same is told; a send is answered late or refused, and history goes on", async () => {
    await degraded("redis", slowed("redis"), async (told) => {
      say("Redis slow");
      expect((await history()).status).toBe(200);
      await waitFor(() => told("sent") === 1 || told("refused") > 0, "an answer");
    });
  }, 60_000);
});
