/** What a node's death and a rolling restart cost when thousands of clients come back: how long, how many at once, how often the store is asked. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { makeRooms } from "../harness.ts";
import { TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { startFleet, type Fleet, type Slot } from "./fleet.ts";

export interface StormFigures {
  readonly clients: number;
  readonly rooms: number;
  /** That had to come back. */
  readonly returned: number;
  /** From the first connection that broke: until half, 99 % and all clients had joined their rooms again. */
  readonly wholeMs: { readonly p50: number; readonly p99: number; readonly all: number };
  /** Most clients that came back within one second. */
  readonly peakPerSecond: number;
  /** Transactions in Postgres meanwhile, those that run when nothing happens left out. */
  readonly storeTransactions: number;
}

export interface Storm {
  readonly title: string;
  readonly figures: StormFigures;
}

const CLIENTS_PER_ROOM = 10;
const START_AT_ONCE = 100;
const QUIET_MS = 5_000;
/** Postgres counts a session's work within a second of its end. */
const STATISTICS_MS = 1_500;

export async function runStorms(clientCount: number, log: (line: string) => void): Promise<Storm[]> {
  const fleet = await startFleet();
  const storms: Storm[] = [];
  try {
    const clients = await connect(fleet, clientCount);
    log(`${clients.length} clients are there`);
    const measure = async (title: string, fault: () => Promise<void>) => {
      const figures = await watch(fleet, clients, fault);
      log(`${title}: ${JSON.stringify(figures)}`);
      storms.push({ title, figures });
    };
    for (const [index, slot] of fleet.nodes.entries()) {
      await measure(`node ${index + 1} killed`, () => slot.running.kill());
      await slot.renew();
    }
    for (const [index, slot] of fleet.nodes.entries())
      await measure(`node ${index + 1} drained and replaced`, () => replace(slot));
    await Promise.all(clients.map((client) => client.stop()));
  } finally {
    await fleet.close();
  }
  return storms;
}

async function replace(slot: Slot): Promise<void> {
  await slot.running.stop();
  await slot.renew();
}

async function connect(fleet: Fleet, count: number): Promise<TestClient[]> {
  const urls = fleet.nodes.map(({ url }) => url);
  const rooms = await makeRooms(urls[0] ?? "", Math.ceil(count / CLIENTS_PER_ROOM));
  const clients = Array.from(
    { length: count },
    (_, index) => new TestClient(`c${index}`, urls, [rooms[index % rooms.length] ?? ""], index),
  );
  for (let start = 0; start < count; start += START_AT_ONCE)
    await Promise.all(clients.slice(start, start + START_AT_ONCE).map((client) => client.start()));
  return clients;
}

async function watch(
  fleet: Fleet,
  clients: readonly TestClient[],
  fault: () => Promise<void>,
): Promise<StormFigures> {
  const idle = await transactionsWhile(fleet, () => sleep(QUIET_MS));
  const before = new Map(clients.map((client) => [client, client.reconnects]));
  const backMs = new Map<TestClient, number>();
  let startMs = 0;
  const isBack = (client: TestClient) => client.isJoined && client.reconnects > (before.get(client) ?? 0);
  const look = setInterval(() => {
    if (startMs === 0 && clients.some(({ isJoined }) => !isJoined)) startMs = performance.now();
    for (const client of clients)
      if (!backMs.has(client) && isBack(client)) backMs.set(client, performance.now() - startMs);
  }, 10);
  const begunMs = performance.now();
  const during = await transactionsWhile(fleet, async () => {
    await fault();
    await waitFor(
      () => startMs > 0 && clients.every(({ isJoined, isSettled }) => isJoined && isSettled),
      "all clients to be back",
      60_000,
    );
  });
  clearInterval(look);
  const tookMs = performance.now() - begunMs + STATISTICS_MS;
  const times = [...backMs.values()].toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.ceil(share * times.length) - 1] ?? 0);
  return {
    clients: clients.length,
    rooms: Math.ceil(clients.length / CLIENTS_PER_ROOM),
    returned: times.length,
    wholeMs: { p50: at(0.5), p99: at(0.99), all: at(1) },
    peakPerSecond: Math.max(
      0,
      ...times.map((from) => times.filter((ms) => ms >= from && ms < from + 1_000).length),
    ),
    storeTransactions: Math.max(0, Math.round(during - (idle * tookMs) / (QUIET_MS + STATISTICS_MS))),
  };
}

async function transactionsWhile({ world }: Fleet, task: () => Promise<unknown>): Promise<number> {
  const before = await transactions(world.postgres.url);
  await task();
  await sleep(STATISTICS_MS);
  return (await transactions(world.postgres.url)) - before;
}

async function transactions(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: string }>(
    "SELECT xact_commit AS count FROM pg_stat_database WHERE datname = 'postgres'",
  );
  await client.end();
  return Number(rows[0]?.count);
}
