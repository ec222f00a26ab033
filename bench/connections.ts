/** What a connection costs: CPU to open it and to join a room, and memory while nothing happens. */
import { runGenerator } from "./generate.ts";
import type { ConnectionsJob, ConnectionsOutcome } from "./generator/connections.ts";
import { oncePerRound, type Contender, type Row } from "./row.ts";
import { startBaseline, startSkat, type StartSystem } from "./systems.ts";

const CLIENTS = { quick: 1_000, full: 5_000 };
const WARM = 500;

const measured = [
  { name: "skat", outcome: connections(startSkat) },
  { name: "baseline", outcome: connections(startBaseline) },
];

export const connectionRows: readonly Row[] = [
  {
    name: "connect",
    title: `upgrade, sign-in and join of one connection, ${CLIENTS.full} of them (--quick: ${CLIENTS.quick})`,
    unit: "µs CPU",
    contenders: contenders(({ connectUs }) => connectUs),
    targets: [{ against: "baseline", atLeast: 1 / 0.5 }],
  },
  {
    name: "idle",
    title: `one idle connection of those`,
    unit: "KB RSS",
    contenders: contenders(({ rssBytes }) => rssBytes / 1024),
    targets: [{ against: "baseline", atLeast: 1 / 0.55 }],
  },
];

function contenders(figure: (outcome: ConnectionsOutcome) => number): Contender[] {
  return measured.map(({ name, outcome }) => ({
    name,
    measure: async (engines, options) => {
      const seen = await outcome(engines, options);
      const { lost, generatorShare, connectUs, connectsPerSecond, rssBytes, idleUs } = seen;
      const more = {
        "µs CPU/connect": connectUs,
        "connects/s": connectsPerSecond,
        "KB RSS/connection": rssBytes / 1024,
        "µs CPU/s/idle connection": idleUs,
      };
      return { value: figure(seen), faults: lost, generatorShare, more };
    },
  }));
}

function connections(start: StartSystem) {
  return oncePerRound(async (engines, { isQuick }) => {
    const system = await start(engines, 1);
    try {
      const job: ConnectionsJob = {
        port: system.ports[0] ?? 0,
        dialect: system.dialect,
        token: system.token,
        room: system.room,
        pid: system.pids[0] ?? 0,
        warm: WARM,
        clients: isQuick ? CLIENTS.quick : CLIENTS.full,
        idleMs: isQuick ? 1_000 : 5_000,
      };
      return await runGenerator<ConnectionsOutcome>("connections", job);
    } finally {
      await system.end();
    }
  });
}
