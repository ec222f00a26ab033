/** Measures the contenders of a row in turn, the order flipped each round, so that what changes on the machine meets all of them. */
import type { BenchEngines } from "./engines.ts";
import type { Contender, Row, RowOptions, Sample } from "./row.ts";

/** A generator that needs more than this share of a core measures itself. */
export const GENERATOR_SHARE_MAX = 0.85;
/** Half of the range over the median; a ratio that varies more says nothing. */
const SPREAD_MAX = 0.3;

export interface Figures {
  readonly contender: string;
  readonly samples: readonly Sample[];
  readonly median: number;
}

export interface Ratio {
  readonly against: string;
  /** The other's figure over ours, round by round: more is better for ours. */
  readonly rounds: readonly number[];
  readonly median: number;
  readonly atLeast: number | undefined;
  readonly isMet: boolean | undefined;
}

export interface RowResult {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly figures: readonly Figures[];
  readonly ratios: readonly Ratio[];
  readonly ceiling?: { readonly atMost: number; readonly isMet: boolean };
  /** Contenders that can't run on this machine, and why. */
  readonly skipped: readonly string[];
  /** Why the row counts for nothing. */
  readonly voids: readonly string[];
}

export async function compare(
  row: Row,
  engines: BenchEngines,
  options: Omit<RowOptions, "round"> & { readonly rounds: number },
  progress: (text: string) => void,
): Promise<RowResult> {
  const { contenders, skipped } = await present(row);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) {
      const startMs = performance.now();
      const sample = await contender.measure(engines, { ...options, round });
      samples.get(contender.name)?.push(sample);
      const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
      progress(
        `${row.name} ${round + 1}/${options.rounds} ${contender.name}: ${sample.value.toFixed(2)} ${row.unit} (took ${seconds} s)`,
      );
    }
  }
  return { ...judge({ ...row, contenders }, samples), skipped };
}

/** The contenders of this machine, and the others by name and reason. */
async function present(row: Row): Promise<{ contenders: Contender[]; skipped: string[] }> {
  const contenders: Contender[] = [];
  const skipped: string[] = [];
  for (const contender of row.contenders) {
    const why = await contender.missing?.();
    if (why === undefined) contenders.push(contender);
    else skipped.push(`${contender.name}: ${why}`);
  }
  return { contenders, skipped };
}

/** What the samples say, and whether they may say anything. */
export function judge(row: Row, samples: ReadonlyMap<string, readonly Sample[]>): Omit<RowResult, "skipped"> {
  const figures = row.contenders.map(({ name }) => {
    const own = samples.get(name) ?? [];
    return { contender: name, samples: own, median: median(own.map(({ value }) => value)) };
  });
  const [ours, ...others] = figures;
  const ratios = others.map(({ contender, samples: theirs }) => {
    const rounds = theirs.map(({ value }, round) => value / (ours?.samples[round]?.value ?? Number.NaN));
    const atLeast = row.targets.find(({ against }) => against === contender)?.atLeast;
    const middle = median(rounds);
    return {
      against: contender,
      rounds,
      median: middle,
      atLeast,
      isMet: atLeast === undefined ? undefined : middle >= atLeast,
    };
  });
  const voids = [...figures.flatMap(voidsOf), ...ratios.filter(isJudged).flatMap(spreadOf)];
  const { name, title, unit, ceiling } = row;
  const limit =
    ceiling === undefined
      ? {}
      : { ceiling: { atMost: ceiling, isMet: (ours?.median ?? Number.NaN) <= ceiling } };
  return { name, title, unit, figures, ratios, ...limit, voids };
}

function voidsOf({ contender, samples }: Figures): string[] {
  const faults = samples.reduce((sum, sample) => sum + sample.faults, 0);
  const share = Math.max(0, ...samples.map(({ generatorShare }) => generatorShare));
  return [
    ...(faults > 0
      ? [`${contender} has ${faults} faults: lost, doubled, out of order, or what the row calls one`]
      : []),
    ...(share > GENERATOR_SHARE_MAX
      ? [`the generator took ${Math.round(share * 100)} % of a core with ${contender}`]
      : []),
  ];
}

/** One without a target is there to be looked at. */
function isJudged({ atLeast }: Ratio): boolean {
  return atLeast !== undefined;
}

function spreadOf({ against, rounds, median: middle }: Ratio): string[] {
  const spread = (Math.max(...rounds) - Math.min(...rounds)) / 2 / middle;
  return spread > SPREAD_MAX ? [`the ratio to ${against} varies by ±${Math.round(spread * 100)} %`] : [];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
