/** What a stage is made of, by its name alone: pure, so that it can be read and tested without any cloud. */

export type StageKind = "production" | "preview" | "personal";

export interface Stage {
  readonly name: string;
  readonly kind: StageKind;
  readonly node: Size & { readonly min: number; readonly max: number; readonly connectionsMax: number };
  readonly consumer: Size & { readonly count: number };
  /** Spot capacity costs a third, and ends with two minutes' notice. */
  readonly isSpot: boolean;
  /** Whether removing it takes an intent of its own. */
  readonly isKept: boolean;
  readonly logRetention: "1 month" | "1 week";
  /** Of the log's topic, where this stack creates it. */
  readonly topic: { readonly partitions: number; readonly replication: number; readonly retentionMs: number };
  readonly hasAlarms: boolean;
}

interface Size {
  readonly cpu: "0.25 vCPU" | "0.5 vCPU" | "1 vCPU";
  readonly memory: "0.5 GB" | "1 GB" | "2 GB";
}

/** Ports that the processes are told to listen on. */
export const PORTS = { node: 3000, consumer: 3001 } as const;

/**
 * Asked by the load balancer and inside the container. Not `/readyz`: without Redis no node is ready, and ECS would replace them all, with
 * every socket and backlog they hold, for a fault that no new one could mend.
 */
export const HEALTH_PATH = "/healthz";

/** CloudFront and the load balancer: each adds to X-Forwarded-For whom it heard. */
export const PROXY_HOPS = 2;

/**
 * Timeouts that only make sense together. A heartbeat passes twice before anything between client and node gives up; whoever sends next
 * on an idle connection closes it first; and a task is done before it is stopped, and stopped before the balancer forgets it.
 */
export const TIMEOUTS = {
  heartbeatMs: 25_000,
  cdnKeepAliveSeconds: 60,
  balancerIdleSeconds: 120,
  drainMs: 30_000,
  stopSeconds: 60,
  deregistrationSeconds: 90,
} as const;

export const METRICS_LOG_MS = 60_000;

/** Per process. Plans of managed PostgreSQL end at a hundred connections or fewer, and a deployment doubles the tasks. */
export const DATABASE_POOL_MAX = 4;

const DAY_MS = 86_400_000;

const PRODUCTION = {
  kind: "production",
  node: { cpu: "1 vCPU", memory: "2 GB", min: 2, max: 8, connectionsMax: 10_000 },
  consumer: { cpu: "0.5 vCPU", memory: "1 GB", count: 2 },
  isSpot: false,
  isKept: true,
  logRetention: "1 month",
  topic: { partitions: 6, replication: 3, retentionMs: 7 * DAY_MS },
  hasAlarms: true,
} as const satisfies Omit<Stage, "name">;

const SMALL = {
  node: { cpu: "0.25 vCPU", memory: "0.5 GB", min: 1, max: 1, connectionsMax: 500 },
  consumer: { cpu: "0.25 vCPU", memory: "0.5 GB", count: 1 },
  isSpot: true,
  isKept: false,
  logRetention: "1 week",
  topic: { partitions: 1, replication: 2, retentionMs: DAY_MS },
  hasAlarms: false,
} as const satisfies Omit<Stage, "name" | "kind">;

const PREVIEW = /^pr-[1-9]\d{0,3}$/;
/** What every name made of it allows: keys, topics and schemas, and AWS's limits once the app's name is before it. */
const PERSONAL = /^(?!pr-|prod)[a-z](?:-?[a-z0-9]){0,19}$/;

/** `production`, `pr-1` to `pr-9999`, or a person's own such as `ann`. Throws for any other name, and says why. */
export function stageOf(name: string): Stage {
  if (name === "production") return { name, ...PRODUCTION };
  if (PREVIEW.test(name)) return { name, kind: "preview", ...SMALL };
  if (PERSONAL.test(name)) return { name, kind: "personal", ...SMALL };
  throw new Error(
    `"${name}" is no name of a stage: take production, pr-1 to pr-9999, or up to twenty of a-z, 0-9 and single hyphens, ` +
      "a letter first, that begins neither with pr- nor with prod.",
  );
}
