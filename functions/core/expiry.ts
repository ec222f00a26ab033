/** The end of a session's token: a hint before it, a grace after it, and then the end of the session. */
import type { Cancel, Runtime } from "./runtime.ts";

export interface ExpiryOptions {
  readonly runtime: Runtime;
  /** How long a session outlives its token, for a refresh that is late. */
  readonly graceMs: number;
  /** The token ends in so many milliseconds. */
  readonly onExpiring: (expiresInMs: number) => void;
  readonly onExpired: () => void;
}

/** The hint comes this long before the end, or in the middle of what is left where that is less. */
const HINT_MS = 60_000;
/** Timers hold 31 bits of milliseconds; a token that lives longer is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Expiry {
  readonly #options: ExpiryOptions;
  #cancels: readonly Cancel[] = [];

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** The token in force ends then; what was set before counts no more. */
  set(expiresAtMs: number): void {
    const { runtime, graceMs, onExpired } = this.#options;
    this.cancel();
    const leftMs = Math.max(0, expiresAtMs - runtime.now());
    if (leftMs > TIMER_MS_MAX - graceMs) {
      this.#cancels = [runtime.after(TIMER_MS_MAX - graceMs, () => this.set(expiresAtMs))];
      return;
    }
    const hintAfterMs = Math.max(leftMs - HINT_MS, leftMs / 2);
    this.#cancels = [
      runtime.after(hintAfterMs, () => this.#hint(expiresAtMs)),
      runtime.after(leftMs + graceMs, onExpired),
    ];
  }

  cancel(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #hint(expiresAtMs: number): void {
    const { runtime, onExpiring } = this.#options;
    onExpiring(Math.max(0, Math.round(expiresAtMs - runtime.now())));
  }
}
