/**
 * Port: how often something may be done, counted by all nodes together.
 *
 * A counter that can't be reached does not stop anybody: the node then counts by itself. What a single socket sends is
 * counted by the socket alone (`rate.ts`).
 */

import type { RateName } from "../protocol.ts";

/** So many within so many seconds. */
export interface Window {
  readonly points: number;
  readonly seconds: number;
}

/** "points/seconds", several separated by commas, or "none". */
export function readWindows(text: string): readonly Window[] {
  if (text === "none") return [];
  return text.split(",").map((window) => {
    const [points = 0, seconds = 0] = window.split("/").map(Number);
    return { points, seconds };
  });
}

export interface RateLimiter {
  /** Counts one; throws `rate_limited` when it is one too many. */
  take(rate: RateName, key: string): Promise<void>;
  /**
   * Counts one without asking anybody, and answers how many milliseconds the key must wait, 0 where it needn't. Other nodes'
   * counts come in late, and a tenth of the points is each node's own.
   */
  count(rate: RateName, key: string): number;
}
