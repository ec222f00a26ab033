/** Gives every suite its engines: those that `npm test` acquired, or, run directly, what is on this machine. Nothing is installed here. */
import type { TestProject } from "vitest/node";
import { acquire, type TestEngines } from "../../scripts/engines/acquire.ts";

declare module "vitest" {
  export interface ProvidedContext {
    engines: TestEngines;
  }
}

/** The variable in which `npm test` hands its engines over, as JSON. */
export const ENGINES_VARIABLE = "SKAT_TEST_ENGINES";

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env[ENGINES_VARIABLE];
  if (given !== undefined) {
    project.provide("engines", JSON.parse(given) as TestEngines);
    return undefined;
  }
  const { engines, missing, release } = await acquire({ install: false, log: (line) => console.log(line) });
  for (const [name, why] of missing) console.log(`left out: ${name}: ${why}`);
  project.provide("engines", engines);
  return release;
}
