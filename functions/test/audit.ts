/** Brings the auditor its histories from real processes: from the clients of a test, and by HTTP what the database holds. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomEvent } from "../protocol.ts";
import { judge, type Absence, type ClientHistory, type Verdict } from "./auditor.ts";
import type { TestClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";
import { guest, RawClient } from "./test-client.ts";

const LOOK_MS = 100;
/** The rest of the time is left to those who have to store it. */
const LOOKING_SHARE = 0.2;
/** Longer than a consumer takes to come back and take its partitions over. */
const STILL_MS = 60_000;
const STORE_BACK_MS = 60_000;

/** A client of a test, on whichever wire. */
type Audited = ClientHistory & Pick<TestClient, "isSettled">;

/** All events of a room by HTTP, page by page: what the database holds. */
export async function history(url: string, room: string): Promise<RoomEvent[]> {
  const { token } = await guest(url, "auditor");
  const client = await RawClient.open(url, token);
  await client.ask({ type: "join", room });
  client.close();
  const events: RoomEvent[] = [];
  for (let complete = false, after = "0000000000000000000"; !complete;) {
    const path = `/api/rooms/${room}/events?after=${after}&limit=200`;
    const page = await waitFor(() => historyPage(url, path, token), "the store to answer", STORE_BACK_MS);
    events.push(...page.events);
    after = page.events.at(-1)?.position ?? after;
    complete = page.complete;
  }
  return events;
}

/** Every violation found on real processes, in words; none means that nothing was lost, doubled or out of order. */
export async function audit(...args: Parameters<typeof examine>): Promise<string[]> {
  return (await examine(...args)).findings.map(({ text }) => text);
}

/** Undefined while the store is not back. */
async function historyPage(
  url: string,
  path: string,
  token: string,
): Promise<{ events: RoomEvent[]; complete: boolean } | undefined> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (response.status === 503) return undefined;
  if (!response.ok) throw new Error(`history: ${response.status} ${await response.text()}`);
  return (await response.json()) as { events: RoomEvent[]; complete: boolean };
}

/** What the auditor says once all outboxes are empty and what was saved has had its time to be stored. */
export async function examine(
  url: string,
  clients: readonly Audited[],
  rooms: readonly string[],
  { whole = false, absences = [] }: { whole?: boolean; absences?: readonly Absence[] } = {},
): Promise<Verdict> {
  await waitFor(
    () => clients.every(({ waiting, isSettled, isGone }) => isGone || (waiting === 0 && isSettled)),
    `outboxes to empty: ${clients.map(({ waiting }) => waiting).join(" ")}`,
    120_000,
  );
  const acknowledged = new Set(clients.flatMap(({ saved }) => [...saved]));
  const rows = await storedRows(url, rooms, acknowledged.size);
  return judge({ clients, rows, whole, absences });
}

/** What the rooms hold once it is as much as was saved, or nothing more comes: what lacks then is the auditor's to tell. */
async function storedRows(
  url: string,
  rooms: readonly string[],
  saved: number,
): Promise<Map<string, RoomEvent[]>> {
  for (let [most, atMs] = [-1, 0]; ;) {
    const startMs = performance.now();
    const rows = new Map<string, RoomEvent[]>();
    for (const room of rooms) rows.set(room, await history(url, room));
    const stored = [...rows.values()].reduce((sum, { length }) => sum + length, 0);
    if (stored > most) [most, atMs] = [stored, performance.now()];
    if (stored >= saved || performance.now() - atMs > STILL_MS) return rows;
    await sleep(Math.max(LOOK_MS, (performance.now() - startMs) * (1 / LOOKING_SHARE - 1)));
  }
}
