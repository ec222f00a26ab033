/** Delays between attempts: full jitter, so that many clients that lost the same node don't come back together. */
import type { Runtime } from "./runtime.ts";

type Chance = Pick<Runtime, "random">;

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

const DEFAULTS: BackoffOptions = { baseMs: 500, capMs: 30_000 };

/** The delay in milliseconds before attempt number `attempt` (from 0): evenly spread over 0 … min(cap, base · 2^attempt). */
export function fullJitterMs(attempt: number, chance: Chance, { baseMs, capMs } = DEFAULTS): number {
  return Math.floor(chance.random() * Math.min(capMs, baseMs * 2 ** attempt));
}
