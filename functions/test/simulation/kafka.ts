/** Simulated Kafka: partitions that keep every record, one consumer group with its offsets, and what a broker can do wrong. */
import { MemoryEventLog } from "../../adapters/event-log-memory.ts";
import {
  LateRecordsError,
  QUARANTINE_MS,
  type DeadLetters,
  type EventLog,
  type LogProgress,
  type LogRecord,
  type ReadRecord,
} from "../../core/event-log.ts";
import type { Runtime } from "../../core/runtime.ts";
import { silentLogger } from "../../lib/logger.ts";
import { KafkaConsumer } from "./kafka-consumer.ts";
import { Engine, Link, over } from "./link.ts";

export interface KafkaOptions {
  readonly world: Runtime;
  readonly latencyMs: number;
  readonly stage: string;
  readonly partitions?: number;
}

interface Partition {
  readonly number: number;
  readonly records: ReadRecord[];
  committed: bigint;
  /** While it has none, appends to it are refused, and nothing is read. */
  hasLeader: boolean;
}

/** What a member knows of the group: commits and signs of life of another generation are refused. */
export interface Membership {
  readonly generation: number;
  readonly partitions: readonly number[];
}

/** A member that was not heard for so long is taken for dead. */
const SESSION_MS = 6_000;
const REQUEST_TIMEOUT_MS = 5_000;

export class SimulatedKafka extends Engine {
  readonly options: KafkaOptions;
  readonly partitions: readonly Partition[];
  readonly letters: DeadLetters;
  readonly #seen = new Map<string, number>();
  #generation = 0;
  #members: readonly string[] = [];

  constructor(options: KafkaOptions) {
    super();
    this.options = options;
    this.partitions = Array.from({ length: options.partitions ?? 4 }, (_, number) => ({
      number,
      records: [],
      committed: 0n,
      hasLeader: true,
    }));
    this.letters = new MemoryEventLog({
      runtime: options.world,
      stage: options.stage,
      logger: silentLogger,
    });
  }

  connect(host: Runtime, member: string): KafkaConnection {
    return new KafkaConnection(this, host, member);
  }

  /** Every record that was ever appended. */
  all(): readonly ReadRecord[] {
    return this.partitions.flatMap(({ records }) => records);
  }

  /** One without a leader does not take its part; the others have theirs by then. */
  async append(records: readonly LogRecord[]): Promise<void> {
    const oldestMs = this.options.world.now() - QUARANTINE_MS;
    if (records.some(({ knownAtMs = oldestMs }) => knownAtMs < oldestMs))
      throw new LateRecordsError("the batch reached the broker too late");
    let isWhole = true;
    for (const { room, value } of records) {
      const key = `${this.options.stage}/${room}`;
      const partition = this.partitionOf(key);
      if (partition.hasLeader) this.write(partition, key, value);
      else isWhole = false;
    }
    if (!isWhole) throw new Error("a partition has no leader");
  }

  write(partition: Partition, key: string, value: string, stage = this.options.stage): void {
    partition.records.push({ offset: BigInt(partition.records.length), key, value, stage });
  }

  partitionOf(key: string): Partition {
    let hash = 0;
    for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) >>> 0;
    return this.partitions[hash % this.partitions.length] as Partition;
  }

  async ends(): Promise<readonly bigint[]> {
    return this.partitions.map(({ records }) => BigInt(records.length));
  }

  async committed(): Promise<readonly bigint[]> {
    return this.partitions.map(({ committed }) => committed);
  }

  async join(member: string): Promise<Membership> {
    this.#alive(member);
    if (!this.#members.includes(member)) this.#regroup([...this.#members, member]);
    const mine = this.partitions.filter(
      ({ number }) => this.#members[(number + this.#generation) % this.#members.length] === member,
    );
    return { generation: this.#generation, partitions: mine.map(({ number }) => number) };
  }

  async leave(member: string): Promise<void> {
    this.#regroup(this.#members.filter((other) => other !== member));
  }

  /** False when the group has changed since. */
  async heartbeat(member: string, generation: number): Promise<boolean> {
    this.#alive(member);
    return generation === this.#generation;
  }

  /** The first of the member's partitions, from a turn on, that has something that was not committed; undefined when the group has changed. */
  async fetch(
    member: string,
    { generation, partitions }: Membership,
    limit: number,
    turn: number,
  ): Promise<{ partition: number; records: readonly ReadRecord[] } | undefined> {
    if (!(await this.heartbeat(member, generation))) return undefined;
    for (let index = 0; index < partitions.length; index++) {
      const number = partitions[(index + turn) % partitions.length] ?? 0;
      const partition = this.partitions[number];
      if (!partition?.hasLeader) continue;
      const start = Number(partition.committed);
      const records = partition.records.slice(start, start + limit);
      if (records.length > 0) return { partition: number, records };
    }
    return { partition: -1, records: [] };
  }

  async commit(generation: number, number: number, next: bigint): Promise<boolean> {
    const partition = this.partitions[number];
    if (!partition || generation !== this.#generation) return false;
    partition.committed = next;
    return true;
  }

  /** The group is formed anew: each partition goes to another member, where there are several. */
  rebalance(): void {
    this.#regroup(this.#members);
  }

  /** Offsets go back: what was read is read again. */
  rewind(records: number): void {
    for (const partition of this.partitions) {
      const back = partition.committed - BigInt(records);
      partition.committed = back < 0n ? 0n : back;
    }
    this.rebalance();
  }

  #alive(member: string): void {
    const nowMs = this.options.world.elapsed();
    this.#seen.set(member, nowMs);
    const silent = this.#members.filter((other) => (this.#seen.get(other) ?? 0) < nowMs - SESSION_MS);
    if (silent.length > 0) this.#regroup(this.#members.filter((other) => !silent.includes(other)));
  }

  #regroup(members: readonly string[]): void {
    this.#members = members;
    this.#generation++;
  }
}

/** What one process has of Kafka. */
export class KafkaConnection {
  readonly log: EventLog;
  readonly deadLetters: DeadLetters;
  readonly consumer: KafkaConsumer;
  readonly link: Link;
  #isClosed = false;

  constructor(kafka: SimulatedKafka, host: Runtime, member: string) {
    this.link = new Link({
      ...kafka.options,
      host,
      engine: kafka,
      timeoutMs: REQUEST_TIMEOUT_MS,
      isOrdered: true,
      doesLateWork: true,
    });
    const remote = over<SimulatedKafka>(this.link, () => kafka);
    this.log = {
      append: async (records) => {
        if (this.#isClosed) throw new Error("the log is closed");
        await remote.append(records);
      },
      ping: async () => void (await remote.ends()),
      close: async () => void (this.#isClosed = true),
    };
    this.deadLetters = over(this.link, () => kafka.letters);
    this.consumer = new KafkaConsumer({ broker: remote, host, member, progress: () => progressOf(remote) });
  }

  close(): void {
    this.link.close();
  }
}

/** Ends first, so that a reader who keeps pace under steady load is seen to reach them. */
async function progressOf(broker: SimulatedKafka): Promise<readonly LogProgress[]> {
  const ends = await broker.ends();
  const committed = await broker.committed();
  return ends.map((end, partition) => {
    const read = committed[partition] ?? 0n;
    return { partition, end, committed: read < end ? read : end };
  });
}
