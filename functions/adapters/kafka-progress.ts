/** How far a group has read a topic, asked over a connection that is kept. */
import type { Admin } from "kafkajs";
import type { LogProgress } from "../core/event-log.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { type KafkaConfig, openKafka } from "./kafka-client.ts";
import { KeptClient } from "./kafka-kept-client.ts";

export class KafkaProgress {
  readonly #topic: string;
  readonly #groupId: string;
  readonly #client: KeptClient<Admin>;

  constructor(config: KafkaConfig, topic: string, groupId: string, logger: Logger) {
    this.#topic = topic;
    this.#groupId = groupId;
    this.#client = new KeptClient(
      () => openKafka(config, logger, 2),
      (kafka) => kafka.admin(),
    );
  }

  /** One entry a partition; rejects with `ChatError("unavailable")` where Kafka does not answer. */
  async read(): Promise<readonly LogProgress[]> {
    try {
      return await this.#client.use((admin) => this.#ask(admin));
    } catch (cause) {
      throw new ChatError("unavailable", "The log does not answer.", { cause });
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #ask(admin: Admin): Promise<readonly LogProgress[]> {
    // Ends first, so that a reader who keeps pace under steady load is seen to reach them.
    const ends = await admin.fetchTopicOffsets(this.#topic);
    const groups = await admin.fetchOffsets({ groupId: this.#groupId, topics: [this.#topic] });
    const committed = new Map(
      groups.flatMap(({ partitions }) =>
        partitions.map(({ partition, offset }) => [partition, BigInt(offset)] as const),
      ),
    );
    return ends.map(({ partition, high, low }) => {
      const end = BigInt(high);
      // Negative: never committed. Below the oldest record: those in between are gone, and reading goes on behind them.
      const read = larger(committed.get(partition) ?? -1n, BigInt(low));
      return { partition, end, committed: read < end ? read : end };
    });
  }
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
