/** Soak: many minutes at half load, with what must not grow sampled on the way; the last quarter against the first. */
import { setTimeout as sleep } from "node:timers/promises";
import { jobFor } from "./fan-out.ts";
import { generate } from "./generate.ts";
import type { Outcome } from "./generator/job.ts";
import { openHandles, rssBytes } from "./machine.ts";
import { median } from "./compare.ts";
import { oncePerRound, type Contender, type Row, type RowOptions } from "./row.ts";
import { startSkat, type System } from "./systems.ts";

const CLIENTS = 200;
/** About half of what two cores can do, generator, consumer and engines among them. */
const PER_SECOND = 200;
const SAMPLE_MS = 5_000;
const WARM_UP_MS = 20_000;

interface Look {
  readonly rssBytes: number;
  readonly handles: number;
  /** Since the look before. */
  readonly loopP99Ms: number;
}

type Figure = (look: Look) => number;

export const soakRows: readonly Row[] = [
  soakRow("soak-memory", "resident memory of a node", "MB", ({ rssBytes: bytes }) => bytes / 1e6, 1.1),
  soakRow("soak-handles", "open handles of a node", "handles", ({ handles }) => handles, 1.01),
  soakRow("soak-loop", "event-loop delay of a node, p99", "ms", ({ loopP99Ms }) => loopP99Ms, 1.2),
];

const soak = oncePerRound(async (engines, options) => {
  const system = await startSkat(engines, 2);
  try {
    return await watchUnderLoad(system, options);
  } finally {
    await system.end();
  }
});

/** All three read one soak. Flat: the last quarter's median is at most `flat` times the first's. */
function soakRow(name: string, what: string, unit: string, figure: Figure, flat: number): Row {
  return {
    name,
    title: `soak at ${PER_SECOND} messages/s to ${CLIENTS} clients on two nodes: ${what}, last quarter against first`,
    unit,
    contenders: [
      quarter("last quarter", figure, (looks) => looks.slice(-Math.ceil(looks.length / 4))),
      quarter("first quarter", figure, (looks) => looks.slice(0, Math.ceil(looks.length / 4))),
    ],
    targets: [{ against: "first quarter", atLeast: 1 / flat }],
    isByName: true,
  };
}

function quarter(name: string, figure: Figure, of: (looks: readonly Look[]) => readonly Look[]): Contender {
  return {
    name,
    measure: async (engines, options) => {
      const { outcome, looks } = await soak(engines, options);
      const { lost, doubled, misordered, generatorShare, latency } = outcome;
      return {
        value: median(of(looks).map(figure)),
        faults: lost + doubled + misordered,
        generatorShare,
        more: {
          minutes: outcome.timedMs / 60_000,
          messages: outcome.messages,
          "p99 ms": latency?.p99 ?? Number.NaN,
          most: Math.max(...of(looks).map(figure)),
        },
      };
    },
  };
}

async function watchUnderLoad(system: System, { minutes }: RowOptions) {
  const timedMs = minutes * 60_000;
  let isOver = false;
  const load: Promise<Outcome> = generate({
    ...jobFor(system, CLIENTS),
    load: { kind: "open", perSecond: PER_SECOND },
    warmUpMs: WARM_UP_MS,
    timedMs,
  }).finally(() => (isOver = true));
  load.catch(() => {}); // whoever awaits it below is told
  await sleep(WARM_UP_MS);
  const looks: Look[] = [];
  const endMs = performance.now() + timedMs;
  while (!isOver && performance.now() < endMs) {
    looks.push(await look(system));
    await sleep(Math.min(SAMPLE_MS, timedMs / 20));
  }
  return { outcome: await load, looks };
}

/** At the first node, which takes all the messages. */
async function look({ ports, pids }: System): Promise<Look> {
  const [pid = 0] = pids;
  const text = await (await fetch(`http://127.0.0.1:${ports[0]}/metrics`)).text();
  const seconds = Number(/^\S*eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
  return { rssBytes: rssBytes(pid), handles: openHandles(pid), loopP99Ms: seconds * 1000 };
}
