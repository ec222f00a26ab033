/** Sends to one topic so that what is acknowledged is not lost: not idempotent, all replicas, one attempt a call. */
import { type Message, Partitioners, type Producer } from "kafkajs";
import type { Logger } from "../lib/logger.ts";
import { type KafkaConfig, openKafka } from "./kafka-client.ts";
import { KeptClient } from "./kafka-kept-client.ts";

export class KafkaProducer {
  readonly #topic: string;
  readonly #client: KeptClient<Producer>;

  constructor(config: KafkaConfig, topic: string, logger: Logger) {
    this.#topic = topic;
    this.#client = new KeptClient(
      () => openKafka(config, logger, 0),
      // Idempotent, kafkajs reuses a sequence number after a failed send, and the broker then takes new messages for
      // repeats: acknowledged messages are lost. Readers deduplicate by message id instead.
      (kafka) =>
        kafka.producer({
          idempotent: false,
          allowAutoTopicCreation: false,
          createPartitioner: Partitioners.DefaultPartitioner,
        }),
    );
  }

  /** Resolves when all replicas have the messages. Rejects within seconds; then the outcome is unknown. */
  async send(messages: Message[]): Promise<void> {
    await this.#client.use((producer) =>
      producer.send({ topic: this.#topic, acks: -1, timeout: 5000, messages }),
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
