/** Entry: the consumer. Log → store, and the care for the streams. `--once` for a schedule. */
import { Hono } from "hono";
import { createAdaptorServer } from "@hono/node-server";
import type { Server } from "node:http";
import { logMetrics } from "./adapters/metrics-cloudwatch.ts";
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import { loadConfig } from "./config.ts";
import { ChatConsumer } from "./core/consumer.ts";
import { openLog, openStore, openStream } from "./engines.ts";
import { createOps } from "./http/ops.ts";
import { listen } from "./http/server.ts";
import { createMetrics } from "./lib/metrics.ts";
import { preflight } from "./preflight.ts";
import { start } from "./process.ts";

await start(
  "consumer",
  () => loadConfig(undefined, "consumer"),
  async (deps) => {
    const { config, logger, lifecycle } = deps;
    await preflight(deps);
    const metrics = createMetrics({ process: true });
    const [{ outbox }, { log, consumer, deadLetters }, { store }] = await Promise.all([
      openStream(deps),
      openLog(deps),
      openStore(deps),
    ]);
    const { stage, streamKeep, retentionMs, periodMs, consumer: settings } = config;
    const chat = new ChatConsumer({
      stage,
      consumer,
      deadLetters,
      log,
      outbox,
      store,
      runtime,
      metrics,
      logger,
      streamKeep,
      retentionMs,
      periodMs,
      stallMs: settings.stallMs,
      batchMax: settings.batchMax,
    });
    lifecycle.onClose("consumer", () => chat.close());
    if (process.argv.includes("--once")) {
      await chat.once();
      return lifecycle.end("all stored");
    }
    const app = new Hono().route(
      "/",
      createOps(metrics, () => (chat.isReady() ? [] : ["no progress"])),
    );
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    lifecycle.onClose("operations", () => server.closeAllConnections());
    const port = await listen(server, config.http.host, settings.port);
    const everyMs = config.metricsLogMs;
    lifecycle.onClose("metric lines", logMetrics({ stage, service: "consumer", metrics, runtime, everyMs }));
    await chat.start();
    logger.info("consumer runs", { port });
  },
);
