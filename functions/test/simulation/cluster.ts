/** The processes that are meant to run: as many nodes and consumers as planned, each replaced by a new one when it has ended. */
import type { Logger } from "../../lib/logger.ts";
import type { Host } from "./host.ts";
import { SimulatedConsumer, SimulatedNode, type ProcessDeps } from "./processes.ts";

export interface ClusterOptions extends Omit<ProcessDeps, "host" | "logger"> {
  readonly nodes: number;
  readonly consumers: number;
  readonly hostOf: (name: string) => Host;
  readonly loggerOf: (name: string) => Logger;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly nodes: SimulatedNode[] = [];
  readonly consumers: SimulatedConsumer[] = [];
  #count = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Each place whose process has ended gets a new one. */
  fill(): void {
    for (let place = 0; place < this.#options.nodes; place++) {
      if (!this.nodes[place]?.host.isAlive) this.nodes[place] = new SimulatedNode(this.#deps("node"));
    }
    for (let place = 0; place < this.#options.consumers; place++) {
      if (this.consumers[place]?.host.isAlive) continue;
      const consumer = (this.consumers[place] = new SimulatedConsumer(this.#deps("consumer")));
      void consumer.start();
    }
  }

  heal(): void {
    for (const { host } of [...this.nodes, ...this.consumers]) host.wake();
    this.fill();
  }

  #deps(kind: string): ProcessDeps {
    const name = `${kind}-${this.#count++}`;
    return { ...this.#options, host: this.#options.hostOf(name), logger: this.#options.loggerOf(name) };
  }
}
