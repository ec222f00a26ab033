/** From what is asked and what one unit costs to what a deployment needs: the formulas of docs/capacity.md, in its order. */
import type { Demand } from "./demand.ts";
import type { Figures } from "./figures.ts";

export interface Plan {
  readonly load: Load;
  readonly nodes: Nodes;
  readonly redis: Redis;
  readonly log: Log;
  readonly store: Store;
  readonly hot: HotRoom;
}

export interface Load {
  readonly connections: number;
  /** Messages a second at the peak, the largest room's among them. */
  readonly messages: number;
  readonly deliveries: number;
  readonly messagesPerYear: number;
  readonly deliveriesPerYear: number;
}

export interface Nodes {
  readonly count: number;
  readonly needed: number;
  /** What made it so many. */
  readonly by: "cpu" | "connections" | "availability";
  readonly coreShare: number;
  readonly connectionsEach: number;
}

/** What can't be spread: the largest room is one stream on one shard, and one partition of the log. */
export interface HotRoom {
  /** Each node's core is busy so long with one message of it: what else the node has waits. */
  readonly messageMs: number;
  /** Of a shard's core. */
  readonly shardShare: number;
  /** Of what a partition takes. */
  readonly partitionShare: number;
}

export interface Redis {
  readonly shards: number;
  readonly by: "cpu" | "memory" | "least";
  readonly cores: number;
  readonly memoryGb: number;
}

export interface Log {
  readonly brokers: number;
  readonly partitions: number;
  readonly consumers: number;
  readonly megabytesPerSecond: number;
  readonly storageGb: number;
}

export interface Store {
  readonly rowsPerSecond: number;
  readonly cores: number;
  readonly walMegabytesPerSecond: number;
  readonly rows: number;
  readonly storageGb: number;
  /** Undefined: one table is enough. */
  readonly partitionDays: number | undefined;
  readonly rowsPerPartition: number;
}

export const SECONDS_PER_YEAR = 365 * 86_400;
const CORE_US = 1e6;
const GB = 1e9;
const MB = 1e6;
const LOG_DAYS = 7;
const LOG_REPLICAS = 3;
const ID_SECONDS = 180;
/** What is left for one to be away in a deploy or a failure. */
const SPARE = 1;
const LEAST = { nodes: 2, consumers: 2, brokers: 3, partitions: 6 };
/** From so many rows on partitions are worth what they cost to read; so many of them are meant, but none larger than this. */
const ROWS_OF_ONE_TABLE = 2e8;
const PARTITIONS_MEANT = 12;
const ROWS_OF_PARTITION = 1e9;

export function planFor(demand: Demand, figures: Figures): Plan {
  const load = loadOf(demand);
  const nodes = nodesFor(demand, load, figures);
  return {
    load,
    nodes,
    redis: redisFor(demand, load, nodes.count, figures),
    log: logFor(demand, load, figures),
    store: storeFor(demand, load, figures),
    hot: hotRoom(demand, nodes.count, figures),
  };
}

function presentIn(members: number, { online }: Demand): number {
  return Math.max(1, members * online);
}

function loadOf(demand: Demand): Load {
  const { users, online, rate, hotRate, members, hotMembers, mean } = demand;
  const deliveries = rate * presentIn(members, demand) + hotRate * presentIn(hotMembers, demand);
  const messages = rate + hotRate;
  return {
    connections: users * online,
    messages,
    deliveries,
    messagesPerYear: messages * mean * SECONDS_PER_YEAR,
    deliveriesPerYear: deliveries * mean * SECONDS_PER_YEAR,
  };
}

/** Messages a second times the nodes that each goes to: those that have a member of its room. */
function arrivals(demand: Demand, nodes: number): number {
  const { rate, hotRate, members, hotMembers } = demand;
  const goesTo = (of: number) => Math.min(nodes, presentIn(of, demand));
  return rate * goesTo(members) + hotRate * goesTo(hotMembers);
}

/** CPU of all nodes together. */
function nodeCores(demand: Demand, load: Load, nodes: number, figures: Figures): number {
  const connects = (load.connections * demand.connectsPerHour) / 3600;
  const us =
    load.deliveries * figures.deliveryUs +
    load.messages * figures.sendUs +
    arrivals(demand, nodes) * figures.arrivalUs +
    load.connections * figures.idleUs +
    connects * figures.connectUs;
  return us / CORE_US;
}

