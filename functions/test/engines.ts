/** Suites that need real engines: where those are, and what becomes of a suite when one is missing. */
import { describe, inject } from "vitest";
import type { TestEngines } from "../../scripts/engines/acquire.ts";

declare module "vitest" {
  export interface ProvidedContext {
    engines: TestEngines;
  }
}

/** What a suite may need; `control` is to start, kill and freeze engines of its own, `secure` to give them TLS and accounts. */
export type Need = "redis" | "kafka" | "postgres" | "chromium" | "control" | "secure";

const keyOf = {
  redis: "redisUrl",
  kafka: "kafkaBrokers",
  postgres: "databaseUrl",
  chromium: "chromium",
  control: "canControl",
  secure: "canSecure",
} as const satisfies Record<Need, keyof TestEngines>;

/**
 * `describe` for a suite that needs engines. Where one is missing the suite is skipped under a title that says so, and
 * the end of the run lists it. `body` is called then too, with empty strings: only hooks and tests may use them.
 */
export function describeEngine(
  needs: readonly Need[],
  title: string,
  body: (engines: Required<TestEngines>) => void,
  options: { timeout?: number } = {},
): void {
  const given = inject("engines");
  const missing = needs.filter((need) => !given[keyOf[need]]);
  const engines = { redisUrl: "", kafkaBrokers: "", databaseUrl: "", chromium: "", ...given };
  if (missing.length === 0) describe(title, options, () => body(engines));
  else describe.skip(`${title} (left out, no ${missing.join(", no ")})`, () => body(engines));
}
