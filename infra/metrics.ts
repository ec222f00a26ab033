/** How CloudWatch knows what the processes count: they write it to their log, and it takes it from there. */
import type { Stage } from "./stage.ts";
import type { Role } from "./task.ts";

export interface MetricName {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export function metricOf(stage: Stage, role: Role, metricName: string): MetricName {
  return { namespace: "Skat", metricName, dimensions: { stage: stage.name, service: role } };
}
