/** The watchdog counts progress: a consumer with work that is not getting done is not ready, and is again once it is. */
import { expect, test } from "vitest";
import { MemoryEventLog } from "../adapters/event-log-memory.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { Progress } from "../core/progress.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { createPgliteTemplate } from "./pglite-template.ts";
import { MemoryStore } from "./simulation/postgres.ts";
import { waitFor } from "./wait-for.ts";

test("[C3] a partition is caught up as of the time when the end that is reached was asked, not of now", async () => {
  const store = new MemoryStore(() => 0);
  let [nowMs, end, committed] = [1_000, 5n, 0n];
  const progress = new Progress({
    consumer: {
      start: async () => {},
      progress: async () => [{ partition: 0, end, committed }],
      close: async () => {},
    },
    store,
    runtime: { ...runtime, now: () => nowMs },
    metrics: createMetrics(),
    logger,
    stallMs: 1_500,
  });
  await progress.look();
  expect(await store.caughtUpAt(), "the end is not reached").toBeUndefined();
  [nowMs, end, committed] = [2_000, 9n, 5n];
  await progress.look();
  expect(await store.caughtUpAt(), "what came since is not stored").toBe(1_000);
  [nowMs, committed] = [3_000, 9n];
  await progress.look();
  expect(await store.caughtUpAt()).toBe(3_000);
});

test("[G8] readiness fails after CONSUMER_STALL_MS without progress, and comes back", async () => {
  const template = await createPgliteTemplate();
  const store = new PrismaStore(await template.open());
  const log = new MemoryEventLog({ runtime, stage: "test", logger, retry: { firstMs: 1, maxMs: 20 } });
  let isAway = true;
  await log.start(async () => {
    if (isAway) throw new Error("the store is away");
  });
  const progress = new Progress({
    consumer: log,
    store,
    runtime,
    metrics: createMetrics(),
    logger,
    stallMs: 1_500,
  });
  const appended = log.append([{ room: "lobby", value: "{}" }]);
  progress.start();
  expect(progress.isReady()).toBe(true);
  await waitFor(() => !progress.isReady(), "the consumer to call itself stuck");
  isAway = false;
  await appended;
  await waitFor(() => progress.isReady(), "the consumer to be ready again");
  progress.close();
  await log.close();
  await store.close();
  await template.remove();
});
