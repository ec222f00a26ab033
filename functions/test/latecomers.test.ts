/** [N8] What is stored behind a settled page is counted, and nothing else is. */
import { expect, test, vi } from "vitest";
import { StreamMemory } from "../adapters/room-stream-memory.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { toStreamEvent } from "../core/event.ts";
import { Latecomers } from "../core/latecomers.ts";
import { fromMs, ZERO } from "../core/position.ts";
import { partitionOf } from "../core/room-stream.ts";
import { SETTLED_AFTER_MS } from "../core/settlement.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { message } from "./events.ts";
import { MemoryStore } from "./simulation/postgres.ts";

const ROOM = "room";
const FENCE_AGO_MS = 20_000;

/** A room whose fence is twenty seconds old, an event from before and one from after it. */
async function world(caughtUpAgoMs: number) {
  const nowMs = runtime.now();
  const memory = new StreamMemory(runtime);
  const outbox = memory.connect();
  await outbox.open(partitionOf(ROOM), {
    nowMs,
    floor: ZERO,
    known: { memory: "an older one", position: fromMs(nowMs - FENCE_AGO_MS) },
  });
  const { fence = ZERO } = await outbox.inspect(partitionOf(ROOM), []);
  const store = new MemoryStore(() => runtime.now());
  await store.markCaughtUp([{ partition: 0, caughtUpAtMs: nowMs + FENCE_AGO_MS - caughtUpAgoMs }], 1);
  const metrics = createMetrics();
  const ahead = { ...runtime, now: () => runtime.now() + FENCE_AGO_MS };
  const latecomers = new Latecomers({ outbox, store, runtime: ahead, metrics, logger });
  const [before, after] = [
    message(ROOM, 1, { position: fence }),
    message(ROOM, 2, { position: fromMs(nowMs + 1_000) }),
  ];
  const counted = async (...events: (typeof before)[]) => {
    latecomers.count(await latecomers.among(events));
    return Number(/skat_consumer_stored_after_settled_total (\d+)/.exec(await metrics.render())?.[1]);
  };
  return { memory, store, before, after, counted };
}

test("an event from before a fence that is settled counts, one from after it does not", async () => {
  const { before, after, counted } = await world(0);
  expect(await counted(after)).toBe(0);
  expect(await counted(before, after)).toBe(1);
});

test("one that comes before the store is settled does not count", async () => {
  const { before, counted } = await world(FENCE_AGO_MS - SETTLED_AFTER_MS / 2);
  expect(await counted(before)).toBe(0);
});

test("one that is stored already does not count", async () => {
  const { store, before, counted } = await world(0);
  await store.insertEvents([before]);
  expect(await counted(before)).toBe(0);
});

test("one that an older memory brought back does not count: pages have it from the stream", async () => {
  const { memory, before, counted } = await world(0);
  memory.contents.streams.set(ROOM, [toStreamEvent(before)]);
  expect(await counted(before)).toBe(0);
});

test("the store is asked about what is below a fence and about nothing else, however old", async () => {
  const { store, before, after, counted } = await world(0);
  const asked = vi.spyOn(store, "caughtUpAt");
  await counted(after);
  expect(asked).not.toHaveBeenCalled();
  await counted(before);
  expect(asked).toHaveBeenCalledOnce();
});
