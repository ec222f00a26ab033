/** Latency rows: from the moment a message was to be sent to its receipt on the other node, under a steady rate. */
import { jobFor } from "./fan-out.ts";
import { generate } from "./generate.ts";
import { oncePerRound, type Contender, type Row } from "./row.ts";
import { startBaseline, startSkat, type StartSystem } from "./systems.ts";

const CLIENTS = 200;
const PERCENTILES = ["p50", "p99"] as const;

/** One row for each percentile, both of the same measurements. */
export function latencyRows(perSecond: number): Row[] {
  const measured = [
    { name: "skat", sample: latency(startSkat, perSecond) },
    { name: "baseline", sample: latency(startBaseline, perSecond) },
  ];
  return PERCENTILES.map((percentile) => ({
    name: `latency-${perSecond}-${percentile}`,
    title: `send → receive over two nodes, ${perSecond} messages/s to ${CLIENTS} clients, ${percentile}`,
    unit: "ms",
    contenders: measured.map(({ name, sample }): Contender => ({
      name,
      measure: async (engines, options) => {
        const seen = await sample(engines, options);
        return { ...seen, value: seen.more[`${percentile} ms`] ?? Number.NaN };
      },
    })),
    targets: [{ against: "baseline", atLeast: 1 / 0.8 }],
    isLong: perSecond > 500,
  }));
}

function latency(start: StartSystem, perSecond: number) {
  return oncePerRound(async (engines, { isQuick }) => {
    const system = await start(engines, 2);
    try {
      const outcome = await generate({
        ...jobFor(system, CLIENTS),
        load: { kind: "open", perSecond },
        warmUpMs: isQuick ? 1_000 : 2_000,
        timedMs: isQuick ? 3_000 : 8_000,
      });
      const { p50 = 0, p99 = 0, max = 0 } = outcome.latency ?? {};
      return {
        faults: outcome.lost + outcome.doubled + outcome.misordered,
        generatorShare: outcome.generatorShare,
        more: { "p50 ms": p50, "p99 ms": p99, "max ms": max },
      };
    } finally {
      await system.end();
    }
  });
}
