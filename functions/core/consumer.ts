/** Puts one consumer together from its ports: batches of the log into the store, and the care for the streams. */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { DeadLetters, EventLog, LogConsumer } from "./event-log.ts";
import { Erasure } from "./erasure.ts";
import { Persist } from "./persist.ts";
import { Progress } from "./progress.ts";
import { Reconcile } from "./reconcile.ts";
import { Retention } from "./retention.ts";
import type { RoomOutbox } from "./room-stream.ts";
import { sleep, type Runtime } from "./runtime.ts";
import type { Store } from "./store.ts";

export interface ConsumerOptions {
  readonly stage: string;
  readonly consumer: LogConsumer;
  readonly deadLetters: DeadLetters;
  /** Reconcile appends here. */
  readonly log: EventLog;
  readonly outbox: RoomOutbox;
  readonly store: Store;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly batchMax: number;
  readonly streamKeep: number;
  readonly stallMs: number;
  /** How long events are kept in the store; for ever when absent. */
  readonly retentionMs: number | undefined;
  /** Length of the periods that they are kept in; all are together when absent. */
  readonly periodMs: number | undefined;
}

export class ChatConsumer {
  readonly #options: ConsumerOptions;
  readonly #persist: Persist;
  readonly #progress: Progress;
  readonly #reconcile: Reconcile;
  readonly #retention: Retention;
  readonly #erasure: Erasure;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#persist = new Persist(options);
    this.#progress = new Progress(options);
    this.#reconcile = new Reconcile({ ...options, keep: options.streamKeep });
    this.#retention = new Retention(options);
    this.#erasure = new Erasure(options);
  }

  async start(): Promise<void> {
    await this.#options.consumer.start((batch) => this.#persist.handle(batch));
    this.#progress.start();
    this.#reconcile.start();
    this.#retention.start();
    this.#erasure.start();
  }

  /** Stores what the log holds now, looks after the streams once, and is done: for a schedule. */
  async once(): Promise<void> {
    await this.#options.consumer.start((batch) => this.#persist.handle(batch));
    while (!(await this.#progress.look())) await sleep(this.#options.runtime, 100);
    await this.#reconcile.look();
    await this.#retention.look();
    await this.#erasure.look();
  }

  /** False when no progress is made though there is work. */
  isReady(): boolean {
    return this.#progress.isReady();
  }

  async close(): Promise<void> {
    this.#progress.close();
    this.#reconcile.close();
    this.#retention.close();
    this.#erasure.close();
    await this.#options.consumer.close();
  }
}
