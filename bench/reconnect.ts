/**
 * Reconnect rows: one of two nodes dies, and all its clients come back to the other and resume.
 *
 * Ours is killed. The baseline's node ends in good order instead, since it notes what a client needs to recover only then: killed,
 * its clients recover nothing.
 */
import type { BenchEngines } from "./engines.ts";
import { runGenerator } from "./generate.ts";
import type { StormJob, StormOutcome } from "./generator/storm.ts";
import { makeRooms } from "../functions/test/harness.ts";
import { oncePerRound, type Row, type RowOptions, type Sample } from "./row.ts";
import { startRecoveringBaseline, startSkat, type StartSystem, type System } from "./systems.ts";

const CLIENTS = { quick: 500, full: 2_000 };
const MISSED = 10;
const SEVERAL_ROOMS = 10;
const WHOLE_MS_MAX = 3_000;
/** For each client; were they asked for each of them, it would be one at least. */
const QUESTIONS_MAX = 0.2;

type Outcome = StormOutcome & { readonly clients: number };

const ours = oncePerRound(storm(startSkat, "SIGKILL", 1));
const theirs = oncePerRound(storm(startRecoveringBaseline, "SIGTERM", 1));

export const reconnectRows: readonly Row[] = [
  {
    name: "reconnect",
    title: `${CLIENTS.full} (--quick: ${CLIENTS.quick}) clients of a node that died come back to the other, ${MISSED} messages missed`,
    unit: "µs CPU/client",
    contenders: [
      { name: "skat", measure: async (...given) => byCpu(await ours(...given)) },
      { name: "baseline", measure: async (...given) => byCpu(await theirs(...given)) },
    ],
    targets: [{ against: "baseline", atLeast: 1 / 0.5 }],
    isLong: true,
  },
  {
    name: "reconnect-whole",
    title: "until every one of them has all it missed",
    unit: "ms",
    contenders: [
      { name: "skat", measure: async (...given) => byTime(await ours(...given)) },
      { name: "baseline", measure: async (...given) => byTime(await theirs(...given)) },
    ],
    targets: [],
    ceiling: WHOLE_MS_MAX,
    isLong: true,
  },
  {
    name: "reconnect-asks",
    title: `what they ask Redis and PostgreSQL: by rooms, not by clients; also from ${SEVERAL_ROOMS} rooms each`,
    unit: "questions/client",
    contenders: [
      { name: "skat", measure: async (...given) => byQuestions(await ours(...given)) },
      { name: "baseline", measure: async (...given) => byQuestions(await theirs(...given)) },
      {
        name: `${SEVERAL_ROOMS} rooms`,
        measure: async (...given) => byQuestions(await storm(startSkat, "SIGKILL", SEVERAL_ROOMS)(...given)),
      },
    ],
    targets: [],
    ceiling: QUESTIONS_MAX,
    isLong: true,
  },
];

function storm(start: StartSystem, death: StormJob["death"], rooms: number) {
  return async (engines: BenchEngines, { isQuick }: RowOptions): Promise<Outcome> => {
    const system = await start(engines, 2);
    try {
      const { dialect, token, ports, pids } = system;
      if (dialect !== "skat" && dialect !== "socket.io") throw new Error(`${dialect} can't resume`);
      const job: StormJob = {
        dialect,
        token,
        rooms: await roomsOf(system, rooms),
        ports: pairOf(ports),
        pids: pairOf(pids),
        death,
        clients: isQuick ? CLIENTS.quick : CLIENTS.full,
        missed: MISSED,
        redisUrl: engines.redisUrl,
        databaseUrl: engines.databaseUrl,
      };
      return { ...(await runGenerator<StormOutcome>("storm", job)), clients: job.clients };
    } finally {
      await system.end();
    }
  };
}

async function roomsOf({ room, ports }: System, count: number): Promise<string[]> {
  return count === 1 ? [room] : makeRooms(`http://127.0.0.1:${ports[0]}`, count);
}

function pairOf([first = 0, second = 0]: readonly number[]): [number, number] {
  return [first, second];
}

function byCpu(outcome: StormOutcome): Sample {
  return toSample(outcome, outcome.cpuUsPerClient);
}

function byTime(outcome: StormOutcome): Sample {
  return toSample(outcome, outcome.wholeMs);
}

/** At least one was asked: what is asked meanwhile anyway is only estimated. */
function byQuestions(outcome: Outcome): Sample {
  const asked = Math.max(1, outcome.redisCommands + outcome.postgresTransactions);
  return toSample(outcome, asked / outcome.clients);
}

function toSample(outcome: StormOutcome, value: number): Sample {
  return {
    value,
    faults: outcome.lost + outcome.doubled,
    generatorShare: outcome.generatorShare,
    more: {
      "µs CPU/client": outcome.cpuUsPerClient,
      "ms until whole": outcome.wholeMs,
      "joins put off": outcome.refused,
      "Redis commands": outcome.redisCommands,
      "PostgreSQL transactions": outcome.postgresTransactions,
    },
  };
}
