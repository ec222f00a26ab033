/** How many connections there are, on all wires together, and how many of each address. */
import type { Metrics } from "./metrics.ts";

export class ConnectionCounts {
  readonly #metrics: Pick<Metrics, "connections">;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(metrics: Pick<Metrics, "connections">) {
    this.#metrics = metrics;
  }

  get total(): number {
    return this.#total;
  }

  of(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  /** Without an address the connection is not counted by it. */
  add(address: string | undefined): void {
    this.#metrics.connections.set(++this.#total);
    if (address !== undefined) this.#byAddress.set(address, this.of(address) + 1);
  }

  delete(address: string | undefined): void {
    this.#metrics.connections.set(--this.#total);
    if (address === undefined) return;
    if (this.of(address) > 1) this.#byAddress.set(address, this.of(address) - 1);
    else this.#byAddress.delete(address);
  }
}
