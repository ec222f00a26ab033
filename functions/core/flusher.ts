/**
 * Takes accepted messages to the log (N6): batches that form while the last one is out, one in flight, kept until acknowledged.
 *
 * An entry whose append was sent too long ago goes to the log only after the stream confirmed it under the same fence;
 * otherwise the store may already count as settled without it. One that is not confirmed is sent again as a retry. The log
 * itself refuses what reaches it too late, so that a slow way there can't pass by this.
 */
import { backoffMs } from "../lib/backoff.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { LogRejectedError, QUARANTINE_MS, type EventLog } from "./event-log.ts";
import { SLOW_MS, type Health } from "./health.ts";
import { previous, type Position } from "./position.ts";
import { StaleFenceError, type Fence, type RoomStream } from "./room-stream.ts";
import { sleep, type Runtime } from "./runtime.ts";

/** Who waits for `saved`, and is told when a message was sent again and has another place. */
export interface Sender {
  sent(room: string, id: string, position: Position): void;
  saved(room: string, ids: readonly string[]): void;
}

export interface LogEntry {
  readonly room: string;
  readonly id: string;
  readonly position: Position;
  readonly json: string;
  readonly fence: Fence;
  /** When the append was sent, by `elapsed`: a paused process reads the answer late. */
  readonly appendSentMs: number;
  readonly sender: Sender | undefined;
  /** When its `send` was read, by `elapsed`. */
  readonly receivedMs: number;
  /** Sends the message again, as its client would. */
  readonly resend: () => Promise<void>;
}

/** One that may go to the log now. */
interface Confirmed {
  readonly entry: LogEntry;
  /** By `elapsed`: then it was in the present memory of its stream. */
  readonly knownMs: number;
}

const BATCH_MESSAGES_MAX = 500;
const BATCH_LENGTH_MAX = 512 * 1024;
const RETRY = { firstMs: 200, maxMs: 1_000 };

export interface FlusherDeps {
  readonly log: EventLog;
  readonly stream: RoomStream;
  readonly runtime: Runtime;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Messages that may wait; past it a send is refused. */
  readonly backlogMax: number;
}

export class Flusher {
  readonly #deps: FlusherDeps;
  #waiting: LogEntry[] = [];
  #resending = 0;
  /** Messages that were admitted and are still on their way to the stream. */
  #underway = 0;
  #isRunning = false;
  #closed = false;

  constructor(deps: FlusherDeps) {
    this.#deps = deps;
    deps.metrics.beforeRender(() => this.#measure());
  }

  get backlog(): number {
    return this.#waiting.length + this.#resending + this.#underway;
  }

  /** Whether the log answers, asked only while nothing goes to it: otherwise its use tells. */
  probe(): Promise<void> | undefined {
    return this.#isRunning ? undefined : this.#deps.log.ping();
  }

  /**
   * Takes a place for a message before its append, so that a burst can't pass the bound (G7); the answer gives it back, once the message
   * is added or refused. Throws `backlog_full` when there is none.
   */
  admit(): () => void {
    if (this.backlog >= this.#deps.backlogMax) {
      throw new ChatError("backlog_full", "Too many messages wait to be saved.", { retryAfterMs: 1000 });
    }
    this.#underway++;
    return () => void this.#underway--;
  }

  add(entry: LogEntry): void {
    this.#waiting.push(entry);
    if (!this.#isRunning) void this.#run();
  }

  /** Resolves when nothing waits, or at the deadline. */
  async drained(deadlineMs: number): Promise<boolean> {
    const endMs = this.#deps.runtime.elapsed() + deadlineMs;
    while (this.backlog > 0 && this.#deps.runtime.elapsed() < endMs) await sleep(this.#deps.runtime, 20);
    return this.backlog === 0;
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // A turn of its own, so that what comes in the same tick shares the first batch.
    await sleep(this.#deps.runtime, 0);
    for (let failures = 0; this.#waiting.length > 0 && !this.#closed;) {
      const ok = await this.#flush(this.#takeable());
      failures = ok ? 0 : failures + 1;
      if (!ok)
        await sleep(this.#deps.runtime, backoffMs(RETRY, failures - 1, this.#deps.runtime.random) + 50);
    }
    this.#isRunning = false;
  }

  #takeable(): LogEntry[] {
    let length = 0;
    let count = 0;
    for (const { json } of this.#waiting.slice(0, BATCH_MESSAGES_MAX)) {
      length += json.length;
      if (count > 0 && length > BATCH_LENGTH_MAX) break;
      count++;
    }
    return this.#waiting.slice(0, count);
  }

  /** False when the log or the stream did not answer: the same entries are tried again. */
  async #flush(batch: readonly LogEntry[]): Promise<boolean> {
    const confirmed = await this.#confirm(batch);
    if (!confirmed) return false;
    const known = new Set(confirmed.map(({ entry }) => entry));
    const refused = batch.filter((entry) => !known.has(entry));
    this.#remove(refused);
    for (const entry of refused) void this.#resend(entry);
    return confirmed.length === 0 || this.#append(confirmed);
  }

  async #append(confirmed: readonly Confirmed[]): Promise<boolean> {
    const { log, metrics, runtime, health, logger } = this.#deps;
    const entries = confirmed.map(({ entry }) => entry);
    const startMs = runtime.elapsed();
    metrics.logBatchMessages.observe(entries.length);
    const cancel = runtime.after(SLOW_MS, () => health.report("kafka", false));
    try {
      const offsetMs = runtime.now() - runtime.elapsed();
      await log.append(
        confirmed.map(({ entry: { room, json }, knownMs }) => ({
          room,
          value: json,
          knownAtMs: offsetMs + knownMs,
        })),
      );
    } catch (error) {
      if (error instanceof LogRejectedError) return this.#split(confirmed, error);
      metrics.logAppends.inc({ outcome: "failed" });
      health.report("kafka", false);
      logger.warn("the log did not take a batch; it is kept", { messages: this.backlog, err: error });
      return false;
    } finally {
      cancel();
    }
    metrics.logAppends.inc({ outcome: "acknowledged" });
    const tookMs = runtime.elapsed() - startMs;
    metrics.logAppendSeconds.observe(tookMs / 1000);
    health.report("kafka", tookMs < SLOW_MS);
    this.#remove(entries);
    this.#tellSenders(entries);
    return true;
  }

  /** The log will never take this batch: halve it until the one that is at fault is alone. */
  async #split(confirmed: readonly Confirmed[], error: LogRejectedError): Promise<boolean> {
    this.#deps.metrics.logAppends.inc({ outcome: "rejected" });
    if (confirmed.length > 1) {
      const middle = confirmed.length >> 1;
      return (
        (await this.#append(confirmed.slice(0, middle))) && (await this.#append(confirmed.slice(middle)))
      );
    }
    this.#remove(confirmed.map(({ entry }) => entry));
    this.#deps.logger.error("the log refuses a message for good; it stays sent", {
      messageId: confirmed[0]?.entry.id ?? "",
      err: error,
    });
    return true;
  }

