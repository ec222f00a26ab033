/** One run of a plan: a busy minute with its faults, then rest within a bounded time, then the audit. */
import { judge, VIOLATIONS, type Finding } from "../auditor.ts";
import { Coverage } from "./coverage.ts";
import type { Plan } from "./plan.ts";
import { World } from "./world.ts";

/** After the last fault everything must be at rest within this. */
const REST_MS_MAX = 90_000;
const LOOK_MS = 500;
/** Rest must last: a late sweep, reconcile or reset would still change something. */
const STILL_MS = 6_000;

export interface Outcome {
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  readonly losses: readonly string[];
  readonly coverage: Coverage;
  readonly messages: number;
  readonly virtualMs: number;
}

export async function run(plan: Plan, trace?: (line: string) => void): Promise<Outcome> {
  const coverage = new Coverage();
  const world = new World({ plan, coverage, trace });
  const alarms: Finding[] = [];
  const alarm = (what: string): void =>
    void alarms.push({ kind: "alarm", text: `${VIOLATIONS.alarm}: ${what}` });
  const onRejection = (error: unknown): void => alarm(String(error));
  process.on("unhandledRejection", onRejection);
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // thousands of refusals are part of every run
  try {
    await world.start();
    await world.time.run(plan.busyMs);
    world.trace("HEAL");
    world.heal();
    const unrest = await rest(world);
    const unsettled = unrest.map((what): Finding => ({
      kind: "unsettled",
      text: `${VIOLATIONS.unsettled}: ${what}`,
    }));
    coverage.alarms().forEach(alarm);
    const { findings, losses } = judge(world.histories());
    coverage.count("excused loss", losses.length);
    for (const { departures } of world.clients)
      for (const [reason, count] of departures) coverage.count(`left ${reason}`, count);
    return {
      plan,
      findings: [...alarms, ...unsettled, ...findings],
      losses,
      coverage,
      messages: world.clients.reduce((sum, { said }) => sum + said.size, 0),
      virtualMs: world.time.elapsed(),
    };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", onRejection);
  }
}

/** Answers what did not come to rest; nothing when all did. */
async function rest(world: World): Promise<string[]> {
  let stillMs = 0;
  for (let passedMs = 0; passedMs < REST_MS_MAX; passedMs += LOOK_MS) {
    await world.time.run(LOOK_MS);
    stillMs = world.unrest().length === 0 ? stillMs + LOOK_MS : 0;
    if (stillMs >= STILL_MS) return [];
  }
  return world.unrest();
}
