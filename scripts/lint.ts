/** A suite for one outside linter: skipped under a title that says so where it can't be had, and failed with CI=true. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { findTool, type ToolName } from "./lint-tools.ts";

/** `body` gets what runs the linter and answers its complaints. */
export function describeLinter(
  name: ToolName,
  title: string,
  body: (lint: (args: readonly string[], input?: string) => string) => void,
): void {
  const tool = findTool(name);
  if ("missing" in tool) return describeMissing(name, `${title} (left out, no ${name}: ${tool.missing})`);
  describe(title, () =>
    body((args, input) => {
      const { status, stdout, stderr } = spawnSync(tool.path, args, { encoding: "utf8", input });
      return status === 0 ? "" : `${stdout}${stderr}` || `${name} ended with ${status}`;
    }),
  );
}

function describeMissing(name: ToolName, title: string): void {
  const must = process.env["CI"] === "true";
  describe(title, () => it.skipIf(!must)(`with CI=true ${name} must be there`, () => expect.fail(title)));
}
