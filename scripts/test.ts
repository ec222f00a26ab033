/** `npm test`: acquires the engines, runs every suite on them, and says what was left out. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquire, ENGINES_VARIABLE, type Acquired, type TestEngines } from "./engines/acquire.ts";
import { variableOf } from "./engines/engine.ts";
import { count, failedTitles, leftOut, replaced, secondLooks, type Results } from "./results.ts";
import { STRAY_ERRORS_VARIABLE } from "./stray-errors.ts";

interface Run {
  readonly code: number;
  readonly results: Results | undefined;
  /** Thrown outside of every test. */
  readonly strayErrors: number;
}

const isCi = process.env["CI"] === "true";
const given = process.argv.slice(2);
const acquired = await acquire({ install: true, log: (line) => console.log(line) });
const mayRun = !isCi || acquired.missing.size === 0;
const first = mayRun
  ? await runVitest(acquired.engines, given)
  : { code: 1, results: undefined, strayErrors: 0 };
const { code, results } = isCi && given.length === 0 ? await lookAgain(first) : first;
await acquired.release();
tellLeftOut(acquired, results);
if (!mayRun) console.log("With CI=true every engine must be there, so no test was run.");
const { passed, failed, skipped } = count(results, code);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);

/** The suites get the engines by one variable and none of the developer's own. */
async function runVitest(engines: TestEngines, more: readonly string[]): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), "skat-results-"));
  const file = join(dir, "results.json");
  const stray = join(dir, "stray-errors");
  const reporters = ["default", "json", "./scripts/stray-errors.ts"].map((name) => `--reporter=${name}`);
  const args = ["run", ...reporters, `--outputFile.json=${file}`];
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    [ENGINES_VARIABLE]: JSON.stringify(engines),
    [STRAY_ERRORS_VARIABLE]: stray,
  };
  for (const variable of Object.values(variableOf)) delete env[variable];
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...args, ...more], {
    stdio: "inherit",
    env,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
  const results = readResults(file);
  const strayErrors = results ? Number(readFileSync(stray, "utf8")) : 0;
  rmSync(dir, { recursive: true, force: true });
  return { code, results, strayErrors };
}

/** Files that failed beside all the others are run once more, each alone. What passes then is told, for somebody to mend. */
async function lookAgain(first: Run): Promise<Run> {
  const files = first.strayErrors > 0 ? [] : secondLooks(first.results);
  let run = first;
  for (const { name } of files) {
    const again = await runVitest(acquired.engines, [name]);
    if (!run.results || !again.results || again.strayErrors > 0) return first;
    run = { ...again, results: replaced(run.results, again.results) };
  }
  if (files.length > 0) console.log("\nFailed beside the other files, and were looked at once more, alone:");
  for (const file of files) for (const title of failedTitles(file)) console.log(`  ${title}`);
  return run;
}

function readResults(file: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch (error) {
    console.error(`The test run left no results: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function tellLeftOut({ missing }: Acquired, results: Results | undefined): void {
  const suites = leftOut(results);
  if (missing.size === 0 && suites.length === 0) return;
  console.log("\nLeft out:");
  for (const [name, why] of missing) console.log(`  ${name}: ${why}`);
  for (const { suite, tests } of suites) console.log(`  ${tests} of ${suite}`);
}
