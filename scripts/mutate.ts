/** `npm run mutate`: takes each mechanism out in a scratch copy and shows which test goes red. One that nothing notices fails. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { acquire, ENGINES_VARIABLE, type TestEngines } from "./engines/acquire.ts";
import { MUTATIONS, type Mutation } from "./mutate/mutations.ts";
import { makeScratch, type Scratch } from "./mutate/scratch.ts";
import type { Results } from "./results.ts";

interface Outcome {
  readonly passed: number;
  readonly red: readonly string[];
}

const RUN_DEADLINE_MS = 300_000;
const RUNS_MAX = 2;
const baselines = new Map<string, Promise<Outcome>>();

const { values } = parseArgs({
  options: {
    list: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});
const chosen = MUTATIONS.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
const unknown = values.only.filter((name) => !chosen.some((mutation) => mutation.name === name));
if (unknown.length > 0) fail(`There is no mechanism ${unknown.join(", ")}; --list names them.`);
else if (values.list) for (const one of MUTATIONS) console.log(`${one.name.padEnd(20)} ${one.mechanism}`);
else await main();

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const acquired = await acquire({ install: true, log: (line) => console.log(line) });
  const scratch = makeScratch();
  process.on("exit", scratch.remove);
  const unnoticed: string[] = [];
  try {
    for (const [index, mutation] of chosen.entries()) {
      const line = `${`${index + 1}/${chosen.length}`.padStart(6)} ${mutation.name.padEnd(20)}`;
      const verdict = await judge(scratch, mutation, acquired.engines).catch((error: unknown) => ({
        isNoticed: false,
        text: String(error),
      }));
      console.log(`${line} ${verdict.isNoticed ? "noticed" : "NOT NOTICED"}: ${verdict.text}`);
      if (!verdict.isNoticed) unnoticed.push(mutation.name);
    }
  } finally {
    await acquired.release();
  }
  console.log(`\n${chosen.length - unnoticed.length} of ${chosen.length} mechanisms are held by a test.`);
  if (unnoticed.length > 0) fail(`Without these nothing went red: ${unnoticed.join(", ")}`);
}

/** Green with the mechanism and red without it: anything else proves nothing. */
async function judge(
  scratch: Scratch,
  mutation: Mutation,
  engines: TestEngines,
): Promise<{ isNoticed: boolean; text: string }> {
  const [file, titles] = mutation.noticedBy;
  const startMs = performance.now();
  const before = await baseline(scratch, file, engines);
  if (before.passed === 0 || before.red.length > 0)
    return { isNoticed: false, text: `${file} is not green to begin with: ${before.red.join("; ")}` };
  const restore = scratch.apply(mutation);
  const after = await run(scratch, file, titles, engines).finally(restore);
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const [first] = after.red;
  if (first === undefined)
    return { isNoticed: false, text: `${file} -t "${titles}" stays green (${seconds} s)` };
  return { isNoticed: true, text: `${first} (${seconds} s)` };
}

/** All tests of a file that must notice something, run once with every mechanism in place. */
function baseline(scratch: Scratch, file: string, engines: TestEngines): Promise<Outcome> {
  const titles = chosen.flatMap(({ noticedBy }) => (noticedBy[0] === file ? [noticedBy[1]] : []));
  const known = baselines.get(file) ?? run(scratch, file, titles.join("|"), engines);
  baselines.set(file, known);
  return known;
}

/**
 * The titles that failed, and how many tests passed. A file that fails outside of its tests, or does not end in time, tells nothing of a
 * mechanism, so it is run once more and then given up.
 */
async function run(scratch: Scratch, file: string, titles: string, engines: TestEngines): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const { code, passed, red } = await runOnce(scratch, file, titles, engines);
    if (red.length > 0 || code === 0) return { passed, red };
    if (attempt === RUNS_MAX) throw new Error(`${file} -t "${titles}" failed outside of its tests`);
  }
}

async function runOnce(
  { dir }: Scratch,
  file: string,
  titles: string,
  engines: TestEngines,
): Promise<Outcome & { code: number }> {
  const report = join(dir, "results.json");
  rmSync(report, { force: true });
  const args = ["run", file, "-t", titles, "--reporter=json", `--outputFile=${report}`];
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...args], {
    cwd: dir,
    stdio: "ignore",
    env: { ...process.env, [ENGINES_VARIABLE]: JSON.stringify(engines) },
  });
  const timer = setTimeout(() => child.kill("SIGTERM"), RUN_DEADLINE_MS);
  const code = await new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
  clearTimeout(timer);
  const results = readResults(report);
  const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults);
  const red = tests.filter(({ status }) => status === "failed").map(({ title }) => title);
  const passed = tests.filter(({ status }) => status === "passed").length;
  return { code, passed, red };
}

function readResults(report: string): Results {
  try {
    return JSON.parse(readFileSync(report, "utf8")) as Results;
  } catch {
    return { testResults: [] }; // it did not come to an end: its exit code tells
  }
}
