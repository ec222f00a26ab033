/** Reads one topic in a consumer group, and goes on after every fault: each fault ends a consumer, the next one takes its place. */
import type { EachBatchPayload } from "kafkajs";
import type { Runtime } from "../core/runtime.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Logger } from "../lib/logger.ts";
import type { KafkaConfig } from "./kafka-client.ts";
import { ReaderSession } from "./kafka-reader-session.ts";

export interface KafkaReaderOptions {
  readonly config: KafkaConfig;
  readonly topic: string;
  readonly groupId: string;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

export type OnBatch = (payload: EachBatchPayload) => Promise<void>;

const RESTART = { firstMs: 200, maxMs: 3000 };

export class KafkaReader {
  readonly #options: KafkaReaderOptions;
  #session: ReaderSession | undefined;
  #reading: Promise<void> | undefined;
  #isClosed = false;
  readonly #pauses = new Set<() => void>();

  constructor(options: KafkaReaderOptions) {
    this.#options = options;
  }

  /** A batch whose offset `onBatch` did not resolve comes again. */
  start(onBatch: OnBatch): void {
    if (this.#reading) throw new Error("the log is read already");
    this.#reading = this.#read(onBatch);
  }

  /** Waits for the batches in hand and leaves the group. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pauses.forEach((wake) => wake());
    await this.#session?.close();
    await this.#reading;
  }

  /** Resolves after `delayMs`, or when the reader closes. */
  async pause(delayMs: number): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        cancel();
        this.#pauses.delete(wake);
        resolve();
      };
      const cancel = this.#options.runtime.after(delayMs, wake);
      this.#pauses.add(wake);
    });
  }

  async #read(onBatch: OnBatch): Promise<void> {
    const { logger, runtime } = this.#options;
    for (let attempt = 0; !this.#isClosed; attempt++) {
      const session = new ReaderSession(this.#options, onBatch);
      this.#session = session;
      const fault = await session.ended;
      if (!fault) break;
      logger.warn("a Kafka consumer failed and is replaced", { err: fault, topic: this.#options.topic });
      if (session.hasJoined) attempt = 0;
      await session.drop();
      await this.pause(backoffMs(RESTART, attempt, () => runtime.random()));
    }
  }
}
