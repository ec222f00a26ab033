/** Entry: everything in one process, for one command on a laptop. What is not configured is embedded. */
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import { loadConfig } from "./config.ts";
import { ChatConsumer } from "./core/consumer.ts";
import { openLog, openStore, openStream } from "./engines.ts";
import { lockDataFolder } from "./lib/data-lock.ts";
import { createMetrics } from "./lib/metrics.ts";
import { preflight } from "./preflight.ts";
import { start } from "./process.ts";
import { serve } from "./serve.ts";

await start(
  "start",
  () => loadConfig(undefined, "all"),
  async (deps) => {
    const { config, logger, lifecycle } = deps;
    const lock = await lockDataFolder(config.dataDir);
    lifecycle.onClose("data folder", () => lock.release());
    await preflight(deps);
    const metrics = createMetrics({ process: true });
    const [engine, { log, consumer, deadLetters }, stored] = await Promise.all([
      openStream(deps),
      openLog(deps),
      openStore(deps),
    ]);
    const { stage, streamKeep, retentionMs, periodMs } = config;
    const { batchMax } = config.consumer;
    const chat = new ChatConsumer({
      stage,
      consumer,
      deadLetters,
      log,
      outbox: engine.outbox,
      store: stored.store,
      runtime,
      metrics,
      logger,
      streamKeep,
      retentionMs,
      periodMs,
      stallMs: config.consumer.stallMs,
      batchMax,
    });
    lifecycle.onClose("consumer", () => chat.close());
    await chat.start();
    const url = await serve({ ...deps, ...engine, ...stored, log, metrics });
    lock.note({ url });
    console.log(`\nSkat is at ${url}\n`);
  },
);
