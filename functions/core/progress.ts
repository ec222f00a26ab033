/**
 * Keeps `caught_up_at` (C3) and says how the consumer is doing: its lag and the age of what waits longest.
 *
 * A partition is caught up at time t when everything that the log held at t is stored: its end is asked at t, and t counts
 * once the committed offset has reached that end. It rises while the log is idle too.
 */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { LogConsumer, LogProgress } from "./event-log.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import type { ProgressStore } from "./store.ts";

export interface ProgressDeps {
  readonly consumer: LogConsumer;
  readonly store: ProgressStore;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Nothing may wait longer than this without progress before the consumer calls itself stuck. */
  readonly stallMs: number;
}

const LOOK_MS = 500;
export class Progress {
  readonly #deps: ProgressDeps;
  /** Per partition the end that was asked last and not reached yet. */
  readonly #pending = new Map<number, { readonly end: bigint; readonly atMs: number }>();
  #cancel: Cancel = () => {};
  #closed = false;
  #lastLookMs: number;

  constructor(deps: ProgressDeps) {
    this.#deps = deps;
    this.#lastLookMs = deps.runtime.elapsed();
    deps.metrics.beforeRender(() => deps.metrics.oldestUnstoredSeconds.set(this.oldestUnstoredMs() / 1000));
  }

  start(): void {
    const look = () => {
      void this.look().finally(() => {
        if (!this.#closed) this.#cancel = this.#deps.runtime.after(LOOK_MS, look);
      });
    };
    look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** At least how long the record that waits longest has waited. Progress counts, not signs of life. */
  oldestUnstoredMs(): number {
    const times = [...this.#pending.values()].map(({ atMs }) => atMs);
    return times.length === 0 ? 0 : Math.max(0, this.#deps.runtime.now() - Math.min(...times));
  }

  /** Nothing waits for too long, and the log can be asked. */
  isReady(): boolean {
    const { runtime, stallMs } = this.#deps;
    return this.oldestUnstoredMs() < stallMs && runtime.elapsed() - this.#lastLookMs < stallMs;
  }

  /** One look at log and store. True when all that the log holds is stored. */
  async look(): Promise<boolean> {
    const { consumer, store, runtime, metrics, logger } = this.#deps;
    const atMs = runtime.now();
    try {
      const partitions = await consumer.progress();
      const marks = partitions.flatMap((progress) => this.#mark(progress, atMs));
      for (const { partition, end, committed } of partitions) {
        metrics.consumerLag.set({ partition: String(partition) }, Number(end - committed));
      }
      if (marks.length > 0) await store.markCaughtUp(marks, partitions.length);
      this.#lastLookMs = runtime.elapsed();
      return partitions.every(({ end, committed }) => committed >= end);
    } catch (error) {
      logger.warn("the consumer's progress can't be looked at now", { err: error });
      return false;
    }
  }

  #mark(
    { partition, end, committed }: LogProgress,
    atMs: number,
  ): { partition: number; caughtUpAtMs: number }[] {
    const pending = this.#pending.get(partition);
    const reached = committed >= end ? atMs : pending && committed >= pending.end ? pending.atMs : undefined;
    if (committed >= end) this.#pending.delete(partition);
    else if (!pending || committed >= pending.end) this.#pending.set(partition, { end, atMs });
    if (reached === undefined) return [];
    return [{ partition, caughtUpAtMs: reached }];
  }
}
