/** A plan as people read it, with what they should know about it. */
import type { Cost } from "./cost.ts";
import type { Demand } from "./demand.ts";
import type { Data } from "./figures.ts";
import type { Plan } from "./formulas.ts";

/** Past it others of a node feel the largest room. */
const HOT_MS_MAX = 100;
/** The default of MEMBERS_PER_ROOM_MAX. */
const MEMBERS_MAX = 100_000;

export function tell(plan: Plan, cost: Cost, data: Data, notes: readonly string[]): string {
  const { load, nodes, redis, log, store } = plan;
  const { prices } = data;
  const lines = [
    [
      "load",
      `${figure(load.connections)} connections, ${figure(load.messages)} messages/s in, ${figure(load.deliveries)} out, at the peak`,
    ],
    [
      "nodes",
      `${nodes.count} of one core, by ${nodes.by}: ${figure(nodes.connectionsEach)} connections and ${percent(nodes.coreShare)} of a core each`,
    ],
    [
      "Redis",
      `${redis.shards} ${redis.shards === 1 ? "shard" : `shards by ${redis.by}`}: ${figure(redis.cores)} of a core, ${figure(redis.memoryGb)} GB`,
    ],
    [
      "log",
      `${log.partitions} partitions on ${log.brokers} brokers, ${log.consumers} consumers: ${figure(log.megabytesPerSecond)} MB/s, ${figure(log.storageGb)} GB kept`,
    ],
    [
      "PostgreSQL",
      `${figure(store.rowsPerSecond)} rows/s, ${figure(store.walMegabytesPerSecond)} MB/s of write-ahead log, ${figure(store.cores)} cores`,
    ],
    ["", `${figure(store.rows)} rows kept, ${figure(store.storageGb)} GB of disk; ${partitionsText(plan)}`],
    ["cost", `${money(cost.total)} ${prices.currency} a year: ${costText(cost)}`],
  ];
  const text = lines.map(([name = "", line = ""]) => `${name.padEnd(11)} ${line}`);
  const price = `Prices of ${prices.asOf}. ${prices.note} (--set NAME=VALUE)`;
  return [
    ...text,
    "",
    ...notes,
    price,
    "Formulas: docs/capacity.md. Every figure and where it comes from: --json.",
  ].join("\n");
}

/** What the figures alone do not say. */
export function notesOn({ hot, redis, store }: Plan, demand: Demand): string[] {
  const { hotMembers } = demand;
  return [
    ...(hotMembers > MEMBERS_MAX
      ? [
          `A room of ${figure(hotMembers)} members is past MEMBERS_PER_ROOM_MAX, ${figure(MEMBERS_MAX)} by default.`,
        ]
      : []),
    ...(hot.messageMs > HOT_MS_MAX
      ? [
          `One message of the largest room keeps each node busy for ${figure(hot.messageMs)} ms, and all others on it waiting.`,
        ]
      : []),
    ...(hot.shardShare > demand.headroom
      ? [
          `The largest room needs ${percent(hot.shardShare)} of a Redis shard's core, and a room is on one shard.`,
        ]
      : []),
    ...(hot.partitionShare > demand.headroom
      ? [
          `The largest room needs ${percent(hot.partitionShare)} of what a partition of the log takes, and has just one.`,
        ]
      : []),
    ...(redis.shards > 1
      ? ["More than one shard is a Redis Cluster: see REDIS_CLUSTER in docs/configuration.md."]
      : []),
    ...(store.partitionDays === undefined
      ? []
      : [`Set EVENTS_PARTITION_DAYS=${store.partitionDays}: docs/engines.md.`]),
  ];
}

function partitionsText({ store }: Plan): string {
  if (store.partitionDays === undefined) return "one table";
  return `partitions of ${store.partitionDays} days, ${figure(store.rowsPerPartition)} rows each`;
}

function costText({ total: _total, ...parts }: Cost): string {
  return Object.entries(parts)
    .map(([name, part]) => `${name} ${money(part)}`)
    .join(", ");
}

function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function money(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 0 });
}
