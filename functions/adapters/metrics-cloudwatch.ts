/**
 * Metrics as log lines in CloudWatch's embedded metric format: CloudWatch Logs makes metrics of them by itself, so that neither
 * a scraper nor a permission is needed. Only those that something outside acts upon: `/metrics` has all.
 */
import type { Cancel, Runtime } from "../core/runtime.ts";
import { METRICS, type Metrics } from "../lib/metrics.ts";

export const CLOUDWATCH_NAMESPACE = "Skat";

/** By service; scaling and alarms refer to these. */
export const CLOUDWATCH_METRICS = {
  node: ["connections", "backlogOldestSeconds"],
  consumer: ["oldestUnstoredSeconds", "deadLetters", "positionConflicts", "storedAfterSettled"],
} as const satisfies Record<string, readonly (keyof typeof METRICS)[]>;

export type CloudwatchService = keyof typeof CLOUDWATCH_METRICS;

export interface LogMetricsOptions {
  readonly stage: string;
  readonly service: CloudwatchService;
  readonly metrics: Metrics;
  readonly runtime: Runtime;
  /** 0: no lines. */
  readonly everyMs: number;
  /** Standard output, unless told. */
  readonly write?: (line: string) => void;
}

/** Writes a line every `everyMs` until cancelled. A counter is told by how much it grew since the line before. */
export function logMetrics(options: LogMetricsOptions): Cancel {
  const { runtime, everyMs, write = console.log } = options;
  if (everyMs === 0) return () => {};
  const names = CLOUDWATCH_METRICS[options.service];
  let before: ReadonlyMap<string, number> = new Map();
  let isCancelled = false;
  let cancel: Cancel = () => {};
  async function log(): Promise<void> {
    const totals = await options.metrics.totals(names);
    if (isCancelled) return;
    const values = names.map((name) => [METRICS[name].name, growth(name, totals, before)] as const);
    write(lineOf(options, values));
    before = totals;
    next();
  }
  function next(): void {
    cancel = runtime.after(everyMs, () => void log());
  }
  next();
  return () => {
    isCancelled = true;
    cancel();
  };
}

function growth(
  name: keyof typeof METRICS,
  totals: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): number {
  const value = totals.get(name) ?? 0;
  return METRICS[name].type === "counter" ? value - (before.get(name) ?? 0) : value;
}

function lineOf(
  { stage, service, runtime }: LogMetricsOptions,
  values: readonly (readonly [name: string, value: number])[],
): string {
  const directive = {
    Namespace: CLOUDWATCH_NAMESPACE,
    Dimensions: [["stage", "service"]],
    Metrics: values.map(([Name]) => ({ Name, Unit: Name.endsWith("_seconds") ? "Seconds" : "Count" })),
  };
  return JSON.stringify({
    _aws: { Timestamp: runtime.now(), CloudWatchMetrics: [directive] },
    stage,
    service,
    ...Object.fromEntries(values),
  });
}
