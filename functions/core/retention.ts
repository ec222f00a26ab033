/**
 * Deletes events that are older than the stage keeps them, a batch at a time.
 *
 * A stream may hold an event for longer than the store: reconcile then takes it for stored, or it would come back.
 */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { fromMs } from "./position.ts";
import { sleep, type Cancel, type Runtime } from "./runtime.ts";
import type { EventStore } from "./store.ts";

export interface RetentionDeps {
  readonly store: Pick<EventStore, "deleteEventsBefore">;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** How long events are kept; for ever when absent. */
  readonly retentionMs: number | undefined;
}

const LOOK_MS = 3_600_000;
const BATCH = 5_000;
/** Between batches, so that deleting never takes all of the store. */
const PAUSE_MS = 100;
/** Reconcile stops looking for an event this much before it is deleted. */
const MARGIN_MS = 3_600_000;

export class Retention {
  readonly #deps: RetentionDeps;
  #cancel: Cancel = () => {};
  #closed = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  start(): void {
    const look = () => {
      void this.look().finally(() => {
        if (!this.#closed) this.#cancel = this.#deps.runtime.after(LOOK_MS, look);
      });
    };
    if (this.#deps.retentionMs !== undefined) look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Deletes all that is too old now. A store that is away is asked again at the next look. */
  async look(): Promise<void> {
    const { store, runtime, metrics, logger, retentionMs } = this.#deps;
    if (retentionMs === undefined) return;
    const before = fromMs(runtime.now() - retentionMs - MARGIN_MS);
    try {
      for (let isMore = true; isMore && !this.#closed;) {
        const deleted = await store.deleteEventsBefore(before, BATCH);
        metrics.eventsDeleted.inc(deleted);
        isMore = deleted === BATCH;
        if (isMore) await sleep(runtime, PAUSE_MS);
      }
    } catch (error) {
      logger.warn("old events can't be deleted now", { err: error });
    }
  }
}
