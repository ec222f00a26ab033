/** Dead letters on a Kafka topic of their own; what was replayed is what a group of its own has committed. */
import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import type { DeadLetter, DeadLetters, LogProgress } from "../core/event-log.ts";
import { type Runtime, sleep } from "../core/runtime.ts";
import type { Logger } from "../lib/logger.ts";
import type { KafkaConfig } from "./kafka-client.ts";
import { commitUpTo, headerOf } from "./kafka-message.ts";
import { KafkaProducer } from "./kafka-producer.ts";
import { KafkaProgress } from "./kafka-progress.ts";
import { KafkaReader } from "./kafka-reader.ts";

export interface KafkaDeadLettersOptions {
  readonly config: KafkaConfig;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** A reason quotes what it found; a letter must fit where its record did. */
const REASON_LENGTH_MAX = 1000;
const POLL_MS = 50;

export class KafkaDeadLetters implements DeadLetters {
  readonly #options: KafkaDeadLettersOptions;
  readonly #replayGroupId: string;
  readonly #producer: KafkaProducer;

  constructor(options: KafkaDeadLettersOptions) {
    const { config, logger } = options;
    this.#options = options;
    this.#replayGroupId = `${config.groupId}.replay`;
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

  /** Up to the letters that are there now. Rejects with what `handle` rejected with; that letter and those after it stay. */
  async replay(handle: (letter: DeadLetter) => Promise<void>): Promise<number> {
    const { config, logger } = this.#options;
    const progress = new KafkaProgress(config, config.deadLetterTopic, this.#replayGroupId, logger);
    try {
      const before = await progress.read();
      if (hasReached(before, before)) return 0;
      return await this.#replayUpTo(before, progress, handle);
    } finally {
      await progress.close();
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }

  async #replayUpTo(
    before: readonly LogProgress[],
    progress: KafkaProgress,
    handle: (letter: DeadLetter) => Promise<void>,
  ): Promise<number> {
    const { config, runtime } = this.#options;
    const run = new Replay(config.stage, handle);
    const reader = new KafkaReader({
      ...this.#options,
      topic: config.deadLetterTopic,
      groupId: this.#replayGroupId,
    });
    reader.start((payload) => run.take(payload));
    try {
      while (!run.failure && !hasReached(await progress.read(), before)) await sleep(runtime, POLL_MS);
    } finally {
      await reader.close();
    }
    if (run.failure) throw run.failure.error;
    return run.count;
  }
}

/** One replay: each letter is committed when it was handled, the first one that was not ends it. */
class Replay {
  readonly #stage: string;
  readonly #handle: (letter: DeadLetter) => Promise<void>;
  count = 0;
  failure: { readonly error: unknown } | undefined;

  constructor(stage: string, handle: (letter: DeadLetter) => Promise<void>) {
    this.#stage = stage;
    this.#handle = handle;
  }

  async take(payload: EachBatchPayload): Promise<void> {
    for (const message of payload.batch.messages) {
      if (this.failure || !payload.isRunning() || payload.isStale()) return;
      await payload.heartbeat();
      const letter = toLetter(message);
      if (letter.stage === this.#stage && !(await this.#isHandled(letter))) return;
      await commitUpTo(payload, message.offset);
    }
  }

  async #isHandled(letter: DeadLetter): Promise<boolean> {
    try {
      await this.#handle(letter);
    } catch (error) {
      this.failure = { error };
      return false;
    }
    this.count++;
    return true;
  }
}

function toLetter(message: KafkaMessage): DeadLetter {
  return {
    key: message.key?.toString() ?? "",
    value: message.value?.toString() ?? "",
    stage: headerOf(message, "stage"),
    partition: Number(headerOf(message, "partition")),
    offset: BigInt(headerOf(message, "offset") ?? -1),
    reason: headerOf(message, "reason") ?? "",
  };
}

function hasReached(now: readonly LogProgress[], target: readonly LogProgress[]): boolean {
  const committed = new Map(now.map((entry) => [entry.partition, entry.committed]));
  return target.every(({ partition, end }) => (committed.get(partition) ?? 0n) >= end);
}
