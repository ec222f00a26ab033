/** Old events are deleted in time, young ones stay, and a store that is away is asked again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { fromMs, ZERO } from "../core/position.ts";
import { uuidV7 } from "../core/uuid.ts";
import { Retention } from "../core/retention.ts";
import { ChatError } from "../lib/errors.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { message } from "./events.ts";
import { createPgliteTemplate, type PgliteTemplate } from "./pglite-template.ts";
import { SteppedRuntime } from "./stepped-runtime.ts";

const DAY_MS = 24 * 3_600_000;

let template: PgliteTemplate;
beforeAll(async () => void (template = await createPgliteTemplate()));
afterAll(() => template.remove());

test("events are deleted once they are older than they are kept, and none before", async () => {
  const runtime = new SteppedRuntime();
  const store = new PrismaStore(await template.open());
  const aged = (days: number) => message("lobby", days, { position: fromMs(runtime.now() - days * DAY_MS) });
  const [young, old, older] = [aged(1), aged(9), aged(12)];
  await store.insertEvents([young, old, older]);
  let isAway = true;
  const asked = waitedFor(store, runtime, () => isAway);
  const left = async () => (await store.eventsAfter("lobby", ZERO, 10)).events.map(({ id }) => id);
  const metrics = createMetrics();
  const retention = new Retention({
    store: asked,
    runtime,
    metrics,
    logger,
    retentionMs: 10 * DAY_MS,
    periodMs: undefined,
  });
  retention.start();
  await runtime.pass(1_000);
  expect(await left(), "the store was away").toEqual([older.id, old.id, young.id]);
  isAway = false;
  await runtime.pass(2 * 3_600_000);
  expect(await left()).toEqual([old.id, young.id]);
  await runtime.pass(2 * DAY_MS);
  expect(await left()).toEqual([young.id]);
  retention.close();
  await runtime.pass(20 * DAY_MS);
  expect(await left(), "closed").toEqual([young.id]);
  await store.close();
});

test("periods are made ahead, in time, and dropped when all of them is too old", async () => {
  const runtime = new SteppedRuntime();
  const store = new PrismaStore(await template.open());
  const asked = waitedFor(store, runtime, () => false);
  const deps = { store: asked, runtime, metrics: createMetrics(), logger, retentionMs: 4 * DAY_MS };
  const retention = new Retention({ ...deps, periodMs: 2 * DAY_MS });
  const now = () => message("lobby", 0, { id: uuidV7(runtime), position: fromMs(runtime.now()) });
  const left = async () => (await store.eventsAfter("lobby", ZERO, 100)).events.map(({ id }) => id);
  retention.start();
  const sent: string[] = [];
  for (let day = 0; day < 14; day++) {
    const event = now();
    sent.push(event.id);
    expect(await store.insertEvents([event])).toMatchObject({ inserted: 1 });
    await runtime.pass(DAY_MS);
  }
  const kept = await left();
  expect(kept).toEqual(sent.slice(-kept.length));
  expect(kept.length).toBeGreaterThanOrEqual(4);
  expect(kept.length).toBeLessThanOrEqual(6);
  retention.close();
  await store.close();
}, 60_000);

/** What time waits for, and what can be away. */
function waitedFor(store: PrismaStore, runtime: SteppedRuntime, isAway: () => boolean) {
  let running = 0;
  runtime.isBusy = () => running > 0;
  const count = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAway()) throw new ChatError("unavailable", "away");
    running++;
    return work().finally(() => running--);
  };
  const { periods } = store;
  return {
    deleteEventsBefore: (...args: Parameters<PrismaStore["deleteEventsBefore"]>) =>
      count(() => store.deleteEventsBefore(...args)),
    periods: {
      prepare: (...args: Parameters<typeof periods.prepare>) => count(() => periods.prepare(...args)),
      dropBefore: (...args: Parameters<typeof periods.dropBefore>) =>
        count(() => periods.dropBefore(...args)),
    },
  };
}

test("without a time to keep them events stay for ever", async () => {
  const runtime = new SteppedRuntime();
  const store = new PrismaStore(await template.open());
  await store.insertEvents([message("lobby", 0, { position: fromMs(1) })]);
  const metrics = createMetrics();
  const retention = new Retention({
    store,
    runtime,
    metrics,
    logger,
    retentionMs: undefined,
    periodMs: undefined,
  });
  retention.start();
  await retention.look();
  await runtime.pass(2 * DAY_MS);
  expect((await store.eventsAfter("lobby", ZERO, 10)).events).toHaveLength(1);
  await store.close();
});
