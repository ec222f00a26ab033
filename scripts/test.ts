/** `npm test`: acquires the engines, runs every suite on them, and says what was left out. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquire, ENGINES_VARIABLE, type Acquired, type TestEngines } from "./engines/acquire.ts";
import { variableOf } from "./engines/engine.ts";
import { count, leftOut, type Results } from "./results.ts";

const isCi = process.env["CI"] === "true";
const acquired = await acquire({ install: true, log: (line) => console.log(line) });
const mayRun = !isCi || acquired.missing.size === 0;
const { code, results } = mayRun ? await runVitest(acquired.engines) : { code: 1, results: undefined };
await acquired.release();
tellLeftOut(acquired, results);
if (!mayRun) console.log("With CI=true every engine must be there, so no test was run.");
const { passed, failed, skipped } = count(results, code);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);

/** The suites get the engines by one variable and none of the developer's own. */
async function runVitest(engines: TestEngines): Promise<{ code: number; results: Results | undefined }> {
  const dir = mkdtempSync(join(tmpdir(), "skat-results-"));
  const file = join(dir, "results.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const env: NodeJS.ProcessEnv = { ...process.env, [ENGINES_VARIABLE]: JSON.stringify(engines) };
  for (const variable of Object.values(variableOf)) delete env[variable];
  const child = spawn(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", ...args, ...process.argv.slice(2)],
    {
      stdio: "inherit",
      env,
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
  const results = readResults(file);
  rmSync(dir, { recursive: true, force: true });
  return { code, results };
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
