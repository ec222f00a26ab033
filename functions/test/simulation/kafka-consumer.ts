/** The reading end of simulated Kafka: a member of the group that fetches, hands over, commits, and joins anew after every fault. */
import type { LogBatch, LogConsumer, LogProgress, ReadRecord } from "../../core/event-log.ts";
import { type Cancel, sleep, type Runtime } from "../../core/runtime.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Membership, SimulatedKafka } from "./kafka.ts";

export type Broker = Pick<SimulatedKafka, "join" | "leave" | "heartbeat" | "fetch" | "commit">;

export interface KafkaConsumerOptions {
  readonly broker: Broker;
  readonly host: Runtime;
  readonly member: string;
  readonly progress: () => Promise<readonly LogProgress[]>;
}

const FETCH_LIMIT = 100;
const IDLE_MS = 200;
const RETRY = { firstMs: 100, maxMs: 2_000 };

type Handle = (batch: LogBatch) => Promise<void>;

export class KafkaConsumer implements LogConsumer {
  readonly #options: KafkaConsumerOptions;
  #reading: Promise<void> | undefined;
  #isClosed = false;
  #wake: () => void = () => {};
  #failures = 0;

  constructor(options: KafkaConsumerOptions) {
    this.#options = options;
  }

  async start(handle: Handle): Promise<void> {
    if (this.#reading) throw new Error("the log is read already");
    this.#reading = this.#read(handle);
  }

  progress(): Promise<readonly LogProgress[]> {
    return this.#options.progress();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake();
    await this.#reading;
    const { broker, member } = this.#options;
    await broker.leave(member).catch(() => false); // expelled when it stays silent
  }

  async #read(handle: Handle): Promise<void> {
    const { broker, member, host } = this.#options;
    while (!this.#isClosed) {
      try {
        await this.#follow(await broker.join(member), handle);
      } catch {
        // The broker does not answer: what was not committed comes again.
        if (!this.#isClosed) await sleep(host, RETRY.firstMs);
      }
    }
  }

  /** Until the group changes. */
  async #follow(membership: Membership, handle: Handle): Promise<void> {
    const { broker, member } = this.#options;
    for (let turn = 0; !this.#isClosed; turn++) {
      const fetched = await broker.fetch(member, membership, FETCH_LIMIT, turn);
      if (!fetched) return;
      const { partition, records } = fetched;
      if (records.length === 0) await this.#pause(IDLE_MS);
      else if (!(await this.#handOver(membership, partition, records, handle))) return;
    }
  }

  /** False when the group has changed meanwhile. */
  async #handOver(
    membership: Membership,
    partition: number,
    records: readonly ReadRecord[],
    handle: Handle,
  ): Promise<boolean> {
    const { broker, host } = this.#options;
    try {
      await handle({ partition, records, keepAlive: () => this.#isStill(membership) });
    } catch {
      await this.#pause(backoffMs(RETRY, this.#failures++, host.random));
      return true;
    }
    this.#failures = 0;
    return broker.commit(membership.generation, partition, (records.at(-1)?.offset ?? 0n) + 1n);
  }

  async #isStill({ generation }: Membership): Promise<boolean> {
    return !this.#isClosed && (await this.#options.broker.heartbeat(this.#options.member, generation));
  }

  /** `close` ends it early. */
  async #pause(delayMs: number): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const cancel: Cancel = this.#options.host.after(delayMs, resolve);
      this.#wake = () => (cancel(), resolve());
    });
  }
}
