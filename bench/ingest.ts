/**
 * Ingest rows: records that wait in the log become rows of the store, by our consumer, by the baseline's, and by COPY.
 *
 * Timed from the first rows that are seen to the last, so that the start of a process is in no figure.
 */
import { startConsumer } from "../functions/test/harness.ts";
import { fillBaselineLog, fillLog, fillStreamsAndLog } from "./records.ts";
import { copyRows } from "./copy.ts";
import type { BenchEngines } from "./engines.ts";
import { cpuUs } from "./machine.ts";
import { oncePerRound, type Contender, type Row, type RowOptions, type Sample } from "./row.ts";
import { openStage, type Stage } from "./stage.ts";
import { kill, startProgram } from "./systems.ts";

const RECORDS = { quick: 50_000, full: 200_000 };
const BASELINE_RECORDS = { quick: 1_000, full: 3_000 };
const CATCH_UP_RECORDS = { quick: 50_000, full: 100_000 };

type Counts = typeof RECORDS;

const ours: Contender = {
  name: "skat",
  measure: oncePerRound((engines, options) =>
    onStage(engines, async (stage) => consume(stage, await fillLog(stage, counted(RECORDS, options)))),
  ),
};

export const ingestRows: readonly Row[] = [
  {
    name: "ingest",
    title: "records of the log into rows of the store, one consumer",
    unit: "µs/row",
    contenders: [ours, { name: "baseline", measure: baseline }, { name: "COPY", measure: copy }],
    targets: [
      { against: "baseline", atLeast: 40 },
      { against: "COPY", atLeast: 0.6 },
    ],
  },
  {
    name: "catch-up",
    title: "records that came while no consumer ran, streams full of them too, into rows, against ingest",
    unit: "µs/row",
    contenders: [
      {
        name: "skat",
        measure: (engines, options) =>
          onStage(engines, async (stage) =>
            consume(stage, await fillStreamsAndLog(stage, counted(CATCH_UP_RECORDS, options))),
          ),
      },
      { ...ours, name: "ingest" },
    ],
    targets: [{ against: "ingest", atLeast: 0.8 }],
    isLong: true,
  },
];

function counted(counts: Counts, { isQuick }: RowOptions): number {
  return isQuick ? counts.quick : counts.full;
}

async function onStage(engines: BenchEngines, work: (stage: Stage) => Promise<Sample>): Promise<Sample> {
  const stage = await openStage(engines);
  try {
    return await work(stage);
  } finally {
    await stage.end();
  }
}

/** Our consumer, started on a log that holds so many records. */
async function consume(stage: Stage, records: number): Promise<Sample> {
  const startMs = performance.now();
  const starting = startConsumer(stage.env);
  try {
    const seen = await stage.awaitRows(records);
    const { pid } = await starting;
    return toSample(seen, records, {
      "µs CPU/row": cpuUs(pid) / records,
      "s from the start of the process": (performance.now() - startMs) / 1000,
    });
  } finally {
    await starting.then((consumer) => consumer.kill());
  }
}

function baseline(engines: BenchEngines, options: RowOptions): Promise<Sample> {
  return onStage(engines, async (stage) => {
    const records = counted(BASELINE_RECORDS, options);
    const topic = await fillBaselineLog(engines, records);
    const { databaseUrl, brokers } = engines;
    const { schema } = stage.database;
    const child = await startProgram("baseline/consumer.ts", { databaseUrl, schema, brokers, topic });
    try {
      const seen = await stage.awaitRows(records);
      return toSample(seen, records, { "µs CPU/row": cpuUs(child.pid ?? 0) / records });
    } finally {
      await kill(child);
    }
  });
}

function copy(engines: BenchEngines, options: RowOptions): Promise<Sample> {
  return onStage(engines, async (stage) => {
    const records = counted(RECORDS, options);
    const tookMs = await copyRows(stage, records);
    const seen = { stored: await stage.countRows(), usPerRow: (tookMs * 1000) / records };
    return toSample(seen, records, {});
  });
}

function toSample(
  { stored, usPerRow }: { stored: number; usPerRow: number },
  records: number,
  more: Sample["more"],
): Sample {
  return {
    value: usPerRow,
    faults: Math.abs(records - stored),
    generatorShare: 0,
    more: { "rows/s": 1e6 / usPerRow, rows: stored, ...more },
  };
}
