/** Old events are deleted in time, young ones stay, and a store that is away is asked again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { fromMs, ZERO } from "../core/position.ts";
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
  let [running, isAway] = [0, true];
  runtime.isBusy = () => running > 0;
  const asked = {
    deleteEventsBefore: async (...args: Parameters<PrismaStore["deleteEventsBefore"]>) => {
      if (isAway) throw new ChatError("unavailable", "away");
      running++;
      return store.deleteEventsBefore(...args).finally(() => running--);
    },
  };
  const left = async () => (await store.eventsAfter("lobby", ZERO, 10)).events.map(({ id }) => id);
  const metrics = createMetrics();
  const retention = new Retention({ store: asked, runtime, metrics, logger, retentionMs: 10 * DAY_MS });
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

test("without a time to keep them events stay for ever", async () => {
  const runtime = new SteppedRuntime();
  const store = new PrismaStore(await template.open());
  await store.insertEvents([message("lobby", 0, { position: fromMs(1) })]);
  const metrics = createMetrics();
  const retention = new Retention({ store, runtime, metrics, logger, retentionMs: undefined });
  retention.start();
  await retention.look();
  await runtime.pass(2 * DAY_MS);
  expect((await store.eventsAfter("lobby", ZERO, 10)).events).toHaveLength(1);
  await store.close();
});
