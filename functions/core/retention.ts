/**
 * Makes the periods that events are kept in ahead of time, and deletes events that are older than the stage keeps them: periods as a
 * whole, the rest a batch at a time. So in periods events are kept for up to one period longer.
 *
 * A stream may hold an event for longer than the store: reconcile then takes it for stored, or it would come back.
 */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { fromMs, type Position } from "./position.ts";
import { sleep, type Cancel, type Runtime } from "./runtime.ts";
import type { Store } from "./store.ts";

export interface RetentionDeps {
  readonly store: Pick<Store, "deleteEventsBefore" | "periods">;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** How long events are kept; for ever when absent. */
  readonly retentionMs: number | undefined;
  /** Length of the periods that are begun where there are none. */
  readonly periodMs: number | undefined;
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
    look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Makes the next periods, and deletes all that is too old now. What can't be done is tried again at the next look. */
  async look(): Promise<void> {
    const { runtime, logger, retentionMs } = this.#deps;
    try {
      await this.#prepare();
    } catch (error) {
      logger.error("the next periods of events can't be made now", { err: error });
    }
    if (retentionMs === undefined) return;
    try {
      await this.#delete(fromMs(runtime.now() - retentionMs - MARGIN_MS));
    } catch (error) {
      logger.warn("old events can't be deleted now", { err: error });
    }
  }

  async #prepare(): Promise<void> {
    const { store, runtime, logger, periodMs } = this.#deps;
    const made = await store.periods.prepare(runtime.now(), periodMs);
    if (made.length > 0) logger.info("periods of events made", { periods: made.join(", ") });
  }

  async #delete(before: Position): Promise<void> {
    const { store, runtime, metrics, logger } = this.#deps;
    const { names, restEndMs } = await store.periods.dropBefore(before);
    if (names.length > 0) logger.info("periods of events dropped", { periods: names.join(", ") });
    for (let isMore = true; isMore && !this.#closed;) {
      const deleted = await store.deleteEventsBefore(before, BATCH, restEndMs);
      metrics.eventsDeleted.inc(deleted);
      isMore = deleted === BATCH;
      if (isMore) await sleep(runtime, PAUSE_MS);
    }
  }
}
