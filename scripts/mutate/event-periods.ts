/** What keeps events whole while they are kept in periods, each with a patch that breaks it. */
import type { Mutation } from "./mutations.ts";

const SUITE = "functions/test/event-periods.test.ts";
const PERIODS = "functions/adapters/event-periods-postgres.ts";

export const EVENT_PERIOD_MUTATIONS: readonly Mutation[] = [
  {
    name: "late-carried-over",
    mechanism: "G3 what waited in an outbox outlives the period of its id",
    file: PERIODS,
    edits: [["     INSERT INTO events SELECT * FROM ${name} WHERE position >= ${toBigInt(before)};\n", ""]],
    noticedBy: [SUITE, "pglite.*what waited long"],
  },
  {
    name: "rest-reaches-further",
    mechanism: "ids of a dropped period have a place again",
    file: PERIODS,
    edits: [["  await endRest(session, toMs);\n", ""]],
    noticedBy: [SUITE, "pglite.*what waited long"],
  },
  {
    name: "rest-has-an-end",
    mechanism: "a new period does not read the rest",
    file: PERIODS,
    edits: [["  await endRest(session, endMs);\n", ""]],
    noticedBy: [SUITE, "without reading it"],
  },
  {
    name: "mostly-late-stays",
    mechanism: "nobody waits for many events to be carried over",
    file: PERIODS,
    edits: [["if (await isMostlyLate(session, period, before)) break;", ""]],
    noticedBy: [SUITE, "pglite.*many events that came late"],
  },
  {
    name: "one-at-a-time",
    mechanism: "of several consumers one makes the periods",
    file: PERIODS,
    edits: [["        await session.prepare();\n", ""]],
    noticedBy: [SUITE, "of many consumers"],
  },
  {
    name: "end-that-does-not-hold",
    mechanism: "an end of the rest that ids lie behind is taken back",
    file: PERIODS,
    edits: [["    await session.exec(`${PATIENCE}; ${table} DROP CONSTRAINT ${name}`);\n", ""]],
    noticedBy: [SUITE, "pglite.*refuse nothing"],
  },
  {
    name: "no-period-is-no-poison",
    mechanism: "G3 an event without a period waits for it",
    file: "functions/adapters/store-errors.ts",
    edits: [[" && state !== CHECK_VIOLATION", ""]],
    noticedBy: [SUITE, "pglite.*not put aside as poison"],
  },
];
