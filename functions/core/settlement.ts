/** Settled (N8): whether the store is known to hold everything at or below a fence that it will ever hold. */
import type { Logger } from "../lib/logger.ts";
import { QUARANTINE_MS } from "./event-log.ts";
import { toMs, type Position } from "./position.ts";
import type { Runtime } from "./runtime.ts";
import type { ProgressStore } from "./store.ts";

/** Clocks of the hosts agree within half of it. */
export const CLOCK_MARGIN_MS = 1_000;

export const SETTLED_AFTER_MS = QUARANTINE_MS + CLOCK_MARGIN_MS;

/** Whether a store that is caught up at a time holds all there will be up to a fence. */
export function isSettledAt(fence: Position, caughtUpAtMs: number): boolean {
  return caughtUpAtMs >= toMs(fence) + SETTLED_AFTER_MS;
}

export class Settlement {
  readonly #store: ProgressStore;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  #caughtUpAtMs = 0;

  constructor(store: ProgressStore, runtime: Runtime, logger: Logger) {
    this.#store = store;
    this.#runtime = runtime;
    this.#logger = logger;
  }

  /** As far as this node has been told. */
  isSettled(fence: Position): boolean {
    return isSettledAt(fence, this.#caughtUpAtMs);
  }

  /** Asks the store where that is not known yet; false where the store does not answer. */
  async check(fence: Position): Promise<boolean> {
    if (this.isSettled(fence)) return true;
    // It can't be before that much time is over, so don't ask; half the margin for a consumer whose clock is ahead.
    if (this.#runtime.now() + CLOCK_MARGIN_MS / 2 < toMs(fence) + SETTLED_AFTER_MS) return false;
    try {
      this.#caughtUpAtMs = Math.max(this.#caughtUpAtMs, (await this.#store.caughtUpAt()) ?? 0);
    } catch (error) {
      this.#logger.debug("the store does not say how far it is", { err: error });
    }
    return this.isSettled(fence);
  }
}
