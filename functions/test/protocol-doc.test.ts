/** The tables of docs/protocol.md are those of the code. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CLOSES, DEFAULT_LIMITS, ERRORS } from "../protocol.ts";

const text = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const rowsAfter = (heading: string): string[] => {
  const [, section = ""] = text.split(`## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return own
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1);
};

test("every error code is in the table, with its status and whether to retry", () => {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, retriable, when }]) =>
      `| \`${code}\` | ${status} | ${retriable ? "yes" : "no"} | ${when} |`,
  );
  expect(rowsAfter("Errors")).toEqual(rows);
});

test("every close code is in the table, and its number says whether to reconnect", () => {
  const rows = Object.entries(CLOSES).map(
    ([reason, { code, when }]) => `| ${code} | \`${reason}\` | ${code < 4500 ? "yes" : "no"} | ${when} |`,
  );
  expect(rowsAfter("Close codes")).toEqual(rows);
});

test("every limit is in the table with its default", () => {
  const { rates: _, ...limits } = DEFAULT_LIMITS;
  const rows = Object.entries(limits).map(([name, value]) => `| \`${name}\` | ${value} |`);
  expect(rowsAfter("Limits")).toEqual(rows);
});
