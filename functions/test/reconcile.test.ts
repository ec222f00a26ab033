/** The care for the streams: nothing unsaved leaves one, and nothing stays unsaved in one, however many entries it keeps. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { MemoryEventLog } from "../adapters/event-log-memory.ts";
import { StreamMemory, type MemoryRoomStream } from "../adapters/room-stream-memory.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { decodeEvent, encodeDraft } from "../core/event.ts";
import { next, toMs, ZERO } from "../core/position.ts";
import { Reconcile } from "../core/reconcile.ts";
import { PARTITIONS, partitionOf } from "../core/room-stream.ts";
import { SETTLED_AFTER_MS } from "../core/settlement.ts";
import { ChatError } from "../lib/errors.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import type { RoomEvent } from "../protocol.ts";
import { newId } from "./events.ts";
import { createPgliteTemplate, type PgliteTemplate } from "./pglite-template.ts";

const DAY_MS = 24 * 3_600_000;

let template: PgliteTemplate;
let store: PrismaStore;
let memory: StreamMemory;
let stream: MemoryRoomStream;
let log: MemoryEventLog;
let logged: string[];

beforeAll(async () => void (template = await createPgliteTemplate()));
afterAll(() => template.remove());
beforeEach(async () => {
  store = new PrismaStore(await template.open());
  memory = new StreamMemory(runtime);
  stream = memory.connect();
  log = new MemoryEventLog({ runtime, stage: "test", logger });
  logged = [];
  await log.start(
    async ({ records }) => void logged.push(...records.map(({ value }) => decodeEvent(value).id)),
  );
  // All that the log ever held is stored, so what a stream holds and the store lacks was left behind.
  await store.markCaughtUp([{ partition: 0, caughtUpAtMs: runtime.now() + 60_000 }], 1);
  return async () => {
    await log.close();
    await store.close();
  };
});

async function fill(room: string, count: number): Promise<RoomEvent[]> {
  const fence = await stream.open(partitionOf(room), { nowMs: runtime.now(), floor: ZERO });
  const user = { id: "u1", name: "Ada" };
  for (let n = 0; n < count; n++) {
    await stream.append(encodeDraft({ room, id: newId(), user, body: `${n}` }), fence, ZERO);
  }
  return (await stream.entries(room, ZERO, count)).events.map(({ json }) => decodeEvent(json));
}

interface Age {
  readonly retentionMs: number;
  /** How far the clock has gone on since. */
  readonly aheadMs: number;
}

const reconcileWith = (keep: number, { retentionMs, aheadMs }: Partial<Age> = {}) =>
  new Reconcile({
    outbox: stream,
    store,
    log,
    runtime: { ...runtime, now: () => runtime.now() + (aheadMs ?? 0) },
    metrics: createMetrics(),
    logger,
    keep,
    retentionMs,
  });
const care = (keep: number) => reconcileWith(keep).look();

test("[C5] entries left behind far up a long stream are appended to the log", async () => {
  const events = await fill("lobby", 1_500);
  await store.insertEvents(events.slice(0, 1_400));
  await care(3_000);
  expect(logged).toEqual(events.slice(1_400).map(({ id }) => id));
});

test("[C4] a stream is trimmed up to the first entry that is not stored, and to its newest once all are", async () => {
  const events = await fill("lobby", 100);
  const lacking = events[20];
  await store.insertEvents(events.filter((event) => event !== lacking));
  await care(10);
  expect((await stream.entries("lobby", ZERO, 100)).events[0]?.position).toBe(lacking?.position);
  await store.insertEvents(events);
  await care(10);
  const { events: left } = await stream.entries("lobby", ZERO, 100);
  expect(left.map(({ position }) => position)).toEqual(events.slice(-10).map(({ position }) => position));
});

