/** The auditor: what was acknowledged, what the log and the store hold and what clients show must be the same. */
import { PAGE_EVENTS, type RoomEvent } from "../protocol.ts";
import type { TestClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";
import { guest, RawClient } from "./test-client.ts";

/** All events of a room by HTTP, page by page: what the database holds. */
export async function history(url: string, room: string): Promise<RoomEvent[]> {
  const { token } = await guest(url, "auditor");
  const client = await RawClient.open(url, token);
  await client.ask({ type: "join", room });
  client.close();
  const events: RoomEvent[] = [];
  for (let complete = false, after = "0000000000000000000"; !complete;) {
    const response = await fetch(`${url}/api/rooms/${room}/events?after=${after}&limit=200`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`history: ${response.status} ${await response.text()}`);
    const page = (await response.json()) as { events: RoomEvent[]; complete: boolean };
    events.push(...page.events);
    after = page.events.at(-1)?.position ?? after;
    complete = page.complete;
  }
  return events;
}

/**
 * Every fault found; none means that nothing was lost, doubled or out of order. `whole`: Redis kept its memory and nobody was away for
 * long, so every client must show its rooms from their first message on, at the places that `sent` named. Otherwise a view may
 * begin later, with the newest page of its last reset, but not after that.
 */
export async function audit(
  url: string,
  clients: readonly TestClient[],
  rooms: readonly string[],
  { whole = false } = {},
): Promise<string[]> {
  await waitFor(
    () => clients.every(({ waiting, isSettled }) => waiting === 0 && isSettled),
    `outboxes to empty: ${clients.map(({ waiting }) => waiting).join(" ")}`,
    120_000,
  );
  const acknowledged = new Set(clients.flatMap(({ saved }) => [...saved]));
  const faults = clients.flatMap((client) => client.faults.map((fault) => `${client.name}: ${fault}`));
  const stored = new Map<string, RoomEvent[]>();
  await waitFor(
    async () => {
      for (const room of rooms) stored.set(room, await history(url, room));
      return [...stored.values()].flat().length >= acknowledged.size;
    },
    "everything saved to be stored",
    60_000,
  ).catch((error: unknown) => faults.push(String(error)));
  const ids = [...stored.values()].flat().map(({ id }) => id);
  if (new Set(ids).size !== ids.length) faults.push("an id is stored twice");
  const storedIds = new Set(ids);
  for (const id of acknowledged) if (!storedIds.has(id)) faults.push(`saved and not stored: ${id}`);
  for (const room of rooms) faults.push(...compare(room, stored.get(room) ?? [], clients, whole));
  if (whole) faults.push(...misplaced([...stored.values()].flat(), clients));
  return faults;
}

/** Messages whose `sent` named another place than the one where they are stored. */
function misplaced(rows: readonly RoomEvent[], clients: readonly TestClient[]): string[] {
  const places = new Map(rows.map(({ id, position }) => [id, position]));
  const sent = clients.flatMap((client) => [...client.sent]);
  return sent
    .filter(([id, position]) => places.get(id) !== position)
    .map(([id]) => `sent and stored elsewhere: ${id}`);
}

export function compare(
  room: string,
  rows: readonly RoomEvent[],
  clients: readonly Pick<TestClient, "name" | "shown">[],
  whole: boolean,
): string[] {
  const faults: string[] = [];
  const positions = rows.map(({ position }) => position);
  if (new Set(positions).size !== positions.length) faults.push(`a position is used twice in ${room}`);
  for (const client of clients) {
    const shown = client.shown(room);
    const latest = (whole ? rows.at(0) : rows.at(-Math.min(PAGE_EVENTS, rows.length)))?.position ?? "";
    const first = shown[0]?.position ?? latest;
    const expected = rows
      .filter(({ position }) => position >= first || position >= latest)
      .map(({ id, position }) => `${position} ${id}`);
    const seen = shown.map(({ id, position }) => `${position} ${id}`);
    if (expected.join() === seen.join()) continue;
    const missing = expected.filter((entry) => !seen.includes(entry));
    const extra = seen.filter((entry) => !expected.includes(entry));
    faults.push(
      `${client.name} in ${room}: shows ${seen.length} of ${expected.length}; lacks ${missing.slice(0, 3).join("; ")}; has extra ${extra.slice(0, 3).join("; ")}`,
    );
  }
  return faults;
}
