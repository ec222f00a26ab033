/** A reporter for vitest: how many errors were thrown outside of every test, which its JSON does not say. */
import { writeFileSync } from "node:fs";
import type { Reporter } from "vitest/node";

/** Names the file to write to. */
export const STRAY_ERRORS_VARIABLE = "SKAT_STRAY_ERRORS";

/** vitest makes one of what a reporter's file exports by default. */
export default class StrayErrors implements Reporter {
  onTestRunEnd(_modules: readonly unknown[], errors: readonly unknown[]): void {
    writeFileSync(process.env[STRAY_ERRORS_VARIABLE] ?? "", String(errors.length));
  }
}
