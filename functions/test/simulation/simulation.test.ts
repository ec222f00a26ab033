/**
 * [G1]–[G6] and [G13] on seeds that are others in each run, in CI for each commit, on those that failed once, and the simulation's own promises.
 *
 * A run prints its seeds; `SIMULATION_FROM=<seed> npm test -- simulation` repeats them.
 */
import { describe, expect, inject, it, test } from "vitest";
import { describePlan, planOf } from "./plan.ts";
import { REGRESSIONS } from "./regressions.ts";
import { run, type Outcome } from "./run.ts";
import { shrink } from "./shrink.ts";
import { COVERING_SEEDS, sweep } from "./sweep.ts";

const { from, seeds } = inject("simulated");

function told({ plan, findings }: Outcome): string {
  return [describePlan(plan), ...findings.map(({ text }) => `  ${text}`)].join("\n");
}

test("[G1] [G2] [G3] [G4] [G5] [G6] [G13] many seeds: nothing is lost, doubled, out of order or heard by who was removed", async () => {
  const { failures, coverage, losses } = await sweep(from, seeds);
  console.log(`SIMULATION_FROM=${from}: ${losses.length} messages lost with an excuse\n${coverage.report()}`);
  expect(failures.map(told)).toEqual([]);
  if (seeds >= COVERING_SEEDS) expect(coverage.unmet()).toEqual([]);
}, 1_200_000);

test.each(REGRESSIONS)("$why", async ({ plan }) => {
  expect(told(await run(plan))).toBe(describePlan(plan));
});

describe("the simulation", () => {
  it("gives the same trace for the same seed, byte for byte, and another for another", async () => {
    const traceOf = async (seed: number): Promise<string> => {
      const lines: string[] = [];
      await run(planOf(seed), (line) => lines.push(line));
      return lines.join("\n");
    };
    const [first, again, other] = [await traceOf(11), await traceOf(11), await traceOf(12)];
    expect(first.length).toBeGreaterThan(100_000);
    expect(again === first).toBe(true);
    expect(other === first).toBe(false);
  });

  it("is as busy as it claims: over a minute of virtual time, some ten faults and hundreds of messages a seed", async () => {
    const outcomes = [await run(planOf(21)), await run(planOf(22)), await run(planOf(23))];
    for (const { virtualMs, messages, plan } of outcomes) {
      expect(virtualMs).toBeGreaterThan(60_000);
      expect(plan.faults.length).toBeGreaterThan(6);
      expect(messages).toBeGreaterThan(200);
    }
  });

  it("shrinks a failure to the faults and clients that it needs", async () => {
    const plan = planOf(1);
    const needed = [plan.faults[1]?.index, plan.faults[5]?.index];
    const ask = async (tried: typeof plan): Promise<Outcome> => {
      const faults = tried.faults.map(({ index }) => index);
      const fails =
        needed.every((index) => faults.some((fault) => fault === index)) &&
        tried.clients.some(({ index }) => index === 3);
      const findings = fails ? [{ kind: "saved_lost" as const, text: "forged" }] : [];
      return { ...whole, plan: tried, findings };
    };
    const whole = await run({ ...plan, faults: [], clients: plan.clients.slice(0, 1), busyMs: 1_000 });
    const { plan: least } = await shrink(await ask(plan), ask);
    expect(least.faults.map(({ index }) => index)).toEqual(needed);
    expect(least.clients.map(({ index }) => index)).toEqual([3]);
  });
});
