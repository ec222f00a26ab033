/**
 * The log in process memory: `append` settles when its records were handled, so what it acknowledges is stored and
 * nothing acknowledged can die with the process.
 *
 * One object is writer, reader and dead letters of one process. It holds only records in work and letters that were not removed.
 */
import type {
  DeadLetter,
  DeadLetters,
  EventLog,
  KeptLetter,
  LogBatch,
  LogConsumer,
  LogProgress,
  LogRecord,
  ReadRecord,
} from "../core/event-log.ts";
import type { Runtime } from "../core/runtime.ts";
import { type Backoff, backoffMs } from "../lib/backoff.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";

export interface MemoryEventLogOptions {
  readonly runtime: Runtime;
  readonly stage: string;
  readonly logger: Logger;
  readonly partitions?: number;
  /** Records handed over at once. */
  readonly batchLimit?: number;
  /** Between a rejected batch and its next try. */
  readonly retry?: Backoff;
  /** Letters kept; past it the oldest are dropped. */
  readonly letterLimit?: number;
}

export class MemoryEventLog implements EventLog, LogConsumer, DeadLetters {
  readonly #runtime: Runtime;
  readonly #stage: string;
  readonly #letterLimit: number;
  readonly #partitions: readonly Partition[];
  #letters: KeptLetter[] = [];
  #letterCount = 0;
  #closing: Promise<void> | undefined;

  constructor(options: MemoryEventLogOptions) {
    this.#runtime = options.runtime;
    this.#stage = options.stage;
    this.#letterLimit = options.letterLimit ?? 10_000;
    const work = {
      runtime: options.runtime,
      logger: options.logger,
      batchLimit: options.batchLimit ?? 500,
      retry: options.retry ?? { firstMs: 100, maxMs: 5000 },
    };
    this.#partitions = Array.from(
      { length: options.partitions ?? 4 },
      (_, number) => new Partition(number, work),
    );
  }

  /** Stays pending while the handler rejects, and before `start`; rejects when the log is closed before. */
  async append(records: readonly LogRecord[]): Promise<void> {
    if (this.#closing) throw closed();
    const handled = records.map(({ room, value }) => {
      const key = `${this.#stage}/${room}`;
      return this.#partitionOf(key).push({ key, value, stage: this.#stage });
    });
    await Promise.all(handled);
  }

  async ping(): Promise<void> {
    if (this.#closing) throw closed();
  }

  async start(handle: (batch: LogBatch) => Promise<void>): Promise<void> {
    for (const partition of this.#partitions) partition.start(handle);
  }

  async progress(): Promise<readonly LogProgress[]> {
    return this.#partitions.map((partition) => partition.progress());
  }

  /** A letter without a stage belongs to this one. */
  async put(letter: DeadLetter): Promise<void> {
    const stage = letter.stage ?? this.#stage;
    this.#letters.push({ ...letter, stage, id: `0-${this.#letterCount++}`, putAtMs: this.#runtime.now() });
    if (this.#letters.length > this.#letterLimit) this.#letters.shift();
  }

  async list(): Promise<readonly KeptLetter[]> {
    return this.#letters.filter(({ stage }) => stage === this.#stage);
  }

  async remove(ids: readonly string[]): Promise<void> {
    this.#letters = this.#letters.filter(({ id, stage }) => stage !== this.#stage || !ids.includes(id));
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.all(this.#partitions.map((partition) => partition.close())).then(() => {});
    await this.#closing;
  }

  #partitionOf(key: string): Partition {
    const partition = this.#partitions[hash(key) % this.#partitions.length];
    if (!partition) throw new Error("the log has no partitions");
    return partition;
  }
}

interface Work {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly batchLimit: number;
  readonly retry: Backoff;
}

interface Entry {
  readonly record: ReadRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One queue, worked off in order, one batch at a time. */
class Partition {
  readonly #number: number;
  readonly #work: Work;
  #handle: ((batch: LogBatch) => Promise<void>) | undefined;
  #queue: Entry[] = [];
  #end = 0n;
  #committed = 0n;
  #working: Promise<void> | undefined;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(number: number, work: Work) {
    this.#number = number;
    this.#work = work;
  }

  start(handle: (batch: LogBatch) => Promise<void>): void {
    if (this.#handle) throw new Error("the log is read already");
    this.#handle = handle;
    this.#run();
  }

  /** Resolves when the record was handled. */
  push(fields: Omit<ReadRecord, "offset">): Promise<void> {
    const record = { ...fields, offset: this.#end++ };
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, resolve, reject });
      this.#run();
    });
  }

  progress(): LogProgress {
    return { partition: this.#number, end: this.#end, committed: this.#committed };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#working;
    for (const { reject } of this.#queue.splice(0)) reject(closed());
  }

  #run(): void {
    const handle = this.#handle;
    if (!handle) return;
    this.#working ??= this.#workOff(handle);
  }

  async #workOff(handle: (batch: LogBatch) => Promise<void>): Promise<void> {
    // Not in the caller's turn: an append lays all its records down before the first of them is taken.
    await Promise.resolve();
    let attempt = 0;
    while (this.#queue.length > 0 && !this.#closed) {
      const taken = this.#queue.slice(0, this.#work.batchLimit);
      try {
        await handle(this.#batch(taken));
        attempt = 0;
        this.#commit(taken);
      } catch (err) {
        this.#work.logger.warn("a log batch was not handled, it comes again", {
          err,
          partition: this.#number,
        });
        await this.#sleep(backoffMs(this.#work.retry, attempt++, () => this.#work.runtime.random()));
      }
    }
    this.#working = undefined;
  }

  #batch(taken: readonly Entry[]): LogBatch {
    return {
      partition: this.#number,
      records: taken.map(({ record }) => record),
      keepAlive: async () => !this.#closed,
    };
  }

  #commit(taken: readonly Entry[]): void {
    this.#queue.splice(0, taken.length);
    this.#committed += BigInt(taken.length);
    for (const { resolve } of taken) resolve();
  }

  /** `close` ends it early. */
  async #sleep(delayMs: number): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#work.runtime.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function closed(): ChatError {
  return new ChatError("unavailable", "The log is closed.");
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
}
