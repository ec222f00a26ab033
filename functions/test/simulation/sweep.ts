/** Many seeds: what failed, what was lost with an excuse, and what was met on the way. */
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

/** Adds outcomes up, in whatever order they come. */
export class Tally implements Sweep {
  readonly failures: Outcome[] = [];
  readonly losses: string[] = [];
  readonly coverage = new Coverage();
  messages = 0;
  virtualMs = 0;

  add(outcome: Outcome): void {
    const { plan, coverage, losses, findings, messages, virtualMs } = outcome;
    this.coverage.add(coverage);
    this.losses.push(...losses.map((loss) => `seed ${plan.seed}: ${loss}`));
    this.messages += messages;
    this.virtualMs += virtualMs;
    if (findings.length > 0) this.failures.push(outcome);
  }
}

/** One seed after another, in this process. */
export async function sweep(from: number, seeds: number): Promise<Sweep> {
  const tally = new Tally();
  for (let seed = from; seed < from + seeds; seed++) tally.add(await run(planOf(seed)));
  return tally;
}
