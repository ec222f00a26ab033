/** Part of the fault ledger: a few of its faults, drawn anew for each run, one after the other under load. `npm run faults` is the whole of it. */
import { expect, inject, test } from "vitest";
import { describeEngine } from "../engines.ts";
import { runLedger } from "../ledger/run.ts";

describeEngine(["redis", "kafka", "postgres", "control"], "the fault ledger", () => {
  const { seed, faults } = inject("ledger");

  test(`[G1] [G2] [G3] [G4] [G5] [G6] [G11] ${faults} faults of many kinds: nothing is lost, doubled or out of order`, async () => {
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const entries = await runLedger({ seed, faults, clients: 200, perSecond: 300, log });
    console.log(`LEDGER_SEED=${seed}\n${lines.join("\n")}`);
    const found = entries.flatMap(({ kind, findings }) => findings.map(({ text }) => `${kind}: ${text}`));
    expect(found).toEqual([]);
    expect(entries).toHaveLength(faults);
    for (const { acknowledged, messages } of entries) expect(acknowledged).toBeGreaterThan(messages / 2);
  }, 1_200_000);
});
