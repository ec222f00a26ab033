/** Virtual time: a clock that jumps from one scheduled task to the next. Tasks of the same moment run in the order of their scheduling. */
import type { Cancel, Runtime } from "../../core/runtime.ts";
import type { Random } from "./random.ts";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once cancelled. */
  task: (() => void) | undefined;
}

/** Runs begin here, so that traces can be compared. */
export const EPOCH_MS = 1_795_500_000_000;

const STEPS_PER_LOOP = 64;

export class VirtualTime implements Runtime {
  readonly #random: Random;
  readonly #heap: Entry[] = [];
  #nowMs = EPOCH_MS;
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Milliseconds since the run began. */
  elapsed(): number {
    return this.#nowMs - EPOCH_MS;
  }

  random = (): number => this.#random.unit();

  randomBytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  after(delayMs: number, task: () => void): Cancel {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task };
    this.#push(entry);
    return () => (entry.task = undefined);
  }

  /** Runs everything that is due within `durationMs`. Between two tasks all promises settle that can: each has a turn of the real event loop. */
  run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    return new Promise((resolve, reject) => {
      let isOver = false;
      const step = (): void => {
        if (isOver) return;
        const entry = this.#nextUntil(endMs);
        isOver = !entry;
        this.#nowMs = entry?.atMs ?? endMs;
        if (!entry) return resolve();
        try {
          entry.task?.();
        } catch (error) {
          isOver = true;
          return reject(error as Error);
        }
        setImmediate(step);
      };
      // Promises settle between any two immediates; the more there are, the less often the loop asks the system for news.
      for (let count = 0; count < STEPS_PER_LOOP; count++) setImmediate(step);
    });
  }

  #nextUntil(endMs: number): Entry | undefined {
    for (;;) {
      const [first] = this.#heap;
      if (!first || first.atMs > endMs) return undefined;
      this.#pop();
      if (first.task) return first;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      let lesser = left;
      if (right && isBefore(right, left)) [lesser, child] = [right, child + 1];
      if (isBefore(last, lesser)) break;
      heap[index] = lesser;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
