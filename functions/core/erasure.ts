/**
 * Takes the names of people who deleted their account out of what they said, a batch at a time, and out of whatever came in late.
 *
 * Nodes do not tell these names any more, so there is no haste. Nothing has to be remembered: what is left is found in the store.
 */
import type { Logger } from "../lib/logger.ts";
import type { ErasureStore } from "./own-data.ts";
import { sleep, type Cancel, type Runtime } from "./runtime.ts";

export interface ErasureDeps {
  readonly store: { readonly erasure: ErasureStore };
  readonly runtime: Runtime;
  readonly logger: Logger;
}

const LOOK_MS = 10_000;
const BATCH = 2_000;
/** Between batches, so that it never takes all of the store. */
const PAUSE_MS = 100;

export class Erasure {
  readonly #deps: ErasureDeps;
  #cancel: Cancel = () => {};
  #closed = false;

  constructor(deps: ErasureDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#cancel = this.#deps.runtime.after(LOOK_MS, () => {
      void this.look().finally(() => {
        if (!this.#closed) this.start();
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Erases all there is now. A store that is away is asked again at the next look. */
  async look(): Promise<void> {
    const { store, runtime, logger } = this.#deps;
    try {
      await store.erasure.eraseAgain();
      for (let isMore = true; isMore && !this.#closed;) {
        isMore = (await store.erasure.eraseNames(BATCH)) === BATCH;
        if (isMore) await sleep(runtime, PAUSE_MS);
      }
    } catch (error) {
      logger.warn("names can't be erased now", { err: error });
    }
  }
}
