/**
 * Gives every suite its engines: those that `npm test` has acquired, or, run directly, what is on this machine; then
 * nothing is installed, and nothing started for files that use none.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { makeReady } from "../../scripts/ready.mjs";
import { acquire, ENGINES_VARIABLE, type Acquired, type TestEngines } from "../../scripts/engines/acquire.ts";

declare module "vitest" {
  export interface ProvidedContext {
    fuzzSeed: number;
    simulated: { readonly from: number; readonly seeds: number };
    ledger: { readonly seed: number; readonly faults: number };
  }
}

const isCi = process.env["CI"] === "true";
let acquired: Acquired | undefined;

export async function setup(project: TestProject): Promise<void> {
  await makeReady(["prisma", "server", "web"]);
  project.provide("fuzzSeed", seedOf("FUZZ_SEED", Date.now() % 2 ** 31));
  project.provide("simulated", {
    from: seedOf("SIMULATION_FROM", isCi ? seedOfCommit() : seedOfNow()),
    seeds: isCi ? 500 : 100,
  });
  project.provide("ledger", {
    seed: seedOf("LEDGER_SEED", isCi ? seedOfCommit() : seedOfNow()),
    faults: isCi ? 20 : 5,
  });
  const given = process.env[ENGINES_VARIABLE];
  if (given !== undefined) return project.provide("engines", JSON.parse(given) as TestEngines);
  if (!useEngines(project.vitest.state.getPaths()))
    return project.provide("engines", { canControl: false, canSecure: false });
  acquired = await acquire({ install: false, log: (line) => console.log(line) });
  project.provide("engines", acquired.engines);
}

export async function teardown(): Promise<void> {
  for (const [name, why] of acquired?.missing ?? []) console.log(`Left out, no ${name}: ${why}`);
  await acquired?.release();
}

/** Another one for each run, unless one is to be repeated. */
function seedOf(variable: string, fresh: number): number {
  const seed = Number(process.env[variable] ?? fresh);
  if (!Number.isSafeInteger(seed)) throw new Error(`${variable} must be a whole number`);
  return seed;
}

/** Each commit has its own, and a run of it can be repeated. */
function seedOfCommit(): number {
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  return status === 0 ? parseInt(stdout.slice(0, 8), 16) : seedOfNow();
}

function seedOfNow(): number {
  return Math.floor(Date.now() / 1000);
}

/** Whether one of these files imports engines.ts, directly or through others of its kind. */
function useEngines(files: readonly string[]): boolean {
  const seen = new Set(files);
  for (const file of seen) {
    if (file === resolve(import.meta.dirname, "engines.ts")) return true;
    for (const imported of importsOf(file)) seen.add(imported);
  }
  return false;
}

function importsOf(file: string): string[] {
  if (!existsSync(file)) return [];
  const names = readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/g);
  return [...names].map(([, name = ""]) => resolve(dirname(file), name));
}
