/** The runtime of a browser or of Node: the machine's own clocks, timers and chance. */
import type { Cancel, Runtime } from "./runtime.ts";

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  after,
};

function after(delayMs: number, task: () => void): Cancel {
  const timer = setTimeout(task, delayMs);
  return () => clearTimeout(timer);
}
