/** The one source of chance of a run: seeded, and split by name, so that taking one part of a run away leaves the others' draws as they were. */
import { chance } from "../load.ts";

export class Random {
  readonly #seed: number;
  readonly #next: () => number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = chance(seed);
  }

  /** A source of its own for a named part. */
  fork(name: string): Random {
    let hash = this.#seed ^ 0x811c9dc5;
    for (let index = 0; index < name.length; index++)
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0;
    return new Random(hash);
  }

  /** Uniform in [0, 1). */
  readonly unit = (): number => this.#next();

  between(low: number, high: number): number {
    return low + this.#next() * (high - low);
  }

  /** Uniform among the integers from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  happens(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#next() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** As many different ones, in the order of their drawing. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    return Array.from({ length: Math.min(count, left.length) }, () => {
      const [item] = left.splice(Math.floor(this.#next() * left.length), 1);
      return item as T;
    });
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#next() * 256));
  }
}
