/** The life of one kafkajs consumer, from joining the group to its first fault. */
import type { Consumer, EachBatchPayload } from "kafkajs";
import type { Cancel } from "../core/runtime.ts";
import { type KafkaConnection, openKafka } from "./kafka-client.ts";
import type { KafkaReaderOptions, OnBatch } from "./kafka-reader.ts";

/** Longer than a join may take: it waits for the other members, up to the session and rebalance times below. */
const SILENCE_LIMIT_MS = 15_000;

const GROUP = {
  sessionTimeout: 10_000,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 2500,
  maxWaitTimeInMs: 500,
  // Some thousand records: a batch costs a commit of the store, one of the offset, and their round trips.
  maxBytesPerPartition: 1_048_576,
  // A consumer that restarts itself can't be replaced: it would come back as a second member.
  retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 2, restartOnFailure: async () => false },
};

/** While the store writes the rows of one, the next is decoded. */
const PARTITIONS_AT_ONCE = 2;

export class ReaderSession {
  /** Resolves with the fault that ended it, or with nothing when it was closed. */
  readonly ended: Promise<Error | undefined>;
  readonly #options: KafkaReaderOptions;
  readonly #onBatch: OnBatch;
  readonly #connection: KafkaConnection;
  readonly #consumer: Consumer;
  readonly #started: Promise<void>;
  #end: (fault: Error | undefined) => void = () => {};
  readonly #inHand = new Set<Promise<void>>();
  #cancelWatch: Cancel = () => {};
  #hasJoined = false;

  constructor(options: KafkaReaderOptions, onBatch: OnBatch) {
    this.#options = options;
    this.#onBatch = onBatch;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#connection = openKafka(options.config, options.logger, GROUP.retry.retries);
    this.#consumer = this.#connection.kafka.consumer({ groupId: options.groupId, ...GROUP });
    this.#watch();
    this.#started = this.#start().catch((error: unknown) => this.#end(toError(error)));
  }

  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** Waits for the batches in hand and leaves the group. */
  async close(): Promise<void> {
    // A consumer that is disconnected while it joins goes on joining, and stays as a member that reads nothing.
    await this.#started;
    this.#cancelWatch();
    try {
      await this.#consumer.disconnect();
    } finally {
      this.#connection.cut();
      this.#end(undefined);
    }
  }

  /** After a fault. Waits for the batches in hand only, so that the next session can't be given them at the same time. */
  async drop(): Promise<void> {
    this.#cancelWatch();
    // It only makes kafkajs stop; its connections are cut, so a failure says nothing.
    this.#started.then(() => this.#consumer.disconnect()).catch(() => {});
    this.#consumer.disconnect().catch(() => {});
    this.#connection.cut();
    await Promise.all(this.#inHand);
  }

  async #start(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic: this.#options.topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      // Else a batch that was not handled counts as read as soon as its handler returns.
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => this.#take(payload),
    });
  }

  #take(payload: EachBatchPayload): Promise<void> {
    const taken = this.#takeAlive(payload);
    const ended = taken.catch(() => {}).finally(() => this.#inHand.delete(ended));
    this.#inHand.add(ended);
    return taken;
  }

  async #takeAlive(payload: EachBatchPayload): Promise<void> {
    // First: after an outage the group may be another by now; without it a backlog is handled whose commit must fail.
    await payload.heartbeat();
    await this.#onBatch(payload);
  }

  /** kafkajs does not notice a peer that fell silent, and a crash event may fail to come: silence is a fault. */
  #watch(): void {
    const { CRASH, FETCH, GROUP_JOIN, HEARTBEAT } = this.#consumer.events;
    this.#consumer.on(CRASH, ({ payload }) => this.#end(payload.error));
    this.#consumer.on(GROUP_JOIN, () => {
      this.#hasJoined = true;
      this.#watchSilence();
    });
    this.#consumer.on(FETCH, () => this.#watchSilence());
    this.#consumer.on(HEARTBEAT, () => this.#watchSilence());
    this.#watchSilence();
  }

  #watchSilence(): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#options.runtime.after(SILENCE_LIMIT_MS, () =>
      this.#end(new Error(`no sign of life from Kafka for ${SILENCE_LIMIT_MS} ms`)),
    );
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
