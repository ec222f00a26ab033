/**
 * Port: the durable log between nodes and store.
 *
 * Order: records of one room are read in the order in which their appends were acknowledged; a record can be there more
 * than once, also late, so readers deduplicate by message id and trust positions, not offsets.
 */

export interface LogRecord {
  /** The key: records of one room share a log partition. */
  readonly room: string;
  /** The encoded event. */
  readonly value: string;
  /** Wall clock in ms: then it was known to be in the present memory of its stream. Absent: that does not matter. */
  readonly knownAtMs?: number;
  /** W3C trace context of the request that made it. */
  readonly traceparent?: string;
}

/** T_Q: a record is taken within this time of its `knownAtMs`, or not at all. */
export const QUARANTINE_MS = 5_000;

export interface EventLog {
  /**
   * One attempt to append a batch. Resolves when every record is durable (acknowledged by all replicas; embedded: stored).
   * Rejects with `LogRejectedError` when the log will never take this batch as it is, else with any other error: the outcome is
   * then unknown and the caller tries the same records again. The caller keeps one append in flight.
   *
   * A batch that reaches the log later than `QUARANTINE_MS` after the `knownAtMs` of one of its records is refused with `LateRecordsError`,
   * also when it lay in a socket and its writer has long given it up: by then the store may count as settled without it (N8).
   */
  append(records: readonly LogRecord[]): Promise<void>;
  /** Resolves when the log answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The log refuses the batch for good, for instance because it is too large: split it, or give its record up. */
export class LogRejectedError extends Error {
  override readonly name = "LogRejectedError";
}

/** The batch came too late to be taken unseen: ask the stream whether its records are still there, and append them anew. */
export class LateRecordsError extends Error {
  override readonly name = "LateRecordsError";
}

export interface ReadRecord {
  readonly offset: bigint;
  readonly key: string;
  readonly value: string;
  /** The stage that wrote it; absent where none was named. */
  readonly stage: string | undefined;
}

export interface LogBatch {
  readonly partition: number;
  /** In offset order; never empty. */
  readonly records: readonly ReadRecord[];
  /** Keeps the membership alive during long work. Rejects, or answers false, when the batch now belongs to somebody else. */
  keepAlive(): Promise<boolean>;
}

/** Where a log partition ends and up to where this stage has committed, both as the next offset. */
export interface LogProgress {
  readonly partition: number;
  readonly end: bigint;
  readonly committed: bigint;
}

export interface LogConsumer {
  /**
   * Starts reading, from what was committed, or from the oldest record. A batch is committed when `handle` has resolved; one
   * that rejected is handed over again. Batches of one partition come one after another. At least once: after a crash or a
   * rebalance records come again. Reading survives every fault by itself until `close`.
   */
  start(handle: (batch: LogBatch) => Promise<void>): Promise<void>;
  /** One entry for every partition of the log, also the ones that other members read. */
  progress(): Promise<readonly LogProgress[]>;
  /** Waits for the batch in hand, commits it and leaves. */
  close(): Promise<void>;
}

export interface DeadLetter {
  readonly key: string;
  readonly value: string;
  readonly stage: string | undefined;
  readonly partition: number;
  readonly offset: bigint;
  readonly reason: string;
}

/** A letter as it is kept. */
export interface KeptLetter extends DeadLetter {
  /** Its own, for good. */
  readonly id: string;
  readonly putAtMs: number;
}

/** Where poison records go: kept with the reason until somebody replays or drops them. */
export interface DeadLetters {
  /** Resolves when durable. */
  put(letter: DeadLetter): Promise<void>;
  /** Every letter of this stage that was not removed, oldest first. All at once: there are few, or something is very wrong. */
  list(): Promise<readonly KeptLetter[]>;
  /** Resolves when no later `list` shows these any more. Idempotent; an id that is not of this stage's letters does nothing. */
  remove(ids: readonly string[], why: "replayed" | "dropped"): Promise<void>;
  close(): Promise<void>;
}
