/** The consumer's work on one batch of the log: store it, put poison aside, and come back only when that is done (C1, C2). */
import { backoffMs } from "../lib/backoff.ts";
import type { RoomEvent } from "../protocol.ts";
import { decodeEvent } from "./event.ts";
import type { DeadLetters, LogBatch, ReadRecord } from "./event-log.ts";
import { sleep } from "./runtime.ts";
import { Latecomers, type LatecomersDeps } from "./latecomers.ts";
import { UnstorableError } from "./store.ts";

export interface PersistDeps extends LatecomersDeps {
  readonly stage: string;
  readonly deadLetters: DeadLetters;
  /** Rows in one statement. */
  readonly batchMax: number;
}

interface Decoded {
  readonly record: ReadRecord;
  readonly event: RoomEvent;
}

const RETRY = { firstMs: 200, maxMs: 5_000 };
const KEEP_ALIVE_MS = 1_000;

/** The batch belongs to another consumer now: it will be handed over there. */
export class BatchLostError extends Error {
  override readonly name = "BatchLostError";
}

export class Persist {
  readonly #deps: PersistDeps;
  readonly #latecomers: Latecomers;

  constructor(deps: PersistDeps) {
    this.#deps = deps;
    this.#latecomers = new Latecomers(deps);
  }

  async handle(batch: LogBatch): Promise<void> {
    const { metrics, runtime, batchMax } = this.#deps;
    const startMs = runtime.elapsed();
    const decoded = await this.#decode(batch);
    for (let start = 0; start < decoded.length; start += batchMax) {
      await this.#store(batch, decoded.slice(start, start + batchMax));
    }
    metrics.storeBatchRecords.observe(batch.records.length);
    metrics.storeBatchSeconds.observe((runtime.elapsed() - startMs) / 1000);
  }

  async #decode(batch: LogBatch): Promise<Decoded[]> {
    const decoded: Decoded[] = [];
    for (const record of batch.records) {
      if (record.stage !== undefined && record.stage !== this.#deps.stage) {
        this.#deps.metrics.foreignRecords.inc();
        continue;
      }
      try {
        decoded.push({ record, event: decodeEvent(record.value) });
      } catch (error) {
        await this.#putAside(batch, record, "invalid", error);
      }
    }
    return decoded;
  }

  /** Data that the store refuses is found by halving; everything else of the batch is stored (G9). */
  async #store(batch: LogBatch, decoded: readonly Decoded[]): Promise<void> {
    const [first] = decoded;
    if (!first) return;
    try {
      await this.#hold(batch, () => this.#insert(decoded));
    } catch (error) {
      if (!(error instanceof UnstorableError)) throw error;
      if (decoded.length === 1) return this.#putAside(batch, first.record, "unstorable", error);
      const middle = decoded.length >> 1;
      await this.#store(batch, decoded.slice(0, middle));
      await this.#store(batch, decoded.slice(middle));
    }
  }

  async #insert(decoded: readonly Decoded[]): Promise<void> {
    const { store, metrics, logger } = this.#deps;
    const events = decoded.map(({ event }) => event);
    const late = await this.#latecomers.among(events);
    const { inserted, conflicts } = await store.insertEvents(events);
    this.#latecomers.count(late);
    metrics.rowsInserted.inc(inserted);
    metrics.rowsRepeated.inc(events.length - inserted);
    if (conflicts.length > 0) {
      metrics.positionConflicts.inc(conflicts.length);
      logger.error("ids are stored at other positions", { conflicts: conflicts.length });
    }
  }

  async #putAside(
    batch: LogBatch,
    record: ReadRecord,
    reason: "invalid" | "unstorable",
    error: unknown,
  ): Promise<void> {
    const { deadLetters, metrics, logger } = this.#deps;
    const said = error instanceof Error ? error.message : String(error);
    const { key, value, stage, offset } = record;
    const letter = { key, value, stage, offset, partition: batch.partition, reason: `${reason}: ${said}` };
    await this.#hold(batch, () => deadLetters.put(letter));
    metrics.deadLetters.inc({ reason });
    logger.error("a record was put aside", { partition: batch.partition, offset: String(offset), reason });
  }

  /** Tries until it works, backing off and keeping the membership: the offset must not move past what is not stored (G8). */
  async #hold(batch: LogBatch, task: () => Promise<void>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (!(await batch.keepAlive())) throw new BatchLostError("the batch belongs to another consumer");
      try {
        return await task();
      } catch (error) {
        if (error instanceof UnstorableError) throw error;
        this.#deps.logger.warn("a batch waits", { partition: batch.partition, attempt, err: error });
      }
      await this.#wait(batch, backoffMs(RETRY, attempt, this.#deps.runtime.random) + 50);
    }
  }

  async #wait(batch: LogBatch, waitMs: number): Promise<void> {
    for (let leftMs = waitMs; leftMs > 0; leftMs -= KEEP_ALIVE_MS) {
      await sleep(this.#deps.runtime, Math.min(leftMs, KEEP_ALIVE_MS));
      await batch.keepAlive();
    }
  }
}
