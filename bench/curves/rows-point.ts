/** One point of the curve of rows: a page from a room of so many messages, the newest and anywhere in it. */
import type { BenchEngines } from "../engines.ts";
import { anywhere, byStore, first, makeWorld, measurePages } from "../history.ts";
import type { CurveOptions, Figures } from "./curve.ts";

export async function measureRows(
  rows: number,
  engines: BenchEngines,
  options: CurveOptions,
): Promise<Figures> {
  const world = await makeWorld(engines, rows);
  const newest = await measurePages(world, byStore, first, options);
  const deep = await measurePages(world, byStore, anywhere, options);
  return {
    values: [newest, deep].map(({ more }) => more["p50 ms"] ?? Number.NaN),
    isVoid: newest.faults + deep.faults > 0,
  };
}