test("[C4] two consumers that trim one stream at once leave its newest entries", async () => {
  const events = await fill("lobby", 20);
  await store.insertEvents(events);
  const entries = stream.entries.bind(stream);
  let reads = 0;
  stream.entries = async (...args) => {
    if (++reads === 2) await care(10); // the other is through between this one's look and its trim
    return entries(...args);
  };
  await care(10);
  const { events: left } = await entries("lobby", ZERO, 20);
  expect(left.map(({ position }) => position)).toEqual(events.slice(-10).map(({ position }) => position));
});

/** All is stored and looked at but the first of forty entries, as if that had been in another memory. */
async function lookAtAllButTheFirst(reconcile: Reconcile) {
  const [first, ...rest] = await fill("lobby", 40);
  if (!first) throw new Error("nothing was appended");
  const whole = (await stream.entries("lobby", ZERO, 40)).events;
  await stream.trim("lobby", first.position);
  await store.insertEvents(rest);
  await reconcile.look();
  return { first, whole };
}

test("[C4] an entry below what was stored, back with an older memory, does not leave unsaved, and is appended to the log", async () => {
  const reconcile = reconcileWith(10);
  const { first, whole } = await lookAtAllButTheFirst(reconcile);
  expect((await stream.entries("lobby", ZERO, 40)).length).toBe(10);
  memory.contents.streams.set("lobby", [...whole]);
  await reconcile.look();
  expect((await stream.entries("lobby", ZERO, 40)).events[0]?.position).toBe(first.position);
  expect(logged).toEqual([first.id]);
});

test("[C5] an entry below what was stored, back with an older memory, is appended to the log once the memory has its fence", async () => {
  const reconcile = reconcileWith(100);
  const { first, whole } = await lookAtAllButTheFirst(reconcile);
  memory.contents.streams.set("lobby", [...whole]);
  const partition = partitionOf("lobby");
  const { fence } = await stream.inspect(partition, []);
  const known = { position: next(fence ?? ZERO), memory: "of before" };
  await stream.open(partition, { nowMs: runtime.now(), floor: whole.at(-1)?.position ?? ZERO, known });
  await reconcile.look();
  expect(logged).toEqual([first.id]);
});

test("[C5] what an older memory brought back is left until that memory has a fence and the store is settled", async () => {
  const [event] = await fill("lobby", 1);
  memory.restart(memory.snapshot());
  stream = memory.connect();
  const reconcile = reconcileWith(100);
  await reconcile.look();
  expect(logged, "no node has opened it yet").toEqual([]);
  const opening = { nowMs: runtime.now() + 60_000, floor: ZERO };
  const { position } = await stream.open(partitionOf("lobby"), opening);
  await reconcile.look();
  expect(logged, "its second place may be on its way").toEqual([]);
  await store.markCaughtUp([{ partition: 0, caughtUpAtMs: toMs(position) + SETTLED_AFTER_MS }], 1);
  await reconcile.look();
  expect(logged).toEqual([event?.id]);
});

test("[C5] what the store has deleted because of its age does not come back from the stream", async () => {
  const events = await fill("lobby", 5);
  const aheadMs = 3 * DAY_MS;
  await reconcileWith(100, { retentionMs: 2 * DAY_MS, aheadMs }).look();
  expect(logged).toEqual([]);
  await reconcileWith(100, { retentionMs: 4 * DAY_MS, aheadMs }).look();
  expect(logged).toEqual(events.map(({ id }) => id));
});

test("[C4] rooms whose server answers are looked after while another server is away", async () => {
  const events = await fill("lobby", 20);
  await store.insertEvents(events);
  const away = (partitionOf("lobby") + 1) % PARTITIONS;
  const { activeRooms } = stream;
  stream.activeRooms = async (partition) => {
    if (partition === away) throw new ChatError("unavailable", "away");
    return activeRooms.call(stream, partition);
  };
  await reconcileWith(10).look();
  expect((await stream.entries("lobby", ZERO, 20)).length).toBe(10);
});
