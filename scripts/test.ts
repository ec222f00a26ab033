/** `npm test`: acquires the engines, runs every suite on them, and says what was left out. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ENGINES_VARIABLE } from "../functions/test/engines.ts";
import { acquire, type Acquired } from "./engines/acquire.ts";

interface Counts {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
}

const isCi = process.env["CI"] === "true";
const acquired = await acquire({ install: true, log: (line) => console.log(line) });
const dir = mkdtempSync(join(tmpdir(), "skat-results-"));
const report = join(dir, "results.json");
let code = 1;
try {
  if (isCi && acquired.missing.size > 0) tellMissing(acquired);
  else code = await runVitest(acquired);
} finally {
  await acquired.release();
}
if (!isCi) tellMissing(acquired);
tellCounts();
process.exit(code === 0 && isCi && acquired.missing.size > 0 ? 1 : code);

function runVitest({ engines }: Acquired): Promise<number> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const args = [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, [ENGINES_VARIABLE]: JSON.stringify(engines) },
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status) => resolve(status ?? 1));
  });
}

function tellMissing({ missing }: Acquired): void {
  if (missing.size === 0) return;
  console.log("\nLeft out, with every test that needs it:");
  for (const [name, why] of missing) console.log(`  ${name}: ${why}`);
}

/** The last line. A file that could not be run at all counts as one failure. */
function tellCounts(): void {
  let counts: Counts;
  try {
    counts = JSON.parse(readFileSync(report, "utf8")) as Counts;
  } catch (error) {
    console.error(`No test was run: ${error instanceof Error ? error.message : String(error)}`);
    counts = { numPassedTests: 0, numFailedTests: 1, numFailedTestSuites: 0, numPendingTests: 0 };
    code ||= 1;
  }
  rmSync(dir, { recursive: true, force: true });
  const failed =
    counts.numFailedTests > 0
      ? counts.numFailedTests
      : code === 0
        ? 0
        : Math.max(1, counts.numFailedTestSuites);
  console.log(`\n${counts.numPassedTests} passed, ${failed} failed, ${counts.numPendingTests} skipped`);
}
