/** `npm run bench`: starts the real engines, runs the rows that were named, and writes their figures as JSON and Markdown; or draws curves. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compare, type RowResult } from "./compare.ts";
import { CURVES } from "./curves/curves.ts";
import { runCurves } from "./curves/run-curves.ts";
import { startBenchEngines } from "./engines.ts";
import { describeMachine } from "./machine.ts";
import { compareReports, toMarkdown, type Report } from "./report.ts";
import type { Row } from "./row.ts";
import { ROWS } from "./rows.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    curves: { type: "boolean", default: false },
    rounds: { type: "string" },
    out: { type: "string", default: "bench/results" },
    compare: { type: "string" },
    minutes: { type: "string", default: "20" },
  },
});

const known = (values.curves ? CURVES : ROWS).map(({ name }) => name);
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0 || values.list) {
  for (const name of unknown) console.error(`There is no ${values.curves ? "curve" : "row"} ${name}.`);
  for (const { name, title, isLong, isByName } of ROWS) {
    const note = isByName ? " (only by name)" : isLong ? " (not in --quick)" : "";
    console.log(`${name.padEnd(16)} ${title}${note}`);
  }
  for (const { name, title } of CURVES) console.log(`${name.padEnd(16)} ${title} (a curve)`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
if (values.curves) {
  const failed = await runCurves({ names: positionals, isQuick: values.quick, rounds, out: values.out });
  for (const name of failed) console.error(`The curve ${name} failed.`);
  process.exit(failed.length > 0 ? 1 : 0);
}
const options = { isQuick: values.quick, rounds, minutes: Number(values.minutes) };
const isNamed = positionals.length > 0;
const why = ({ name, isLong = false, isByName = false }: Row): string | undefined => {
  if (isNamed) return positionals.includes(name) ? undefined : "it was not named";
  if (isByName) return "it runs only when it is named";
  return values.quick && isLong ? "it takes too long for --quick" : undefined;
};
const rows = ROWS.filter((row) => why(row) === undefined);
const left = isNamed ? [] : ROWS.flatMap((row) => (why(row) ? [`${row.name}: ${why(row)}`] : []));
const results: RowResult[] = [];
const engines = await startBenchEngines();
try {
  for (const row of rows) {
    try {
      results.push(await compare(row, engines, options, (text) => console.error(text)));
    } catch (error) {
      // What the other rows have measured is not lost with it.
      console.error(error);
      left.push(`${row.name}: it failed: ${String(error)}`);
      process.exitCode = 1;
    }
  }
} finally {
  await engines.end();
}

const report: Report = {
  machine: describeMachine(),
  at: new Date().toISOString(),
  rounds,
  rows: results,
  left,
};
mkdirSync(values.out, { recursive: true });
writeFileSync(`${values.out}/results.json`, `${JSON.stringify(report, undefined, 2)}\n`);
writeFileSync(`${values.out}/results.md`, toMarkdown(report));
console.log(toMarkdown(report));
if (values.compare !== undefined) {
  console.log(compareReports(JSON.parse(readFileSync(values.compare, "utf8")) as Report, report));
}
