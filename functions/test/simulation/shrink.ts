/** Makes a failing plan smaller: leaves out faults and clients for as long as the same kind of violation is still found. */
import type { ClientPlan, FaultPlan, Plan } from "./plan.ts";
import { run, type Outcome } from "./run.ts";

/** The smallest plan found within so many runs. */
const RUNS_MAX = 80;

export async function shrink(
  failed: Outcome,
  execute: (plan: Plan) => Promise<Outcome> = run,
): Promise<Outcome> {
  let best = failed;
  let runs = 0;
  const kinds = new Set(failed.findings.map(({ kind }) => kind));
  const attempt = async (plan: Plan): Promise<boolean> => {
    if (runs++ >= RUNS_MAX) return false;
    const outcome = await execute(plan);
    if (!outcome.findings.some(({ kind }) => kinds.has(kind))) return false;
    best = outcome;
    return true;
  };
  await leaveOut(failed.plan.faults, (faults: readonly FaultPlan[]) => attempt({ ...best.plan, faults }));
  await leaveOut(failed.plan.clients, (clients: readonly ClientPlan[]) => attempt({ ...best.plan, clients }));
  return best;
}

/** Leaves out ever smaller parts: halves first, single ones last. */
async function leaveOut<T>(
  all: readonly T[],
  stillFails: (left: readonly T[]) => Promise<boolean>,
): Promise<void> {
  let left = all;
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < left.length;) {
      const fewer = [...left.slice(0, start), ...left.slice(start + size)];
      if (fewer.length < left.length && (await stillFails(fewer))) left = fewer;
      else start += size;
    }
  }
}
