/** Latencies in buckets that grow by 2 %: percentiles without keeping every value. */

const GROWTH = 1.02;
const FIRST_MS = 0.01;

export class Histogram {
  readonly #buckets: number[] = [];
  #count = 0;
  #max = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(ms: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(Math.max(ms, FIRST_MS) / FIRST_MS) / Math.log(GROWTH)));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
    this.#max = Math.max(this.#max, ms);
  }

  /** The bound of the bucket below which that share lies, in ms. */
  percentile(share: number): number {
    let left = this.#count * share;
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      left -= this.#buckets[bucket] ?? 0;
      if (left <= 0) return FIRST_MS * GROWTH ** bucket;
    }
    return this.#max;
  }

  summary(): { p50: number; p99: number; max: number } {
    return { p50: this.percentile(0.5), p99: this.percentile(0.99), max: this.#max };
  }
}
