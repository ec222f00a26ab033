/** A load of messages at a steady rate by all clients, with repeats on purpose and connections cut by a seeded chance. */
import { setTimeout as sleep } from "node:timers/promises";
import type { TestClient } from "./test-client.ts";

export interface Load {
  readonly clients: readonly Pick<TestClient, "say" | "cut">[];
  readonly rooms: readonly string[];
  readonly messages: number;
  readonly perSecond: number;
  readonly resentShare?: number;
  readonly cutsPerSecond?: number;
  readonly seed?: number;
}

/** Answers how many were put into outboxes. */
export async function load({
  clients,
  rooms,
  messages,
  perSecond,
  resentShare = 0,
  cutsPerSecond = 0,
  seed = Date.now(),
}: Load): Promise<number> {
  const random = chance(seed);
  console.log(`load: seed ${seed}`);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  const startMs = performance.now();
  for (let count = 0; count < messages; count++) {
    pick(clients).say(pick(rooms), `message ${count} „${"x".repeat(Math.floor(random() * 100))}“ 👋`, {
      twice: random() < resentShare,
    });
    if (random() < cutsPerSecond / perSecond) pick(clients).cut();
    const aheadMs = (count / perSecond) * 1000 - (performance.now() - startMs);
    if (aheadMs > 5) await sleep(aheadMs);
  }
  return messages;
}

/** mulberry32: small, seeded, good enough to choose by. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
