/** The end of a process: closers run in reverse, within a deadline, on a signal or a failure. */
import type { Logger } from "./logger.ts";

export interface LifecycleOptions {
  readonly logger: Logger;
  /** For all closers together; then the process ends as it is. */
  readonly deadlineMs: number;
  /** What ends the process; given from outside by tests. */
  readonly exit?: (code: number) => void;
}

export interface Lifecycle {
  /** `close` runs when the process ends: the last one registered first, each after the one before has ended. */
  onClose(name: string, close: () => void | Promise<void>): void;
  /**
   * Runs the closers and ends the process, with `exitCode`, or 1 where a closer failed or the deadline passed. A second call
   * changes nothing.
   */
  end(reason: string, exitCode?: number): Promise<void>;
  /** From now on signals and failures that nobody handled end the process. */
  watch(): void;
}

interface Closer {
  readonly name: string;
  readonly close: () => void | Promise<void>;
}

/** A terminal's Ctrl-C reaches the process itself and again through npm, which forwards it: that is one Ctrl-C. */
const SAME_SIGNAL_MS = 500;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export function createLifecycle({ logger, deadlineMs, exit = process.exit }: LifecycleOptions): Lifecycle {
  const closers: Closer[] = [];
  let ending: Promise<void> | undefined;
  let exitCode = 0;
  let signalledAtMs: number | undefined;

  async function run(reason: string): Promise<void> {
    logger.info("ending", { reason });
    const startedAtMs = performance.now();
    const isClean = await closeAll(closers, deadlineMs, logger);
    logger.info("ended", { tookMs: Math.round(performance.now() - startedAtMs) });
    exit(isClean ? exitCode : 1);
  }

  function end(reason: string, code = 0): Promise<void> {
    exitCode = Math.max(exitCode, code);
    // Not at once: the first closer may itself call `end`, and must find it begun.
    ending ??= Promise.resolve().then(() => run(reason));
    return ending;
  }

  function onSignal(signal: keyof typeof EXIT_CODES): void {
    const nowMs = performance.now();
    signalledAtMs ??= nowMs;
    if (nowMs - signalledAtMs <= SAME_SIGNAL_MS) return void end(signal);
    logger.warn("ending at once", { reason: signal });
    exit(EXIT_CODES[signal]);
  }

  function onFailure(message: string, err: unknown): void {
    logger.fatal(message, { err });
    void end(message, 1);
  }

  return {
    onClose: (name, close) => void closers.push({ name, close }),
    end,
    watch: () => {
      process.on("SIGINT", onSignal);
      process.on("SIGTERM", onSignal);
      process.on("uncaughtException", (err) => onFailure("uncaught exception", err));
      process.on("unhandledRejection", (err) => onFailure("unhandled rejection", err));
    },
  };
}

/** Whether all closed, without a fault and in time. A fault of one does not keep the next from closing. */
async function closeAll(closers: readonly Closer[], deadlineMs: number, logger: Logger): Promise<boolean> {
  let isClean = true;
  let part = "";
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      isClean = false;
      logger.error("did not close in time", { part, deadlineMs });
      resolve();
    }, deadlineMs);
  });
  async function closeEach(): Promise<void> {
    for (const closer of closers.toReversed()) {
      part = closer.name;
      try {
        await closer.close();
      } catch (err) {
        isClean = false;
        logger.error("could not close in order", { part, err });
      }
    }
  }
  await Promise.race([closeEach(), deadline]);
  clearTimeout(timer);
  return isClean;
}
