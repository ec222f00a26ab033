/** Load on a few nodes, a fault in its midst, and the audit of all that was acknowledged. */
import { expect } from "vitest";
import { audit } from "../audit.ts";
import type { Running } from "../harness.ts";
import { load } from "../load.ts";
import type { TestClient } from "../test-client.ts";
import { waitFor } from "../wait-for.ts";
import { Outcasts } from "./outcasts.ts";
import { joinAll } from "./world.ts";

export interface Load {
  readonly clients: readonly TestClient[];
  readonly rooms: readonly string[];
  /** Resolves when that many more messages were `sent`: a time that is counted in work. */
  more(messages: number): Promise<void>;
}

export interface LoadOptions {
  readonly messages: number;
  readonly perSecond: number;
  /** As the auditor has it. */
  readonly whole?: boolean;
  /** While the fault holds, some who only listen are put out. */
  readonly withOutcasts?: boolean;
}

const CLIENTS = 12;
const ROOMS = 3;

export function sum(clients: readonly TestClient[], count: (client: TestClient) => number): number {
  return clients.reduce((total, client) => total + count(client), 0);
}

export const savedBy = (clients: readonly TestClient[]) => sum(clients, ({ saved }) => saved.size);

const sentBy = (clients: readonly TestClient[]) => sum(clients, ({ sent }) => sent.size);

export async function underLoad(
  nodes: readonly Running[],
  { messages, perSecond, whole = false, withOutcasts = false }: LoadOptions,
  fault: (load: Load) => Promise<void>,
): Promise<{ clients: readonly TestClient[]; rooms: readonly string[] }> {
  const { rooms, clients, owner } = await joinAll(nodes, CLIENTS, ROOMS);
  const urls = nodes.map(({ url }) => url);
  const outcasts = withOutcasts ? await Outcasts.join(urls, rooms) : undefined;
  const more = async (count: number) => {
    const goal = sentBy(clients) + count;
    await waitFor(() => sentBy(clients) >= goal, `${count} more to be sent`, 60_000);
  };
  const work = load({ clients, rooms, messages, perSecond, resentShare: 0.05, cutsPerSecond: 1 });
  await more(200);
  await Promise.all([fault({ clients, rooms, more }), outcasts?.putOut(rooms[0] ?? "", owner)]);
  expect(sentBy(clients), "the fault ended before the load").toBeLessThan(messages);
  await work;
  const everybody = [...clients, ...(outcasts?.clients ?? [])];
  const faults = await audit(urls[0] ?? "", everybody, rooms, { whole, absences: outcasts?.absences ?? [] });
  await Promise.all(everybody.map((client) => client.stop()));
  expect(faults).toEqual([]);
  expect(savedBy(clients)).toBe(messages);
  return { clients, rooms };
}
