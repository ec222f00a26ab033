/** Port: time, chance and scheduling, given from outside so that the core can run under a simulated clock. */

/** Stops a scheduled task that has not run yet; afterwards, and when called again, it does nothing. */
export type Cancel = () => void;

export interface Runtime {
  /** Wall clock, milliseconds since 1970. May jump, also backwards. */
  now(): number;
  /** Milliseconds from some fixed moment; never goes back. For ages and deadlines. */
  elapsed(): number;
  /** Runs `task` once after at least `delayMs`. A pending task does not keep the process alive. */
  after(delayMs: number, task: () => void): Cancel;
  /** Uniform in [0, 1). */
  random(): number;
  /** Fills with unpredictable bytes. */
  randomBytes(length: number): Uint8Array;
}

/** Resolves after `delayMs`. */
export function sleep(runtime: Runtime, delayMs: number): Promise<void> {
  return new Promise((resolve) => runtime.after(delayMs, resolve));
}
