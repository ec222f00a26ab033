/** Seeds that once failed, each with what it showed and what mended it. They are run again with every test run. */

export interface Regression {
  readonly seed: number;
  readonly why: string;
}

export const REGRESSIONS: readonly Regression[] = [
  { seed: 2, why: "a message that its node sent again was saved at a place that its sender was never told" },
];
