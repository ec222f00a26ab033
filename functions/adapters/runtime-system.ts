/** Runtime on the machine's own clock, timers and randomness: what a running process uses. */
import { randomBytes } from "node:crypto";
import type { Cancel, Runtime } from "../core/runtime.ts";

/** The longest delay of `setTimeout`; a longer one would fire at once. A token's life is longer. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after,
  random: () => Math.random(),
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
};

function after(delayMs: number, task: () => void): Cancel {
  let timer: NodeJS.Timeout;
  const schedule = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, TIMER_MS_MAX);
    timer = setTimeout(() => (leftMs > stepMs ? schedule(leftMs - stepMs) : task()), stepMs);
    timer.unref();
  };
  schedule(Math.max(0, delayMs));
  return () => clearTimeout(timer);
}
