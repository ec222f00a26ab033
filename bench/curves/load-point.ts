/** One point of a curve of load: what a delivery costs and what the nodes hold, with one thing more or less of it than usual. */
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { makeRooms } from "../../functions/test/harness.ts";
import { GENERATOR_SHARE_MAX } from "../compare.ts";
import type { BenchEngines } from "../engines.ts";
import { jobFor } from "../fan-out.ts";
import { generate } from "../generate.ts";
import type { HolderJob } from "../generator/holder.ts";
import { rssBytes } from "../machine.ts";
import { firstLine, kill, startSkatAs, type System } from "../systems.ts";
import type { CurveOptions, Figures } from "./curve.ts";

export interface Load {
  /** Of the room in which is talked. */
  readonly members: number;
  readonly nodes: number;
  /** Open on the first node, that one among them. */
  readonly rooms: number;
  /** Of the first node, those of the members among them. */
  readonly connections: number;
  readonly bodyBytes: number;
}

const IN_FLIGHT = 4;
/** Rooms that one quiet connection has joined. */
const ROOMS_EACH = 100;

const start = startSkatAs({
  RATE_ROOMS_MADE: "none",
  RATE_UPGRADES: "none",
  ROOMS_PER_SESSION_MAX: String(ROOMS_EACH),
});

export async function measureLoad(
  load: Load,
  engines: BenchEngines,
  { isQuick }: CurveOptions,
): Promise<Figures> {
  const system = await start(engines, load.nodes);
  let holder: ChildProcess | undefined;
  try {
    holder = await hold(system, await quietOf(load, system));
    const outcome = await generate({
      ...jobFor(system, load.members),
      bodyBytes: load.bodyBytes,
      load: { kind: "closed", inFlight: IN_FLIGHT },
      warmUpMs: isQuick ? 1_000 : 3_000,
      timedMs: isQuick ? 2_000 : 6_000,
    });
    const { lost, doubled, misordered, deliveries, generatorShare } = outcome;
    const cpuUs = outcome.cpuUs.reduce((sum, used) => sum + used, 0);
    const rss = system.pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
    return {
      values: [cpuUs / deliveries, rss / 1e6],
      isVoid: lost + doubled + misordered > 0 || generatorShare > GENERATOR_SHARE_MAX,
    };
  } finally {
    if (holder) await kill(holder);
    await system.end();
  }
}

/** The rooms of each quiet connection: they keep rooms open, or are only there. */
async function quietOf({ members, rooms, connections }: Load, { ports }: System): Promise<string[][]> {
  const url = `http://127.0.0.1:${ports[0]}`;
  const count = Math.max(rooms - 1, connections > members ? 1 : 0);
  const ids = count === 0 ? [] : await makeRooms(url, count);
  if (connections > members) return Array.from({ length: connections - members }, () => ids);
  return Array.from({ length: Math.ceil(ids.length / ROOMS_EACH) }, (_, index) =>
    ids.slice(index * ROOMS_EACH, (index + 1) * ROOMS_EACH),
  );
}

async function hold({ ports, token }: System, rooms: string[][]): Promise<ChildProcess | undefined> {
  if (rooms.length === 0) return undefined;
  const file = fileURLToPath(new URL("../generator/holder.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["pipe", "pipe", "inherit"] });
  const job: HolderJob = { port: ports[0] ?? 0, token, rooms };
  child.stdin.write(`${JSON.stringify(job)}\n`);
  await firstLine(child, "holder");
  return child;
}
