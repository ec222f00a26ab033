/** `npm run faults`: the fault ledger on real processes and engines, and its report. */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { KINDS } from "../functions/test/ledger/kinds.ts";
import { renderReport, renderStorms } from "../functions/test/ledger/report.ts";
import { runLedger, type Entry } from "../functions/test/ledger/run.ts";
import { runStorms } from "../functions/test/ledger/storm.ts";
import { provide } from "./engines/acquire.ts";
import { engineNames } from "./engines/engine.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    faults: { type: "string", default: "200" },
    clients: { type: "string", default: "200" },
    rate: { type: "string", default: "300" },
    fleets: { type: "string", default: "1" },
    storm: { type: "string", default: "0" },
    kind: { type: "string", default: "" },
    report: { type: "string" },
  },
});
const numbers = [values.seed, values.faults, values.clients, values.rate, values.storm, values.fleets].map(
  Number,
);
const [seed = 0, faults = 0, clients = 0, perSecond = 0, storm = 0, fleets = 1] = numbers;
const kinds = KINDS.filter(({ name }) => name.includes(values.kind));
const log = (line: string) => console.log(line);

if (!numbers.every(Number.isSafeInteger) || fleets < 1 || kinds.length === 0) {
  console.error(`Numbers are whole, and kinds are:\n  ${KINDS.map(({ name }) => name).join("\n  ")}`);
  process.exit(1);
}
const missing = await provide(engineNames, { install: true, log });
for (const [name, why] of missing) console.error(`${name}: ${why}`);
if (missing.size > 0) process.exit(1);
process.exit(await (storm > 0 ? brew() : ledger()));

/** The report is written after each audit, so that a run that is ended early leaves one too. */
async function ledger(): Promise<number> {
  log(`seed ${seed}: ${faults} faults, ${clients} clients, ${perSecond} messages a second`);
  const startMs = performance.now();
  const report = values.report ?? "docs/faults.md";
  const parts: (readonly Entry[])[] = Array.from({ length: fleets }, () => []);
  const runs = parts.map((_, index) => {
    const keep = (entries: readonly Entry[]) => {
      parts[index] = entries;
      const seconds = (performance.now() - startMs) / 1000;
      const head = { seed, fleets, clients, perSecond, seconds, machine: machine() };
      writeFileSync(report, renderReport(head, parts.flat()));
    };
    const share = Math.floor((faults + index) / fleets);
    return runLedger({ seed: seed + index, faults: share, clients, perSecond, kinds, log, keep });
  });
  const entries = (await Promise.all(runs)).flat();
  const violations = entries.reduce((sum, { findings }) => sum + findings.length, 0);
  log(`\n${entries.length} faults, ${violations} violations; see ${report}`);
  return violations === 0 ? 0 : 1;
}

async function brew(): Promise<number> {
  const storms = await runStorms(storm, log);
  writeFileSync(values.report ?? "docs/storms.md", renderStorms(machine(), storms));
  return 0;
}

/** With what else it had to do: times mean little on a machine that is busy with other things. */
function machine(): string {
  const [, load = 0] = loadavg();
  return `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), Node ${process.versions.node}, load ${load.toFixed(0)}`;
}
