/** Measures curves round by round and draws each as an SVG, with the figures of all in one JSON beside them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../compare.ts";
import { startBenchEngines, type BenchEngines } from "../engines.ts";
import { describeMachine } from "../machine.ts";
import { drawChart, type ChartPoint } from "./chart.ts";
import type { Curve, Figures } from "./curve.ts";
import { CURVES } from "./curves.ts";

export interface CurvesOptions {
  /** All of them where none is named. */
  readonly names: readonly string[];
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly out: string;
}

interface Measured {
  readonly x: number;
  readonly rounds: readonly Figures[];
}

/** Answers the names of those that failed. */
export async function runCurves({ names, isQuick, rounds, out }: CurvesOptions): Promise<string[]> {
  const curves = CURVES.filter(({ name }) => names.length === 0 || names.includes(name));
  mkdirSync(out, { recursive: true });
  const results: object[] = [];
  const failed: string[] = [];
  for (const curve of curves) {
    // Engines of their own, so that no curve carries what an earlier one has left in them.
    const engines = await startBenchEngines();
    try {
      const points = await measureCurve(curve, engines, isQuick, rounds);
      writeFileSync(join(out, `${curve.name}.svg`), drawCurve(curve, points));
      results.push({ name: curve.name, title: curve.title, panels: curve.panels, points });
    } catch (error) {
      console.error(error);
      failed.push(curve.name);
    } finally {
      await engines.end();
    }
  }
  const report = { machine: describeMachine(), at: new Date().toISOString(), rounds, curves: results };
  writeFileSync(join(out, "curves.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  return failed;
}

/** All points in each round, there and back, so that what changes on the machine meets all of them. */
async function measureCurve(
  curve: Curve,
  engines: BenchEngines,
  isQuick: boolean,
  rounds: number,
): Promise<Measured[]> {
  const points = (isQuick ? curve.xs.quick : curve.xs.full).map((x) => ({ x, rounds: [] as Figures[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { x, rounds: seen } of round % 2 === 0 ? points : points.toReversed()) {
      const figures = await curve.measure(x, engines, { isQuick });
      seen.push(figures);
      const text = figures.values.map((value, index) => `${value.toFixed(2)} ${curve.panels[index]}`);
      console.error(`${curve.name} ${round + 1}/${rounds} ${x}: ${text.join(", ")}${noteOf(figures)}`);
    }
  }
  return points;
}

function noteOf({ isVoid }: Figures): string {
  return isVoid ? " (void: faults, or the generator at its limit)" : "";
}

export function drawCurve({ title, xTitle, panels }: Curve, points: readonly Measured[]): string {
  const drawn = panels.map((panel, index) => ({
    title: panel,
    points: points.map((point) => toChartPoint(point, index)),
  }));
  return drawChart({ title, xTitle, panels: drawn });
}

function toChartPoint({ x, rounds }: Measured, panel: number): ChartPoint {
  const values = rounds.map(({ values: all }) => all[panel] ?? Number.NaN);
  return {
    x,
    y: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    isVoid: rounds.some(({ isVoid }) => isVoid),
  };
}
