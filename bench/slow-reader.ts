/** A client that stops reading among five hundred: the others must not notice, and the node's memory must not follow. */
import { BODY_BYTES_LARGE, jobFor } from "./fan-out.ts";
import { generate } from "./generate.ts";
import type { Contender, Row } from "./row.ts";
import { startSkatAs } from "./systems.ts";

const CLIENTS = 500;
/** 80 MB/s over all clients: at twice that, node and generator need the whole of two cores, and latency is that of a queue. */
const PER_SECOND = 20;
/** Until 4.2 MB of the kernel and the node's own buffer behind them are full, which takes 30 s, and some more. */
const TIMED_MS = 36_000;
/** Small, so that it is full soon after the kernel's own buffers are. */
const BUFFER_BYTES_MAX = 512 * 1024;

export const slowReaderRow: Row = {
  name: "slow-reader",
  title: `one of ${CLIENTS} stops reading, ${PER_SECOND} messages/s of ${BODY_BYTES_LARGE} B: the others' p99`,
  unit: "ms",
  contenders: [reader("skat", 1), reader("all read", 0)],
  targets: [{ against: "all read", atLeast: 1 / 1.2 }],
  isLong: true,
};

const start = startSkatAs({ BUFFER_BYTES_MAX: String(BUFFER_BYTES_MAX) });

/** What waits for a slow client is bounded by closing it: one that is still there was given more than its buffer. */
function reader(name: string, slow: number): Contender {
  return {
    name,
    measure: async (engines) => {
      const system = await start(engines, 1);
      try {
        const outcome = await generate({
          ...jobFor(system, CLIENTS),
          bodyBytes: BODY_BYTES_LARGE,
          slow,
          load: { kind: "open", perSecond: PER_SECOND },
          warmUpMs: 2_000,
          timedMs: TIMED_MS,
        });
        const { lost, doubled, misordered, generatorShare, rssGrownBytes, slowClosed, latency } = outcome;
        return {
          value: latency?.p99 ?? Number.NaN,
          faults: lost + doubled + misordered + (slow - slowClosed),
          generatorShare,
          more: {
            "p50 ms": latency?.p50 ?? Number.NaN,
            "MB RSS grown": rssGrownBytes / 1e6,
            "slow readers closed": slowClosed,
          },
        };
      } finally {
        await system.end();
      }
    },
  };
}
