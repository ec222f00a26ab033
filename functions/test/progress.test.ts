/** The watchdog counts progress: a consumer with work that is not getting done is not ready, and is again once it is. */
import { expect, test } from "vitest";
import { MemoryEventLog } from "../adapters/event-log-memory.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { Progress } from "../core/progress.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { createPgliteTemplate } from "./pglite-template.ts";
import { waitFor } from "./wait-for.ts";

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
