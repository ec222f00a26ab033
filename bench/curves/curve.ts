/** One curve: a figure or two, measured along something of which there is more and more. */
import type { BenchEngines } from "../engines.ts";

export interface CurveOptions {
  readonly isQuick: boolean;
}

/** One measurement of one point: a value for each panel. */
export interface Figures {
  readonly values: readonly number[];
  /** Something was lost, or the generator was at its limit. */
  readonly isVoid: boolean;
}

export interface Curve {
  readonly name: string;
  readonly title: string;
  readonly xTitle: string;
  /** With their units. */
  readonly panels: readonly string[];
  readonly xs: { readonly quick: readonly number[]; readonly full: readonly number[] };
  measure(x: number, engines: BenchEngines, options: CurveOptions): Promise<Figures>;
}
