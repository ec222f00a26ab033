/** Many seeds one after another: what failed, what was lost with an excuse, and what was met on the way. */
import { Coverage } from "./coverage.ts";
import { planOf } from "./plan.ts";
import { run, type Outcome } from "./run.ts";

export interface Sweep {
  readonly failures: readonly Outcome[];
  readonly losses: readonly string[];
  readonly coverage: Coverage;
  readonly messages: number;
  readonly virtualMs: number;
}

/** From so many seeds on, whatever was never met is a fault of the simulation itself. */
export const COVERING_SEEDS = 200;

export async function sweep(
  from: number,
  seeds: number,
  onOutcome: (outcome: Outcome) => void = () => {},
): Promise<Sweep> {
  const coverage = new Coverage();
  const failures: Outcome[] = [];
  const losses: string[] = [];
  let [messages, virtualMs] = [0, 0];
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await run(planOf(seed));
    coverage.add(outcome.coverage);
    losses.push(...outcome.losses.map((loss) => `seed ${seed}: ${loss}`));
    messages += outcome.messages;
    virtualMs += outcome.virtualMs;
    if (outcome.findings.length > 0) failures.push(outcome);
    onOutcome(outcome);
  }
  return { failures, losses, coverage, messages, virtualMs };
}