  /** Those of a batch that may go to the log now; undefined when the stream can't be asked. */
  async #confirm(batch: readonly LogEntry[]): Promise<readonly Confirmed[] | undefined> {
    const nowMs = this.#deps.runtime.elapsed();
    const isOld = ({ appendSentMs }: LogEntry) => appendSentMs <= nowMs - QUARANTINE_MS;
    try {
      const confirmed = await Promise.all(
        batch.map(async (entry): Promise<Confirmed[]> => {
          if (!isOld(entry)) return [{ entry, knownMs: entry.appendSentMs }];
          const isThere = await this.#isThere(entry);
          this.#deps.metrics.logConfirmations.inc({ outcome: isThere ? "confirmed" : "unconfirmed" });
          return isThere ? [{ entry, knownMs: nowMs }] : [];
        }),
      );
      return confirmed.flat();
    } catch (error) {
      this.#deps.logger.warn("old entries can't be confirmed now; they wait", { err: error });
      return undefined;
    }
  }

  async #isThere({ room, fence, position, json }: LogEntry): Promise<boolean> {
    try {
      const { events } = await this.#deps.stream.readAfter(room, fence, previous(position), 1);
      // Gone from the stream under the same fence: trimmed, so it is stored; once more in the log does no harm.
      return events[0] === undefined || events[0].position > position || events[0].json === json;
    } catch (error) {
      if (error instanceof StaleFenceError) return false;
      throw error;
    }
  }

  async #resend(entry: LogEntry): Promise<void> {
    this.#resending++;
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        await entry.resend();
        break;
      } catch (error) {
        this.#deps.logger.warn("an old message can't be sent again yet", { messageId: entry.id, err: error });
        await sleep(this.#deps.runtime, backoffMs(RETRY, attempt, this.#deps.runtime.random) + 50);
      }
    }
    this.#resending--;
  }

  #remove(entries: readonly LogEntry[]): void {
    const gone = new Set(entries);
    this.#waiting = this.#waiting.filter((entry) => !gone.has(entry));
  }

  #tellSenders(entries: readonly LogEntry[]): void {
    const nowMs = this.#deps.runtime.elapsed();
    const groups = new Map<Sender, Map<string, string[]>>();
    for (const { sender, room, id, receivedMs } of entries) {
      this.#deps.metrics.savedSeconds.observe((nowMs - receivedMs) / 1000);
      if (!sender) continue;
      const rooms = groups.get(sender) ?? new Map<string, string[]>();
      groups.set(sender, rooms.set(room, [...(rooms.get(room) ?? []), id]));
    }
    for (const [sender, rooms] of groups) for (const [room, ids] of rooms) sender.saved(room, ids);
  }

  #measure(): void {
    const { metrics, runtime } = this.#deps;
    const oldest = this.#waiting[0];
    metrics.backlogMessages.set(this.backlog);
    metrics.backlogBytes.set(this.#waiting.reduce((sum, { json }) => sum + json.length, 0));
    metrics.backlogOldestSeconds.set(oldest ? (runtime.elapsed() - oldest.receivedMs) / 1000 : 0);
  }
}
