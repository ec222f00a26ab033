/** Entry: one realtime node. Configuration → preflight → engines → node → listen; on SIGTERM it drains. */
import { logMetrics } from "./adapters/metrics-cloudwatch.ts";
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import { loadConfig } from "./config.ts";
import { openLog, openStore, openStream } from "./engines.ts";
import { createMetrics } from "./lib/metrics.ts";
import { preflight } from "./preflight.ts";
import { start } from "./process.ts";
import { serve } from "./serve.ts";

await start(
  "node",
  () => loadConfig(undefined, "node"),
  async (deps) => {
    await preflight(deps);
    const metrics = createMetrics({ process: true });
    const [engine, { log }, stored] = await Promise.all([openStream(deps), openLog(deps), openStore(deps)]);
    const { stage, metricsLogMs: everyMs } = deps.config;
    deps.lifecycle.onClose("metric lines", logMetrics({ stage, service: "node", metrics, runtime, everyMs }));
    const url = await serve({ ...deps, ...engine, ...stored, log, metrics });
    deps.logger.info("node listens", { url });
  },
);
