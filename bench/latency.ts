/** Latency rows: from the moment a message was to be sent to its receipt on the other node, under a steady rate. */
import { generate, jobFor } from "./fan-out.ts";
import type { Contender, Row } from "./row.ts";
import { startBaseline, startSkat, type StartSystem } from "./systems.ts";

const CLIENTS = 200;

export function latencyRow(percentile: "p50" | "p99", perSecond: number): Row {
  return {
    name: `latency-${perSecond}-${percentile}`,
    title: `send → receive over two nodes, ${perSecond} messages/s to ${CLIENTS} clients, ${percentile}`,
    unit: "ms",
    contenders: [
      latency("skat", startSkat, percentile, perSecond),
      latency("baseline", startBaseline, percentile, perSecond),
    ],
    targets: [{ against: "baseline", atLeast: 1 / 0.8 }],
  };
}

function latency(name: string, start: StartSystem, percentile: "p50" | "p99", perSecond: number): Contender {
  return {
    name,
    measure: async (engines, { isQuick }) => {
      const system = await start(engines, 2);
      try {
        const outcome = await generate({
          ...jobFor(system, CLIENTS),
          load: { kind: "open", perSecond },
          warmUpMs: isQuick ? 1_000 : 2_000,
          timedMs: isQuick ? 3_000 : 10_000,
        });
        const { p50 = 0, p99 = 0, max = 0 } = outcome.latency ?? {};
        return {
          value: percentile === "p50" ? p50 : p99,
          faults: outcome.lost + outcome.doubled + outcome.misordered,
          generatorShare: outcome.generatorShare,
          more: { "p50 ms": p50, "p99 ms": p99, "max ms": max },
        };
      } finally {
        await system.end();
      }
    },
  };
}
