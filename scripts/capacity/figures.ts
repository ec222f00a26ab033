/** What one unit costs: the data file beside this, with what a report of the bench has measured anew and what is set by hand. */
import { readFileSync } from "node:fs";
import { DemandError } from "./demand.ts";

export interface Entry {
  readonly value: number;
  readonly unit: string;
  /** Where it comes from. */
  readonly from?: string;
  /** The row of the bench that measures it, and which of its figures where it is not the compared one. */
  readonly row?: string;
  readonly more?: string;
}

const DATA = new URL("figures.json", import.meta.url);

type FigureName =
  | "deliveryUs"
  | "sendUs"
  | "arrivalUs"
  | "idleUs"
  | "connectUs"
  | "connectionsPerNode"
  | "redisAppendUs"
  | "redisDeliveryUs"
  | "streamEntryBytes"
  | "redisIdBytes"
  | "redisShardGb"
  | "recordBytes"
  | "ingestUs"
  | "partitionMegabytes"
  | "brokerMegabytes"
  | "storeRowUs"
  | "rowBytes"
  | "rowIndexBytes"
  | "walRowBytes"
  | "storeFill"
  | "frameBytes";
type PriceName =
  | "nodeMonth"
  | "consumerMonth"
  | "balancerMonth"
  | "balancerConnectionMonth"
  | "egressGb"
  | "redisGbMonth"
  | "brokerMonth"
  | "logGbMonth"
  | "storeCoreMonth"
  | "storeGbMonth";

export type Figures = Readonly<Record<FigureName, number>>;
export type Prices = Readonly<Record<PriceName, number>>;

export interface PriceEntry extends Entry {
  /** The day of the assumption. */
  readonly asOf: string;
}

export interface Data {
  readonly figures: Readonly<Record<FigureName, Entry>>;
  readonly prices: Readonly<Record<PriceName, PriceEntry>> & {
    readonly currency: string;
    readonly asOf: string;
    readonly note: string;
  };
}

/** The part of a bench report that is read here. */
interface BenchReport {
  readonly at: string;
  readonly machine: string;
  readonly rows: readonly {
    readonly name: string;
    readonly voids: readonly string[];
    readonly figures: readonly {
      readonly contender: string;
      readonly median: number;
      readonly samples: readonly { readonly more: Readonly<Record<string, number>> }[];
    }[];
  }[];
}

export function readData(): Data {
  return JSON.parse(readFileSync(DATA, "utf8")) as Data;
}

/** The data with the figures that the report has in rows that count, and a line for each row that does not. */
export function withBench(data: Data, file: string): { data: Data; notes: readonly string[] } {
  const report = readReport(file);
  const notes: string[] = [];
  const figures = mapValues(data.figures, (entry) => {
    if (entry.row === undefined) return entry;
    const row = report.rows.find(({ name }) => name === entry.row);
    const value = row?.voids.length === 0 ? ours(row, entry.more) : undefined;
    if (value !== undefined)
      return { ...entry, value, from: `${file}, row ${entry.row}, ${report.at.slice(0, 10)}` };
    notes.push(`${file} has no row ${entry.row} that counts: ${entry.value} ${entry.unit} stays.`);
    return entry;
  });
  return { data: { ...data, figures }, notes };
}

function ours({ figures }: BenchReport["rows"][number], more: string | undefined): number | undefined {
  const skat = figures.find(({ contender }) => contender === "skat");
  if (more === undefined) return skat?.median;
  const seen = skat?.samples.flatMap((sample) => sample.more[more] ?? []).sort((a, b) => a - b) ?? [];
  return seen[seen.length >> 1];
}

function readReport(file: string): BenchReport {
  let report: Partial<BenchReport>;
  try {
    report = JSON.parse(readFileSync(file, "utf8")) as Partial<BenchReport>;
  } catch (error) {
    throw new DemandError(`--figures ${file}: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
  if (typeof report.at === "string" && Array.isArray(report.rows)) return report as BenchReport;
  throw new DemandError(`--figures ${file}: is not a results.json of \`npm run bench\`.`);
}

/** The data with what `NAME=VALUE` sets. */
export function withSet(data: Data, settings: readonly string[]): Data {
  const faults: string[] = [];
  const values = new Map<string, number>();
  for (const setting of settings) {
    const [name = "", text = ""] = setting.split(/=(.*)/s);
    const isKnown = Object.hasOwn(data.figures, name) || isPrice(data, name);
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!isKnown)
      faults.push(`--set ${setting}: there is no figure or price of that name; --json lists them.`);
    else if (!(value >= 0 && value < Infinity)) faults.push(`--set ${setting}: must be a number from 0.`);
    else values.set(name, value);
  }
  if (faults.length > 0) throw new DemandError(faults.join("\n"));
  const put = <T>(entry: T, name: string) =>
    values.has(name) ? { ...entry, value: values.get(name), from: "--set" } : entry;
  return { figures: mapValues(data.figures, put), prices: mapValues(data.prices, put) } as Data;
}

function isPrice({ prices }: Data, name: string): boolean {
  return Object.hasOwn(prices, name) && typeof Reflect.get(prices, name) === "object";
}

export function figuresOf({ figures }: Data): Figures {
  return mapValues(figures, ({ value }) => value);
}

export function pricesOf({
  prices: { currency: _currency, asOf: _asOf, note: _note, ...prices },
}: Data): Prices {
  return mapValues(prices, ({ value }) => value);
}

function mapValues<Name extends string, In, Out>(
  values: Readonly<Record<Name, In>>,
  turn: (value: In, name: string) => Out,
): Record<Name, Out> {
  const entries = Object.entries(values) as [Name, In][];
  return Object.fromEntries(entries.map(([name, value]) => [name, turn(value, name)])) as Record<Name, Out>;
}
