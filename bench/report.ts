/** The figures of a run as people read them. */
import type { Ratio, RowResult } from "./compare.ts";

export interface Report {
  readonly machine: string;
  readonly at: string;
  readonly rounds: number;
  readonly rows: readonly RowResult[];
}

export function toMarkdown({ machine, at, rounds, rows }: Report): string {
  const head = [
    `Measured ${at.slice(0, 10)} on ${machine}, ${rounds} ${rounds === 1 ? "round" : "rounds"}. A ratio is the other's figure over ours: more is better.`,
    "",
    "| row | figures (median) | against | ratio (range) | target |",
    "|---|---|---|---|---|",
  ];
  return `${[...head, ...rows.flatMap(linesOf)].join("\n")}\n`;
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

function linesOf({ title, unit, figures, ratios, voids }: RowResult): string[] {
  const values = figures.map(({ contender, median }) => `${contender} ${median.toFixed(2)}`).join(", ");
  const note = voids.length > 0 ? ` **void:** ${voids.join("; ")}` : "";
  const rows = ratios.length > 0 ? ratios : [undefined];
  return rows.map((ratio, index) => {
    const what = index === 0 ? `${title} | ${values} ${unit}${note}` : " | ";
    return `| ${what} | ${ratio?.against ?? ""} | ${ratio ? rangeOf(ratio) : ""} | ${ratio ? targetOf(ratio) : ""} |`;
  });
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
