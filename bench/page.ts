/** Page rows: what a reader in a real browser waits for, and what a message costs the page, in a short room and in a long one. */
import { findChromium } from "../scripts/engines/find.ts";
import { median } from "./compare.ts";
import { runGenerator } from "./generate.ts";
import type { Live, PageFigures, PageJob } from "./page-job.ts";
import { oncePerRound, type Contender, type Row } from "./row.ts";
import { startSkatAs } from "./systems.ts";

const RECEIVED = { quick: [5_000, 10_000], full: [10_000, 20_000] } as const;
const LOADED = { quick: 3_000, full: 10_000 };
const LIVE_MS = { quick: 4_000, full: 10_000 };
/** A name that only the browser knows: the node must be told where its page is before it has a port. */
const ORIGIN = "http://page.localhost";
/** Of a message of 200 bytes: its frame, and what the page says of having read it. */
const WIRE_BYTES_MAX = 500;

const start = startSkatAs({ ALLOWED_ORIGINS: ORIGIN });

const figures = oncePerRound(async (engines, { isQuick }) => {
  const length = isQuick ? "quick" : "full";
  const system = await start(engines, 1);
  try {
    const job: PageJob = {
      url: `http://127.0.0.1:${system.ports[0]}`,
      origin: ORIGIN,
      received: RECEIVED[length],
      loaded: LOADED[length],
      liveMs: LIVE_MS[length],
    };
    return await runGenerator<PageFigures>("../../web/test/page-figures", job);
  } finally {
    await system.end();
  }
});

const MB = 1e6;
const inLong = `with ${LOADED.full} messages loaded (--quick: ${LOADED.quick})`;

export const pageRows: readonly Row[] = [
  {
    name: "page-echo",
    title: `the page, ${inLong}: from a click to the frame with one's own words`,
    unit: "frames",
    contenders: [
      figure(
        "skat",
        ({ echoes }) => median(echoes.map(({ frames }) => frames)),
        ({ echoes }) => ({
          "ms, median": median(echoes.map(({ ms }) => ms)),
        }),
      ),
    ],
    targets: [],
    ceiling: 1,
  },
  {
    name: "page-live",
    title: `the page, ${inLong}, 50 messages/s: what a message costs it; against a room of 50`,
    unit: "ms CPU/message",
    contenders: [
      figure(
        "skat",
        ({ long }) => long.cpuMsPerMessage,
        ({ long }) => seen(long),
      ),
      figure(
        "a short room",
        ({ short }) => short.cpuMsPerMessage,
        ({ short }) => seen(short),
      ),
    ],
    targets: [{ against: "a short room", atLeast: 1 / 1.3 }],
  },
  {
    name: "page-burst",
    title: "the page, a burst of 500 messages: tasks of more than 50 ms of CPU",
    unit: "tasks",
    contenders: [
      figure(
        "skat",
        ({ burst }) => burst.long,
        ({ burst }) => ({
          tasks: burst.tasks,
          "ms CPU, the longest": burst.longestMs,
        }),
      ),
    ],
    targets: [],
    ceiling: 0,
  },
  {
    name: "page-memory",
    title: `the page's heap after ${RECEIVED.full[1]} messages received (--quick: ${RECEIVED.quick[1]}); against half of them`,
    unit: "MB",
    contenders: [
      figure("skat", ({ heapBytes: [, all] }) => all / MB, grown),
      figure("half of them", ({ heapBytes: [half] }) => half / MB, grown),
    ],
    targets: [{ against: "half of them", atLeast: 1 / 1.2 }],
  },
  {
    name: "page-bytes",
    title: "the page's socket, both ways, for each message received of 200 B, at 50 messages/s",
    unit: "B",
    contenders: [
      figure(
        "skat",
        ({ long }) => long.bytesPerMessage,
        ({ short }) => ({
          "B in a short room": short.bytesPerMessage,
        }),
      ),
    ],
    targets: [],
    ceiling: WIRE_BYTES_MAX,
  },
];

function grown({ heapBytes: [half, all] }: PageFigures): Record<string, number> {
  return { "MB grown by the second half": (all - half) / MB };
}

function seen({ paintMs }: Live): Record<string, number> {
  const sorted = paintMs.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { "ms to paint, median": at(0.5), "ms to paint, p99": at(0.99) };
}

/** The browser is what is measured: nothing generates beside it. */
function figure(
  name: string,
  value: (seen: PageFigures) => number,
  more: (seen: PageFigures) => Record<string, number> = () => ({}),
): Contender {
  return {
    name,
    missing: async () => (findChromium() === undefined ? "it needs Chromium" : undefined),
    measure: async (...given) => {
      const outcome = await figures(...given);
      return { value: value(outcome), faults: 0, generatorShare: 0, more: more(outcome) };
    },
  };
}
