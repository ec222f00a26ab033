/**
 * Fast servers of others, and the floor: what a machine can make of their sources is built into dist/bench, and what it
 * can't is said. None of them stores anything; Centrifuge keeps history, from which it recovers.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../scripts/engines/ports.ts";
import type { BenchEngines } from "./engines.ts";
import { fanOut, type FanOut } from "./fan-out.ts";
import type { Contender } from "./row.ts";
import { firstLine, kill, type System } from "./systems.ts";

const SOURCES = fileURLToPath(new URL("peers", import.meta.url));
const BUILT = fileURLToPath(new URL("../dist/bench", import.meta.url));
const BUN_VERSION = "1.4.5";
const BUN = join(BUILT, `bun-${BUN_VERSION}`);
const BUILD_MS = 600_000;

interface Peer {
  readonly name: string;
  readonly dialect: System["dialect"];
  /** What it is built into, and how: a program and its arguments. */
  readonly program: string;
  readonly build: { readonly tool: string; readonly args: readonly string[]; readonly cwd: string };
  /** Left as it is then; the tools of the others see by themselves what has changed. */
  isBuilt?(): boolean;
  args(port: number, engines: BenchEngines, nodes: number): readonly string[];
}

const centrifuge: Peer = {
  name: "Centrifuge",
  dialect: "centrifuge",
  program: join(BUILT, "centrifuge"),
  build: {
    tool: "go",
    args: ["build", "-o", join(BUILT, "centrifuge"), "."],
    cwd: join(SOURCES, "centrifuge"),
  },
  args: (port, { redisUrl }, nodes) => [`127.0.0.1:${port}`, nodes > 1 ? redisUrl : ""],
};

const bun: Peer = {
  name: "Bun",
  dialect: "plain",
  program: join(BUN, "node_modules/bun/bin/bun.exe"),
  build: {
    tool: "npm",
    args: ["install", "--no-audit", "--no-fund", "--prefix", BUN, `bun@${BUN_VERSION}`],
    cwd: BUILT,
  },
  isBuilt: () => existsSync(BUN),
  args: (port) => [join(SOURCES, "bun.ts"), `${port}`],
};

const floor: Peer = {
  name: "write() in C",
  dialect: "plain",
  program: join(BUILT, "floor"),
  build: {
    tool: "gcc",
    args: ["-O2", "-D_GNU_SOURCE", "-o", join(BUILT, "floor"), join(SOURCES, "floor.c")],
    cwd: BUILT,
  },
  args: (port) => [`${port}`],
};

const built = new Map<Peer, Promise<string | undefined>>();

/** Those that a row can have beside it: only Centrifuge spans nodes. */
export function peersOf(shape: FanOut): Contender[] {
  const peers = shape.nodes > 1 ? [centrifuge] : [centrifuge, bun, floor];
  return peers.map((peer) => ({
    ...fanOut(peer.name, (engines, nodes) => startPeer(peer, engines, nodes), shape),
    missing: () => missing(peer),
  }));
}

/** Builds it, once in a run; answers why that can't be done. */
function missing(peer: Peer): Promise<string | undefined> {
  const known = built.get(peer) ?? build(peer);
  built.set(peer, known);
  return known;
}

async function build({ program, build: { tool, args, cwd }, isBuilt }: Peer): Promise<string | undefined> {
  if (isBuilt?.()) return undefined;
  mkdirSync(BUILT, { recursive: true });
  try {
    await promisify(execFile)(tool, args, { cwd, timeout: BUILD_MS });
    return existsSync(program) ? undefined : `${tool} made no ${program}`;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}

async function startPeer(peer: Peer, engines: BenchEngines, nodes: number): Promise<System> {
  const running: { port: number; child: ChildProcess }[] = [];
  for (let index = 0; index < nodes; index++) {
    const port = await freePort();
    const child = spawn(peer.program, peer.args(port, engines, nodes), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await firstLine(child, peer.name);
    running.push({ port, child });
  }
  return {
    name: peer.name,
    dialect: peer.dialect,
    ports: running.map(({ port }) => port),
    token: "",
    room: "bench",
    pids: running.map(({ child }) => child.pid ?? 0),
    end: async () => void (await Promise.all(running.map(({ child }) => kill(child)))),
  };
}
