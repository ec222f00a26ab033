/** `npm run capacity`: what a deployment of a given size needs, by the formulas of docs/capacity.md. */
import { costOf } from "./capacity/cost.ts";
import { DemandError, readDemand } from "./capacity/demand.ts";
import { figuresOf, pricesOf, readData, withBench, withSet } from "./capacity/figures.ts";
import { planFor } from "./capacity/formulas.ts";
import { notesOn, tell } from "./capacity/tell.ts";

try {
  console.log(capacity(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof DemandError)) throw error;
  console.error(`${error.message}\n\nnpm run capacity -- --help says what there is.`);
  process.exitCode = 2;
}

function capacity(words: readonly string[]): string {
  const { demand, isJson, figuresFile, set } = readDemand(words);
  const measured =
    figuresFile === undefined ? { data: readData(), notes: [] } : withBench(readData(), figuresFile);
  const data = withSet(measured.data, set);
  const figures = figuresOf(data);
  const plan = planFor(demand, figures);
  const cost = costOf(plan, demand, figures, pricesOf(data));
  const notes = [...measured.notes, ...notesOn(plan, demand)];
  return isJson
    ? JSON.stringify({ demand, plan, cost, notes, ...data }, undefined, 2)
    : tell(plan, cost, data, notes);
}
