/** A small fault ledger on every run: other faults each time, by a seed that is printed. `npm run faults` is the large one. */
import { expect, test } from "vitest";
import { describeEngine } from "../engines.ts";
import { runLedger } from "../ledger/run.ts";

describeEngine(["control"], "the fault ledger", () => {
  test("[G1] [G2] [G3] [G4] [G5] [G6] [G7] [G8] [G11] 20 faults under load: nothing lost, doubled or out of order", async () => {
    const seed = Date.now() % 1_000_000;
    const log = (line: string) => console.log(line);
    log(`npm run faults -- --seed ${seed} --faults 20 --clients 60 --rate 100`);
    const entries = await runLedger({ seed, faults: 20, clients: 60, perSecond: 100, log });
    expect(entries).toHaveLength(20);
    expect(entries.every(({ messages }) => messages > 0)).toBe(true);
    expect(entries.flatMap(({ findings }) => findings)).toEqual([]);
  }, 900_000);
});
