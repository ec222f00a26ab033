/** The figures of a run as people read them. */
import { median, type Figures, type Ratio, type RowResult } from "./compare.ts";

export interface Report {
  readonly machine: string;
  readonly at: string;
  readonly rounds: number;
  readonly rows: readonly RowResult[];
  /** Rows of the bench that this run did not measure, and why. */
  readonly left: readonly string[];
}

export function toMarkdown({ machine, at, rounds, rows, left }: Report): string {
  const head = [
    `Measured ${at.slice(0, 10)} on ${machine}, ${rounds} ${rounds === 1 ? "round" : "rounds"}. A ratio is the other's figure over ours: more is better.`,
    "",
    "| row | figures (median) | against | ratio (range) | target |",
    "|---|---|---|---|---|",
  ];
  const more = ["", "What else was seen, medians:", "", ...rows.flatMap(moreOf)];
  const notes = [...rows.flatMap(skippedOf), ...left].map((note) => `- ${note}`);
  const end = notes.length > 0 ? ["", "Not measured:", "", ...notes] : [];
  return `${[...head, ...rows.flatMap(linesOf), ...more, ...end].join("\n")}\n`;
}

/** The ratios of two runs side by side; only ratios can be compared between runs. */
export function compareReports(before: Report, after: Report): string {
  const lines = after.rows.flatMap(({ name, ratios }) =>
    ratios.map(({ against, median }) => {
      const old = before.rows.find((row) => row.name === name)?.ratios.find((it) => it.against === against);
      return `| ${name} | ${against} | ${old ? times(old.median) : "–"} | ${times(median)} |`;
    }),
  );
  return ["| row | against | before | now |", "|---|---|---|---|", ...lines].join("\n");
}

function linesOf({ title, unit, figures, ratios, ceiling, voids }: RowResult): string[] {
  const values = figures.map(({ contender, median }) => `${contender} ${median.toFixed(2)}`).join(", ");
  const note = voids.length > 0 ? ` **void:** ${voids.join("; ")}` : "";
  const rows = ratios.length > 0 ? ratios : [undefined];
  const lines = rows.map((ratio, index) => {
    const what = index === 0 ? `${title} | ${values} ${unit}${note}` : " | ";
    return `| ${what} | ${ratio?.against ?? ""} | ${ratio ? rangeOf(ratio) : ""} | ${ratio ? targetOf(ratio) : ""} |`;
  });
  if (!ceiling) return lines;
  return [...lines, `|  |  | itself |  | ≤ ${ceiling.atMost} ${unit} ${ceiling.isMet ? "met" : "missed"} |`];
}

function moreOf({ name, figures }: RowResult): string[] {
  return figures.map(({ contender, samples }) => `- ${name}, ${contender}: ${seen(samples)}`);
}

function seen(samples: Figures["samples"]): string {
  const names = [...new Set(samples.flatMap(({ more }) => Object.keys(more)))];
  const middle = (name: string) => median(samples.flatMap(({ more }) => more[name] ?? []));
  return names.map((name) => `${name} ${figure(middle(name))}`).join(", ");
}

function skippedOf({ name, skipped }: RowResult): string[] {
  return skipped.map((what) => `${name}, ${what}`);
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function rangeOf({ median, rounds }: Ratio): string {
  return `${times(median)} (${times(Math.min(...rounds))}–${times(Math.max(...rounds))})`;
}

function targetOf({ atLeast, isMet }: Ratio): string {
  if (atLeast === undefined) return "";
  return `≥ ${times(atLeast)} ${isMet ? "met" : "missed"}`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