function nodesFor(demand: Demand, load: Load, figures: Figures): Nodes {
  const byConnections = Math.ceil(load.connections / (figures.connectionsPerNode * demand.headroom));
  const isEnough = (nodes: number) => nodeCores(demand, load, nodes, figures) <= nodes * demand.headroom;
  const byCpu = leastThat(isEnough);
  const needed = Math.max(byCpu, byConnections);
  const count = Math.max(LEAST.nodes, needed + SPARE);
  const by = needed <= 1 ? "availability" : byCpu > byConnections ? "cpu" : "connections";
  return {
    count,
    needed,
    by,
    coreShare: nodeCores(demand, load, count, figures) / count,
    connectionsEach: load.connections / count,
  };
}

function hotRoom(demand: Demand, nodes: number, figures: Figures): HotRoom {
  const present = presentIn(demand.hotMembers, demand);
  const shardUs = figures.redisAppendUs + Math.min(nodes, present) * figures.redisDeliveryUs;
  const bytes = demand.hotRate * (figures.recordBytes + demand.bodyBytes);
  return {
    messageMs: ((present / nodes) * figures.deliveryUs) / 1000,
    shardShare: (demand.hotRate * shardUs) / CORE_US,
    partitionShare: bytes / (figures.partitionMegabytes * MB),
  };
}

/** What more nodes do for each is never worse: so the first that is enough can be found by halving. */
function leastThat(isEnough: (count: number) => boolean): number {
  let high = 1;
  while (!isEnough(high)) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function redisFor(demand: Demand, load: Load, nodes: number, figures: Figures): Redis {
  const cores =
    (load.messages * figures.redisAppendUs + arrivals(demand, nodes) * figures.redisDeliveryUs) / CORE_US;
  const perRoom = Math.min(demand.streamKeep, load.messagesPerYear / demand.rooms);
  const entryBytes = figures.streamEntryBytes + demand.bodyBytes;
  const idBytes = load.messages * ID_SECONDS * figures.redisIdBytes;
  const memoryGb = (demand.rooms * perRoom * entryBytes + idBytes) / GB;
  const byCpu = Math.ceil(cores / demand.headroom);
  const byMemory = Math.ceil(memoryGb / (figures.redisShardGb * demand.headroom));
  const shards = Math.max(1, byCpu, byMemory);
  return { shards, by: shards === 1 ? "least" : byCpu > byMemory ? "cpu" : "memory", cores, memoryGb };
}

function logFor(demand: Demand, load: Load, figures: Figures): Log {
  const recordBytes = figures.recordBytes + demand.bodyBytes;
  const bytes = load.messages * recordBytes;
  const busy = (load.messages * figures.ingestUs) / CORE_US;
  const consumers = Math.max(LEAST.consumers, Math.ceil(busy / demand.headroom) + SPARE);
  const partitions = Math.max(
    LEAST.partitions,
    Math.ceil(bytes / (figures.partitionMegabytes * MB * demand.headroom)),
    consumers * 2,
  );
  const brokers = Math.ceil((bytes * LOG_REPLICAS) / (figures.brokerMegabytes * MB * demand.headroom));
  return {
    brokers: Math.max(LEAST.brokers, brokers),
    partitions,
    consumers,
    megabytesPerSecond: bytes / MB,
    storageGb: (bytes * demand.mean * LOG_DAYS * 86_400 * LOG_REPLICAS) / GB,
  };
}

function storeFor(demand: Demand, load: Load, figures: Figures): Store {
  const rowsPerDay = load.messagesPerYear / 365;
  const rows = rowsPerDay * demand.retentionDays;
  const rowBytes = figures.rowBytes + figures.rowIndexBytes + demand.bodyBytes;
  const days = Math.min(Math.ceil(demand.retentionDays / PARTITIONS_MEANT), ROWS_OF_PARTITION / rowsPerDay);
  const partitionDays = rows > ROWS_OF_ONE_TABLE ? Math.max(1, Math.floor(days)) : undefined;
  return {
    rowsPerSecond: load.messages,
    cores: (load.messages * figures.storeRowUs) / CORE_US / demand.headroom,
    walMegabytesPerSecond: (load.messages * (figures.walRowBytes + demand.bodyBytes)) / MB,
    rows,
    storageGb: (rows * rowBytes) / GB / figures.storeFill,
    partitionDays,
    rowsPerPartition: rowsPerDay * (partitionDays ?? demand.retentionDays),
  };
}
