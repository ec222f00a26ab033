/** The newest page of a room, made of stream and store (N5). */
import { expect, test } from "vitest";
import { StreamMemory } from "../adapters/room-stream-memory.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { decodeEvent } from "../core/event.ts";
import { Fences } from "../core/fences.ts";
import { Pages } from "../core/pages.ts";
import { ZERO } from "../core/position.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { PAGE_EVENTS } from "../protocol.ts";
import { appendMany, opened, ROOM } from "./room-stream-contract.ts";
import { MemoryStore } from "./simulation/postgres.ts";

test("[G6] [N5] an older memory that holds a whole page does not hide what was stored after it", async () => {
  const memory = new StreamMemory(runtime);
  const stream = memory.connect();
  const store = new MemoryStore(() => runtime.now());
  await appendMany(stream, await opened(stream), PAGE_EVENTS + 10);
  const older = memory.snapshot();
  await appendMany(stream, await opened(stream), 1);
  const { events } = await stream.entries(ROOM, ZERO, 1_000);
  await store.insertEvents(events.map(({ json }) => decodeEvent(json)));
  memory.restart(older);
  const pages = new Pages(
    stream,
    store,
    new Fences({ stream, runtime, metrics: createMetrics(), logger }),
    logger,
  );
  const page = await pages.newest(ROOM);
  expect(page.events.map(({ position }) => position)).toEqual(
    events.slice(-PAGE_EVENTS).map(({ position }) => position),
  );
  expect(page.head).toBe(page.fence.position);
});
