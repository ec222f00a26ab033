/** Opens connections and keeps them idle, a process of its own: prints what connecting and holding one has cost the servers. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUs, rssBytes } from "../machine.ts";
import { dialectOf, type DialectName } from "./dialect.ts";
import { RawClient } from "./raw-client.ts";

export interface ConnectionsJob {
  readonly port: number;
  readonly dialect: DialectName;
  readonly token: string;
  readonly room: string;
  readonly pid: number;
  /** Connected before anything is measured, so that code is warm. */
  readonly warm: number;
  readonly clients: number;
  readonly idleMs: number;
}

export interface ConnectionsOutcome {
  readonly connectUs: number;
  readonly connectsPerSecond: number;
  readonly rssBytes: number;
  /** CPU of the server for one idle connection in one second. */
  readonly idleUs: number;
  readonly generatorShare: number;
  /** Connections that were gone at the end. */
  readonly lost: number;
}

const CONNECTING_AT_ONCE = 50;
const SETTLE_MS = 2_000;

async function run(job: ConnectionsJob): Promise<ConnectionsOutcome> {
  const { pid, warm, clients, idleMs } = job;
  let lost = 0;
  const open = opener(job, () => lost++);
  await open(warm);
  await sleep(SETTLE_MS);
  const before = { cpu: cpuUs(pid), rss: rssBytes(pid), own: cpuUs(process.pid), atMs: performance.now() };
  await open(clients);
  const tookMs = performance.now() - before.atMs;
  const generatorShare = (cpuUs(process.pid) - before.own) / 1000 / tookMs;
  const connectUs = (cpuUs(pid) - before.cpu) / clients;
  await sleep(SETTLE_MS);
  const idle = cpuUs(pid);
  await sleep(idleMs);
  return {
    connectUs,
    connectsPerSecond: (clients / tookMs) * 1000,
    rssBytes: (rssBytes(pid) - before.rss) / clients,
    idleUs: (cpuUs(pid) - idle) / (idleMs / 1000) / (warm + clients),
    generatorShare,
    lost,
  };
}

/** Opens so many more, each until it has joined the room. */
function opener({ port, dialect: name, token, room }: ConnectionsJob, onEnd: () => void) {
  const dialect = dialectOf(name, room);
  const opening = { token, room };
  const options = { host: "127.0.0.1", port, dialect, opening, onMessage: () => {}, onEnd };
  return async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= CONNECTING_AT_ONCE) {
      const some = Array.from({ length: Math.min(left, CONNECTING_AT_ONCE) }, () => new RawClient(options));
      await Promise.all(some.map((client) => client.joined));
    }
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "") as ConnectionsJob)));
process.exit(0);
