/**
 * Dead letters on a Kafka topic of their own, read from its beginning each time.
 *
 * A topic only grows, so a letter is removed by a mark behind it that names it.
 */
import { randomUUID } from "node:crypto";
import type { KafkaMessage } from "kafkajs";
import type { DeadLetter, DeadLetters, KeptLetter } from "../core/event-log.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Logger } from "../lib/logger.ts";
import type { KafkaConfig } from "./kafka-client.ts";
import { headerOf } from "./kafka-message.ts";
import { KafkaProducer } from "./kafka-producer.ts";
import { readWholeTopic } from "./kafka-whole-topic.ts";

export interface KafkaDeadLettersOptions {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** A reason quotes what it found; a letter must fit where its record did. */
const REASON_LENGTH_MAX = 1000;
const MARKS_IN_ONE_SEND = 500;
/** The header by which a mark names the letter that it removes. */
const REMOVES = "removes";

export class KafkaDeadLetters implements DeadLetters {
  readonly #options: KafkaDeadLettersOptions;
  readonly #producer: KafkaProducer;

  constructor(options: KafkaDeadLettersOptions) {
    const { config, logger } = options;
    this.#options = options;
    this.#producer = new KafkaProducer(config, config.deadLetterTopic, logger);
  }

  /** A letter without a stage belongs to the stage that puts it. */
  async put({ key, value, stage, partition, offset, reason }: DeadLetter): Promise<void> {
    const headers = {
      stage: stage ?? this.#options.config.stage,
      reason: reason.slice(0, REASON_LENGTH_MAX),
      partition: String(partition),
      offset: String(offset),
    };
    await this.#producer.send([{ key, value, headers }]);
  }

  /** Rejects with `ChatError("unavailable")` where Kafka does not answer. */
  async list(): Promise<readonly KeptLetter[]> {
    const { config } = this.#options;
    const letters = new Map<string, KeptLetter>();
    const removed = new Set<string>();
    await readWholeTopic(
      {
        ...this.#options,
        topic: config.deadLetterTopic,
        groupId: `${config.groupId}.letters.${randomUUID()}`,
      },
      (partition, message) => {
        if (headerOf(message, "stage") !== config.stage) return;
        const target = headerOf(message, REMOVES);
        if (target !== undefined) removed.add(target);
        else letters.set(idOf(partition, message), toLetter(partition, message));
      },
    );
    return [...letters.values()]
      .filter(({ id }) => !removed.has(id))
      .toSorted((one, other) => one.putAtMs - other.putAtMs);
  }

  async remove(ids: readonly string[], why: "replayed" | "dropped"): Promise<void> {
    const { stage } = this.#options.config;
    const marks = ids.map((id) => ({ value: null, headers: { stage, [REMOVES]: id, why } }));
    for (let start = 0; start < marks.length; start += MARKS_IN_ONE_SEND) {
      await this.#producer.send(marks.slice(start, start + MARKS_IN_ONE_SEND));
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

function idOf(partition: number, { offset }: KafkaMessage): string {
  return `${partition}-${offset}`;
}

function toLetter(partition: number, message: KafkaMessage): KeptLetter {
  return {
    id: idOf(partition, message),
    putAtMs: Number(message.timestamp),
    key: message.key?.toString() ?? "",
    value: message.value?.toString() ?? "",
    stage: headerOf(message, "stage"),
    partition: Number(headerOf(message, "partition")),
    offset: BigInt(headerOf(message, "offset") ?? -1),
    reason: headerOf(message, "reason") ?? "",
  };
}
