/** `npm run bench`: starts the real engines, runs the rows that were named, and writes their figures as JSON and Markdown. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compare, type RowResult } from "./compare.ts";
import { startBenchEngines } from "./engines.ts";
import { describeMachine } from "./machine.ts";
import { compareReports, toMarkdown, type Report } from "./report.ts";
import { ROWS } from "./rows.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    rounds: { type: "string" },
    out: { type: "string", default: "bench/results" },
    compare: { type: "string" },
  },
});

const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0 || values.list) {
  for (const name of unknown) console.error(`There is no row ${name}.`);
  for (const { name, title } of ROWS) console.log(`${name.padEnd(16)} ${title}`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const rows = ROWS.filter(({ name, isLong }) =>
  positionals.length > 0 ? positionals.includes(name) : !(values.quick && isLong),
);
const results: RowResult[] = [];
const engines = await startBenchEngines();
try {
  for (const row of rows) {
    results.push(
      await compare(row, engines, { isQuick: values.quick, rounds }, (text) => console.error(text)),
    );
  }
} finally {
  await engines.end();
}

const report: Report = { machine: describeMachine(), at: new Date().toISOString(), rounds, rows: results };
mkdirSync(values.out, { recursive: true });
writeFileSync(`${values.out}/results.json`, `${JSON.stringify(report, undefined, 2)}\n`);
writeFileSync(`${values.out}/results.md`, toMarkdown(report));
console.log(toMarkdown(report));
if (values.compare !== undefined) {
  console.log(compareReports(JSON.parse(readFileSync(values.compare, "utf8")) as Report, report));
}
