/**
 * Port: periods of the store's events, by the time in their ids, so that old events go as a whole and not row by row.
 *
 * Without periods all events are together, in what is called the rest. Once begun, periods follow each other without a gap; the rest
 * then holds what is older than the first of them. Errors are those of the store. May be called by several at once, and again.
 */
import type { Position } from "./position.ts";

export interface Dropped {
  /** The names of the periods that are gone. */
  readonly names: readonly string[];
  /** Ids from here on are in periods that stay; what is too old below has to be deleted by itself. Undefined without periods. */
  readonly restEndMs: number | undefined;
}

export interface EventPeriods {
  /**
   * Makes periods up to two lengths ahead, and answers their names. `lengthMs`, in whole days, begins them where there are none, a day
   * from now at the earliest, and is the length of those to come; without it the last one's length goes on. Reads all of the rest when
   * it begins, and keeps nobody waiting meanwhile.
   */
  prepare(nowMs: number, lengthMs: number | undefined): Promise<readonly string[]>;
  /**
   * Drops every period that has ended before the position's time. Events in it that are not below the position (their ids had waited in
   * an outbox) stay; where these are more than a few, so does the period.
   */
  dropBefore(before: Position): Promise<Dropped>;
}
