/** A process of `npm run simulate`: runs its share of the seeds and sends each outcome to the one that started it. */
import type { Sent, Share } from "./jobs.ts";
import { planOf } from "./plan.ts";
import { run } from "./run.ts";

// Whoever started it has ended: nobody would hear.
process.once("disconnect", () => process.exit());

const { first, step, end } = JSON.parse(process.argv[2] ?? "") as Share;
for (let seed = first; seed < end; seed += step) {
  const { coverage, ...rest } = await run(planOf(seed));
  const sent: Sent = { ...rest, counts: coverage.entries() };
  await new Promise((resolve) => process.send?.(sent, undefined, {}, resolve));
}
process.disconnect();
