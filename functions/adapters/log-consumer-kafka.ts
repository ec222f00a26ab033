/** The log on a Kafka topic: the reading end. */
import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import type { LogBatch, LogConsumer, LogProgress, ReadRecord } from "../core/event-log.ts";
import type { Runtime } from "../core/runtime.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Logger } from "../lib/logger.ts";
import type { KafkaConfig } from "./kafka-client.ts";
import { commitUpTo, headerOf } from "./kafka-message.ts";
import { KafkaProgress } from "./kafka-progress.ts";
import { KafkaReader } from "./kafka-reader.ts";

export interface KafkaLogConsumerOptions {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** Well below the group's session of 10 s, since no heartbeat goes out meanwhile. */
const RETRY = { firstMs: 200, maxMs: 3000 };

export class KafkaLogConsumer implements LogConsumer {
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #reader: KafkaReader;
  readonly #progress: KafkaProgress;
  /** By partition, since its last success. */
  readonly #failures = new Map<number, number>();

  constructor(options: KafkaLogConsumerOptions) {
    const { config, runtime, logger } = options;
    this.#runtime = runtime;
    this.#logger = logger;
    this.#reader = new KafkaReader({ ...options, topic: config.topic, groupId: config.groupId });
    this.#progress = new KafkaProgress(config, config.topic, config.groupId, logger);
  }

  /** Resolves at once: joining the group is part of reading. */
  async start(handle: (batch: LogBatch) => Promise<void>): Promise<void> {
    this.#reader.start((payload) => this.#take(payload, handle));
  }

  progress(): Promise<readonly LogProgress[]> {
    return this.#progress.read();
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#progress.close();
  }

  async #take(payload: EachBatchPayload, handle: (batch: LogBatch) => Promise<void>): Promise<void> {
    try {
      await handle(toLogBatch(payload));
    } catch (err) {
      return this.#retry(payload, err);
    }
    this.#failures.delete(payload.batch.partition);
    await commitUpTo(payload, payload.batch.lastOffset());
  }

  /** Thrown on, a bug's error would end the consumer. The offset is not resolved, so the batch comes again. */
  async #retry({ batch, isRunning }: EachBatchPayload, err: unknown): Promise<void> {
    const failures = this.#failures.get(batch.partition) ?? 0;
    this.#failures.set(batch.partition, failures + 1);
    const { partition } = batch;
    this.#logger.warn("a log batch was not handled, it comes again", { err, partition, failures });
    if (isRunning()) await this.#reader.pause(backoffMs(RETRY, failures, () => this.#runtime.random()));
  }
}

function toLogBatch(payload: EachBatchPayload): LogBatch {
  return {
    partition: payload.batch.partition,
    records: payload.batch.messages.map(toReadRecord),
    keepAlive: async () => {
      if (!payload.isRunning() || payload.isStale()) return false;
      await payload.heartbeat();
      return true;
    },
  };
}

function toReadRecord(message: KafkaMessage): ReadRecord {
  return {
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? "",
    value: message.value?.toString() ?? "",
    stage: headerOf(message, "stage"),
  };
}
