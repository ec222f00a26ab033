/** The ledger and the storms as pages of Markdown. */
import type { Violation } from "../auditor.ts";
import type { Entry } from "./run.ts";
import type { Storm } from "./storm.ts";

export interface ReportHead {
  readonly seed: number;
  /** Side by side, each with its own part of the faults. */
  readonly fleets: number;
  readonly clients: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly machine: string;
}

export function renderReport(
  { seed, fleets, clients, perSecond, seconds, machine }: ReportHead,
  entries: readonly Entry[],
): string {
  const kinds = [...new Set(entries.map(({ kind }) => kind))].toSorted();
  const rows = kinds.map((name) =>
    row(
      name,
      entries.filter(({ kind }) => kind === name),
    ),
  );
  const all = entries.flatMap(({ kind, findings }) => findings.map(({ text }) => `- ${kind}: ${text}`));
  const rest = all.length > SHOWN_MAX ? [`- and ${all.length - SHOWN_MAX} more`] : [];
  const violations = [...all.slice(0, SHOWN_MAX), ...rest];
  const side = fleets > 1 ? ` --fleets ${fleets}` : "";
  return `# The fault ledger

What happened when real processes and engines were broken under load, one fault after the other: three nodes, two consumers, Redis with an
append-only file, Kafka, PostgreSQL, ${clients} clients over TCP, one in ten of them by Socket.IO, in rooms of ten that write about ${perSecond} messages a second, and
fall back on their outbox as the protocol says. After every ten faults the auditor compares what was acknowledged, what is stored and what each client shows. Written by
\`npm run faults -- --seed ${seed} --faults ${entries.length}${side}\` in ${Math.round(seconds / 60)} minutes on ${machine}.

${row("kind of fault", undefined)}
${"|---".repeat(HEAD.length)}|
${rows.join("\n")}
${row("**all**", entries)}

*Lost*, *doubled* and *misordered* are the auditor's findings in database and views; *other* are clients that did not become whole, and the like. *Mended from*: holes that nodes found
and filled, from stream or store, and resumes of clients, from ring, stream or store. *Whole*: from the end of the fault until a client's outbox is empty and its
view is settled and shows all that any client's does; where Redis has a new memory that includes the quarantine of six seconds.

${violations.length === 0 ? "There were no violations." : `## Violations\n\n${violations.join("\n")}`}
`;
}

const HEAD = [
  "kind of fault",
  "faults",
  "messages",
  "acknowledged",
  "lost / doubled / misordered / other",
  "holes mended from stream / store",
  "resumed from ring / stream / store",
  "resets",
  "whole p50 ms",
  "whole p99 ms",
];

function row(kind: string, entries: readonly Entry[] | undefined): string {
  const cells = entries === undefined ? HEAD : [kind, ...figures(entries)];
  return `| ${cells.join(" | ")} |`;
}

/** One fault of ours breaks many messages, and the same is said of each. */
const SHOWN_MAX = 50;
const LOST: readonly Violation[] = ["saved_lost", "sent_lost", "view_lacks", "complete_hole", "log_unstored"];
const DOUBLED: readonly Violation[] = ["stored_twice", "position_reused", "shown_moved", "view_extra"];
const MISORDERED: readonly Violation[] = ["view_order", "saved_moved", "sent_moved"];

/** How many of each sort, and of any other. */
function violations(entries: readonly Entry[]): number[] {
  const kinds = entries.flatMap(({ findings }) => findings.map(({ kind }) => kind));
  const sorted = [LOST, DOUBLED, MISORDERED].map(
    (some) => kinds.filter((kind) => some.includes(kind)).length,
  );
  return [...sorted, kinds.length - sorted.reduce((sum, count) => sum + count, 0)];
}

function figures(entries: readonly Entry[]): (string | number)[] {
  const total = (count: (entry: Entry) => number) => entries.reduce((sum, entry) => sum + count(entry), 0);
  const counter = (name: string, source: string) =>
    total(({ counters }) => counters.get(`skat_${name}_total{source="${source}"}`) ?? 0);
  const whole = entries.flatMap(({ wholeMs }) => wholeMs).toSorted((a, b) => a - b);
  const percentile = (share: number) => Math.round(whole[Math.floor(share * (whole.length - 1))] ?? 0);
  return [
    entries.length,
    total(({ messages }) => messages),
    total(({ acknowledged }) => acknowledged),
    violations(entries).join(" / "),
    ["stream", "store"].map((source) => counter("hub_repairs", source)).join(" / "),
    ["ring", "stream", "store"].map((source) => counter("hub_resumes", source)).join(" / "),
    total(({ resets }) => resets),
    percentile(0.5),
    percentile(0.99),
  ];
}

export function renderStorms(machine: string, storms: readonly Storm[]): string {
  const [first] = storms;
  const rows = storms.map(({ title, figures }) => {
    const { returned, wholeMs, peakPerSecond, storeTransactions } = figures;
    const { p50, p99, all } = wholeMs;
    return `| ${[title, returned, p50, p99, all, peakPerSecond, storeTransactions].join(" | ")} |`;
  });
  return `# When clients come back

${first?.figures.clients ?? 0} clients in ${first?.figures.rooms ?? 0} rooms on three nodes. Times are from the first connection that broke until clients have joined their
rooms again, whole; *at once* is the most that came back within one second; *store* counts the transactions in PostgreSQL meanwhile. Clients, nodes and
engines share one machine. Written by \`npm run faults -- --storm ${first?.figures.clients ?? 0}\` on ${machine}.

| | came back | p50 ms | p99 ms | all ms | at once | store |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}
