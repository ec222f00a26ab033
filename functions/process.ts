/** Runs an entry: reads the configuration, watches signals, and says in plain words why it can't start. */
import { ConfigError, type Config } from "./config.ts";
import { createLifecycle, type Lifecycle } from "./lib/lifecycle.ts";
import { createLogger, type Logger } from "./lib/logger.ts";

export interface ProcessDeps<C extends Config> {
  readonly config: C;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

/** Beyond draining, for the closers that follow it. */
export const CLOSE_MS = 5_000;

export async function start<C extends Config>(
  name: string,
  configure: () => C,
  run: (deps: ProcessDeps<C>) => Promise<void>,
): Promise<void> {
  const config = read(configure);
  const isPretty = config.role === "all" && process.stdout.isTTY === true;
  const logger = createLogger({ level: config.logLevel, pretty: isPretty });
  const lifecycle = createLifecycle({ logger, deadlineMs: config.drainMs + CLOSE_MS });
  lifecycle.watch();
  try {
    await run({ config, logger, lifecycle });
  } catch (error) {
    logger.error("can't start", { err: error });
    console.error(`Skat can't start (${name}): ${error instanceof Error ? error.message : String(error)}`);
    await lifecycle.end("failed start", 1);
  }
}

function read<C>(configure: () => C): C {
  try {
    return configure();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
