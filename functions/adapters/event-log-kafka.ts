/** The log on a Kafka topic: the writing end. */
import type { Admin, Message } from "kafkajs";
import { type EventLog, LateRecordsError, LogRejectedError, type LogRecord } from "../core/event-log.ts";
import type { Logger } from "../lib/logger.ts";
import { type KafkaConfig, kafkaErrorType, openKafka } from "./kafka-client.ts";
import { KeptClient } from "./kafka-kept-client.ts";
import { KafkaProducer } from "./kafka-producer.ts";

export interface KafkaEventLogOptions {
  readonly config: KafkaConfig;
  readonly logger: Logger;
}

/** The version of what the value holds. */
const FORMAT_VERSION = "1";

/** Sending the very same batch again can't help. */
const REJECTED: ReadonlySet<string | undefined> = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_RECORD",
]);

export class KafkaEventLog implements EventLog {
  readonly #stage: string;
  readonly #topic: string;
  readonly #producer: KafkaProducer;
  /** To ask with: a producer can only write. */
  readonly #admin: KeptClient<Admin>;

  constructor({ config, logger }: KafkaEventLogOptions) {
    this.#stage = config.stage;
    this.#topic = config.topic;
    this.#producer = new KafkaProducer(config, config.topic, logger);
    this.#admin = new KeptClient(
      () => openKafka(config, logger, 0),
      (kafka) => kafka.admin(),
    );
  }

  async append(records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.#producer.send(records.map((record) => this.#toMessage(record)));
    } catch (cause) {
      const type = kafkaErrorType(cause);
      if (type === "INVALID_TIMESTAMP")
        throw new LateRecordsError("the batch reached Kafka too late", { cause });
      if (REJECTED.has(type)) throw new LogRejectedError(`Kafka refuses the batch: ${type}`, { cause });
      throw cause;
    }
  }

  async ping(): Promise<void> {
    await this.#admin.use((admin) => admin.fetchTopicMetadata({ topics: [this.#topic] }));
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.close(), this.#admin.close()]);
  }

  /** Its time is what the broker holds against `message.timestamp.before.max.ms`. */
  #toMessage({ room, value, knownAtMs, traceparent }: LogRecord): Message {
    return {
      key: `${this.#stage}/${room}`,
      value,
      ...(knownAtMs === undefined ? {} : { timestamp: String(Math.floor(knownAtMs)) }),
      headers: {
        stage: this.#stage,
        v: FORMAT_VERSION,
        ...(traceparent === undefined ? {} : { traceparent }),
      },
    };
  }
}
