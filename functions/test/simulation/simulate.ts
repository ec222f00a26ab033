/** Entry: `npm run simulate`. Runs seeds and says what it found; a failing one is shrunk and its trace printed. Exit code 1: something was found. */
import { parseArgs } from "node:util";
import { describePlan, planOf, type Plan } from "./plan.ts";
import { run, type Outcome } from "./run.ts";
import { shrink } from "./shrink.ts";
import { sweepOverCores } from "./jobs.ts";
import { COVERING_SEEDS } from "./sweep.ts";

const PROGRESS_MS = 5_000;
const FAILURES_SHOWN = 5;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string" },
    seed: { type: "string" },
    faults: { type: "string" },
    clients: { type: "string" },
    trace: { type: "boolean", default: false },
    losses: { type: "boolean", default: false },
  },
});

process.exitCode = values.seed === undefined ? await runMany() : await runOne(number(values.seed));

async function runOne(seed: number): Promise<number> {
  const plan = reduced(planOf(seed));
  console.log(describePlan(plan));
  const outcome = await run(plan, values.trace ? (line) => console.log(line) : undefined);
  tell(outcome);
  return outcome.findings.length === 0 ? 0 : 1;
}

async function runMany(): Promise<number> {
  const from = values.from === undefined ? Math.floor(Date.now() / 1000) : number(values.from);
  const seeds = number(values.seeds);
  const startMs = performance.now();
  let [done, failed, toldMs] = [0, 0, startMs];
  console.log(`seeds ${from} to ${from + seeds - 1}`);
  const result = await sweepOverCores(from, seeds, ({ plan, findings }) => {
    done++;
    if (findings.length > 0)
      console.log(`seed ${plan.seed} FAILED (${++failed}): ${findings[0]?.text ?? ""}`);
    if (performance.now() - toldMs < PROGRESS_MS) return;
    toldMs = performance.now();
    console.log(`${done} of ${seeds} seeds, ${failed} failed, ${rate(done, startMs)} a minute`);
  });
  const unmet = seeds >= COVERING_SEEDS ? result.coverage.unmet() : [];
  for (const failure of result.failures.slice(0, FAILURES_SHOWN)) await explain(failure);
  console.log(`\nHow often each was met:\n${result.coverage.report()}\n`);
  if (values.losses) for (const loss of result.losses) console.log(loss);
  console.log(
    [
      `${seeds} seeds from ${from}: ${result.failures.length} failed; ${rate(seeds, startMs)} a minute`,
      `${result.messages} messages, ${result.coverage.faults} faults, ${(result.virtualMs / 60_000).toFixed(0)} virtual minutes`,
      `${result.losses.length} messages sent, never saved and lost, each with an excuse (--losses lists them)`,
    ].join("\n"),
  );
  for (const what of unmet) console.log(`never met: ${what}`);
  return result.failures.length + unmet.length === 0 ? 0 : 1;
}

/** The smallest run that still shows it, with its whole trace. */
async function explain(failure: Outcome): Promise<void> {
  console.log(`\nseed ${failure.plan.seed} is made smaller …`);
  const { plan } = await shrink(failure);
  const outcome = await run(plan, (line) => console.log(line));
  console.log(describePlan(plan));
  tell(outcome);
  const [faults, clients] = [plan.faults, plan.clients].map((some) =>
    some.map(({ index }) => index).join(","),
  );
  console.log(
    `again: npm run simulate -- --seed ${plan.seed} --faults "${faults}" --clients "${clients}" --trace`,
  );
  console.log(`to keep it, add to regressions.ts: ${JSON.stringify(plan)}`);
}

function tell({ plan, findings, losses, messages }: Outcome): void {
  for (const { text } of findings) console.log(`  VIOLATED ${text}`);
  for (const loss of losses) console.log(`  lost with an excuse: ${loss}`);
  console.log(
    `seed ${plan.seed}: ${messages} messages, ${findings.length} violations, ${losses.length} excused losses`,
  );
}

/** Only the faults and clients that were named. */
function reduced(plan: Plan): Plan {
  const pick = <T extends { index: number }>(all: readonly T[], named: string | undefined): readonly T[] =>
    named === undefined ? all : all.filter(({ index }) => named.split(",").includes(String(index)));
  return { ...plan, faults: pick(plan.faults, values.faults), clients: pick(plan.clients, values.clients) };
}

function rate(seeds: number, startMs: number): string {
  return ((seeds / (performance.now() - startMs)) * 60_000).toFixed(0);
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`Not a number of seeds: ${text}. See npm run simulate -- --help.`);
  process.exit(2);
}
