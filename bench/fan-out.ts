/** Fan-out rows: CPU of the servers for each delivery, while as many messages are in flight as the row says. */
import type { BenchEngines } from "./engines.ts";
import { generate } from "./generate.ts";
import type { Contender, Row, RowOptions, Sample } from "./row.ts";
import { startBaseline, startSkat, type StartSystem, type System } from "./systems.ts";

const BODY_BYTES = 200;
/** As long as a message may be. */
export const BODY_BYTES_LARGE = 8_000;

export interface FanOut {
  readonly clients: number;
  readonly nodes: number;
  readonly inFlight: number;
}

/** `peers`: others to measure beside the two. */
export function fanOutRow(
  name: string,
  shape: FanOut,
  targets: Row["targets"],
  peers: readonly Contender[] = [],
): Row {
  const { clients, nodes, inFlight } = shape;
  const where = nodes === 1 ? "one node" : `${nodes} nodes through Redis`;
  return {
    name,
    title: `fan-out, ${clients} members, ${BODY_BYTES} B, ${inFlight} in flight, ${where}`,
    unit: "µs CPU/delivery",
    contenders: [fanOut("skat", startSkat, shape), fanOut("baseline", startBaseline, shape), ...peers],
    targets,
  };
}

export function fanOut(name: string, start: StartSystem, shape: FanOut): Contender {
  return {
    name,
    measure: async (engines: BenchEngines, options: RowOptions) => {
      const system = await start(engines, shape.nodes);
      try {
        return await measure(system, shape, options);
      } finally {
        await system.end();
      }
    },
  };
}

async function measure(
  system: System,
  { clients, inFlight }: FanOut,
  { isQuick }: RowOptions,
): Promise<Sample> {
  const outcome = await generate({
    ...jobFor(system, clients),
    load: { kind: "closed", inFlight },
    warmUpMs: isQuick ? 1_000 : 2_000,
    timedMs: isQuick ? 2_000 : 4_000,
  });
  const cpu = outcome.cpuUs.reduce((sum, used) => sum + used, 0);
  return {
    value: cpu / outcome.deliveries,
    faults: outcome.lost + outcome.doubled + outcome.misordered,
    generatorShare: outcome.generatorShare,
    more: {
      "deliveries/s": (outcome.deliveries / outcome.timedMs) * 1000,
      "bytes/delivery": outcome.bytesPerDelivery,
      "share of a core": cpu / 1000 / outcome.timedMs,
    },
  };
}

export function jobFor({ ports, dialect, token, room, pids }: System, clients: number) {
  return { ports, dialect, token, room, pids, clients, bodyBytes: BODY_BYTES };
}
