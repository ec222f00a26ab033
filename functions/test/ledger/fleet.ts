/** What the fault ledger breaks: three nodes behind a proxy each and one address for all, two consumers, and engines of their own, as deployed. */
import type { Running } from "../harness.ts";
import { startBalancer, startTcpProxy, type Balancer, type TcpProxy } from "../tcp-proxy.ts";
import { startWorld, type World } from "../faults/world.ts";

/** A place where a process runs; whoever takes it over has the same address for clients. */
export interface Slot {
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly running: Running;
  /** Starts another process here. The one before has ended. */
  renew(): Promise<void>;
}

export interface Fleet {
  readonly world: World;
  readonly nodes: readonly Slot[];
  readonly consumers: readonly Slot[];
  /** Leads to each node in turn. */
  readonly balancer: Balancer;
  close(): Promise<void>;
}

const NODES = 3;
const CONSUMERS = 2;
const STARTS_MAX = 5;
/** Shorter than deployed, so that a connection that fell silent is given up within seconds. */
const HEARTBEAT_MS = "2000";

export async function startFleet(): Promise<Fleet> {
  const world = await startWorld("ledger", { HEARTBEAT_MS, SOCKETIO: "true" });
  const slots = (count: number, start: () => Promise<Running>) =>
    Promise.all(Array.from({ length: count }, () => openSlot(start)));
  // One after the other: the first one migrates and makes the topics.
  const nodes = [...(await slots(1, world.node)), ...(await slots(NODES - 1, world.node))];
  const consumers = await slots(CONSUMERS, world.consumer);
  const balancer = await startBalancer(() => nodes.map(({ proxy }) => proxy.port));
  return {
    world,
    nodes,
    consumers,
    balancer,
    async close(): Promise<void> {
      await balancer.close();
      await Promise.all([...nodes, ...consumers].map(({ proxy }) => proxy.close()));
      await world.close();
    },
  };
}

async function openSlot(start: () => Promise<Running>): Promise<Slot> {
  let running = await start();
  const proxy = await startTcpProxy(() => Number(new URL(running.url).port));
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    proxy,
    get running() {
      return running;
    },
    renew: async () => void (running = await supervised(start)),
  };
}

/** Started again while it ends by itself, as whoever runs processes does. */
async function supervised(start: () => Promise<Running>, attempt = 1): Promise<Running> {
  try {
    return await start();
  } catch (error) {
    if (attempt === STARTS_MAX) throw error;
    return supervised(start, attempt + 1);
  }
}
