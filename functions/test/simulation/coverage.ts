/** What the runs have met: each fault of the table, and each path of the core that mends one, counted by the core's own metrics. */
import { METRICS, type Metrics } from "../../lib/metrics.ts";
import { FAULTS } from "./faults.ts";

/**
 * Paths that must be met, as `<metric> <label>`; a fault is `fault <kind>`. Not among them: a repair that ends in a reset, for the store
 * holds whatever leaves a stream; a stream that vanished under its fence, for here memories come and go as a whole (`rules.test.ts` takes
 * one stream away); and refusals while draining, for so few sessions are all closed in the turn in which the drain begins.
 */
const PATHS = [
  ...["hole", "lost_head"].map((kind) => `gaps ${kind}`),
  ...["stream", "store"].map((source) => `repairs ${source}`),
  ...["ring", "stream", "store", "reset"].map((source) => `resumes ${source}`),
  ...["fence", "gap", "too_far", "settled"].map((reason) => `resets ${reason}`),
  ...["appended", "repeated", "refused"].map((outcome) => `sends ${outcome}`),
  ...["acknowledged", "failed"].map((outcome) => `logAppends ${outcome}`),
  ...["confirmed", "unconfirmed"].map((outcome) => `logConfirmations ${outcome}`),
  ...["unavailable", "backlog_full", "room_full"].map((code) => `errorsSent ${code}`),
  ...["slow_client", "heartbeat_lost", "draining", "token_revoked"].map((reason) => `closes ${reason}`),
  ...["invalid", "unstorable"].map((reason) => `deadLetters ${reason}`),
  ...["not_member", "banned", "muted", "unknown_room"].map((code) => `errorsSent ${code}`),
  ...["removed", "banned"].map((reason) => `left ${reason}`),
  "excused loss",
  ...["fencesOpened", "staleFences", "feedInterruptions"],
  ...["rowsInserted", "rowsRepeated", "foreignRecords", "trimmedEntries", "reconciledEntries"],
] as const;

/** Alarms of the core that must never ring. */
const NEVER = ["positionConflicts", "storedAfterSettled"] as const;

export class Coverage {
  readonly #counts: Map<string, number>;

  constructor(counts: Iterable<readonly [string, number]> = []) {
    this.#counts = new Map(counts);
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts];
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  add(other: Coverage): void {
    for (const [what, count] of other.#counts) this.count(what, count);
  }

  get faults(): number {
    return Object.keys(FAULTS).reduce((sum, kind) => sum + this.of(`fault ${kind}`), 0);
  }

  /** What should have been met and never was. */
  unmet(): string[] {
    const faults = Object.keys(FAULTS).map((kind) => `fault ${kind}`);
    return [...faults, ...PATHS].filter((what) => this.of(what) === 0);
  }

  alarms(): string[] {
    return NEVER.filter((what) => this.of(what) > 0);
  }

  report(): string {
    const lines = [...Object.keys(FAULTS).map((kind) => `fault ${kind}`), ...PATHS, ...NEVER];
    return lines.map((what) => `${String(this.of(what)).padStart(10)}  ${what}`).join("\n");
  }
}

/** Metrics that only count, each label value by itself. */
export function countingMetrics(coverage: Coverage): Metrics {
  const nothing = (): void => {};
  const handles = Object.entries(METRICS).map(([name, { type }]) => {
    const inc = (first: number | Record<string, string> = 1, second = 1): void => {
      if (typeof first === "number") coverage.count(name, first);
      else coverage.count(`${name} ${Object.values(first).join(" ")}`, second);
    };
    return [name, { inc: type === "counter" ? inc : nothing, dec: nothing, set: nothing, observe: nothing }];
  });
  const rest = { beforeRender: nothing, render: async () => "", contentType: "" };
  return { ...Object.fromEntries(handles), ...rest } as unknown as Metrics;
}
