/** One row of the bench: what is compared with what, by which figure, and what is expected of it. */
import type { BenchEngines } from "./engines.ts";

/** One measurement of one system. */
export interface Sample {
  /** The figure that is compared: less is better. */
  readonly value: number;
  /** What was lost, doubled or out of order, or is a fault by the row: a system that fails its task is not compared. */
  readonly faults: number;
  /** Of one core; a generator at its limit measures itself. */
  readonly generatorShare: number;
  /** What else was seen, by name and unit. */
  readonly more: Readonly<Record<string, number>>;
}

export interface Contender {
  readonly name: string;
  /** Why it can't run on this machine; it is then named in the report. */
  missing?(): Promise<string | undefined>;
  measure(engines: BenchEngines, options: RowOptions): Promise<Sample>;
}

export interface RowOptions {
  /** Shorter warm-up and timed part. */
  readonly isQuick: boolean;
  readonly round: number;
  /** Of the soak. */
  readonly minutes: number;
}

/** `ours` against another: that many times as dear at least, or at most. */
export interface Target {
  readonly against: string;
  /** The other's figure over ours. */
  readonly atLeast: number;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  /** Of the compared figure. */
  readonly unit: string;
  /** The first is ours. */
  readonly contenders: readonly Contender[];
  readonly targets: readonly Target[];
  /** What our own figure may be at most, whatever the others' are. */
  readonly ceiling?: number;
  /** Left out of `--quick`. */
  readonly isLong?: boolean;
  /** Runs only when it is named. */
  readonly isByName?: boolean;
}

/** For rows that read different figures of one measurement: the first that asks in a round makes it. */
export function oncePerRound<T>(
  measure: (engines: BenchEngines, options: RowOptions) => Promise<T>,
): (engines: BenchEngines, options: RowOptions) => Promise<T> {
  const made = new Map<number, Promise<T>>();
  return (engines, options) => {
    const known = made.get(options.round) ?? measure(engines, options);
    made.set(options.round, known);
    return known;
  };
}
