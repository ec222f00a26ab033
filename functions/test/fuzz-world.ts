/** The product within this process, on embedded engines: its node, its sign-in and its HTTP side, without a socket in between. */
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { loadConfig } from "../config.ts";
import { ChatConsumer } from "../core/consumer.ts";
import { ChatNode } from "../core/node.ts";
import { openLog, openRates, openStore, openStream } from "../engines.ts";
import { createApp, type AppDeps } from "../http/app.ts";
import { createLifecycle } from "../lib/lifecycle.ts";
import { createLogger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { openSignIn } from "../sign-in.ts";
import { FUZZ_ENV } from "./fuzz-env.ts";
import { copyEmptyPglite } from "./pglite-template.ts";

export type FuzzWorld = Awaited<ReturnType<typeof openFuzzWorld>>;

export async function openFuzzWorld() {
  const dataDir = mkdtempSync(join(tmpdir(), "skat-fuzz-"));
  await copyEmptyPglite(join(dataDir, "pglite"));
  const config = loadConfig({ ...FUZZ_ENV, DATA_DIR: dataDir }, "all");
  /** Lines about faults of the product's own. */
  const faults: string[] = [];
  const logger = createLogger({ level: "error", destination: { write: (line) => void faults.push(line) } });
  const lifecycle = createLifecycle({ logger, deadlineMs: 20_000, exit: () => {} });
  const deps = { config, logger, lifecycle };
  const metrics = createMetrics();
  const { limits } = config;
  const [engine, { log, consumer, deadLetters }, stored] = await Promise.all([
    openStream(deps),
    openLog(deps),
    openStore(deps),
  ]);
  const both = { log, runtime, metrics, logger, store: stored.store };
  const { stage, streamKeep, retentionMs, periodMs } = config;
  const { batchMax, stallMs } = config.consumer;
  const keeping = { outbox: engine.outbox, streamKeep, retentionMs, periodMs, stallMs, batchMax };
  const chat = new ChatConsumer({ ...both, ...keeping, stage, consumer, deadLetters });
  lifecycle.onClose("consumer", () => chat.close());
  await chat.start();
  const { auth, signIn, revocations } = await openSignIn({
    ...deps,
    ...stored,
    baseUrl: () => "http://127.0.0.1",
  });
  const rates = await openRates(deps);
  const node = new ChatNode({
    ...both,
    ...engine,
    auth,
    limits,
    rates,
    connectionsPerUserMax: config.connectionsPerUserMax,
    heartbeatMs: config.heartbeatMs,
    tokenGraceMs: config.auth.graceMs,
    backlogMax: config.logBacklogMax,
    real: new Set(),
  });
  await revocations.start((subjects) => node.revoke(subjects));
  lifecycle.onClose("node", () => node.close());
  const routes: AppDeps = {
    node,
    rates,
    auth,
    signIn,
    metrics,
    logger,
    limits,
    addressOf: () => "127.0.0.1",
    nowMs: () => runtime.now(),
    origins: "local",
    isHttps: false,
    webDir: undefined,
  };
  const app = createApp(routes);
  const incoming = {} as IncomingMessage;
  return {
    limits,
    auth,
    signIn,
    node,
    faults,
    routes,
    fetch: async (request: Request): Promise<Response> => app.fetch(request, { incoming }),
    async close(): Promise<void> {
      await lifecycle.end("done");
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
