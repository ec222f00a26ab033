/** Waiting times between tries: exponential with full jitter, so that those who failed together don't come back together. */

export interface Backoff {
  /** Upper bound of the first wait. */
  readonly firstMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
}

/** Milliseconds to wait after failed try number `attempt` (0 is the first): uniform below a bound that doubles with each. */
export function backoffMs({ firstMs, maxMs }: Backoff, attempt: number, random: () => number): number {
  return random() * Math.min(maxMs, firstMs * 2 ** attempt);
}
