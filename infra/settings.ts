/** What a person who deploys has chosen: the only reader of the environment here. */
import type { Stage } from "./stage.ts";

export interface Settings {
  /** Of the page, in a zone of Route 53. Without it CloudFront's own name is used. */
  readonly domain?: string;
  /** A network that is there already; without it the stage makes one. */
  readonly vpcId?: string;
  /** Always running, or started every few minutes to store what has come. */
  readonly consumer: "service" | "schedule";
  /** Clients of Socket.IO: over WebSocket alone, or by polling too, for which the load balancer keeps each to one node. */
  readonly socketIo?: "websocket" | "polling";
  readonly alarmEmail?: string;
  /** Variables of the consumer: days after which events are deleted, and days of one partition of their table. */
  readonly keeping: Readonly<Record<string, string>>;
  /** Present when Aiven's provider is to make topics and users. */
  readonly aiven?: AivenSettings;
}

export interface AivenSettings {
  readonly project: string;
  readonly kafka: string;
  readonly valkey: string;
}

/** As `functions/config/variables.ts` has them: wrong ones would only show when the consumer starts. */
const KEEPING = {
  RETENTION_DAYS: { least: 8, most: 36_500 },
  EVENTS_PARTITION_DAYS: { least: 1, most: 3_650 },
} as const;

/** Throws one error that lists every fault. */
export function readSettings(stage: Stage, env: NodeJS.ProcessEnv = process.env): Settings {
  const settings = {
    ...(env["SKAT_DOMAIN"] && stage.kind === "production" ? { domain: env["SKAT_DOMAIN"] } : {}),
    ...(env["SKAT_VPC_ID"] && stage.kind !== "production" ? { vpcId: env["SKAT_VPC_ID"] } : {}),
    ...readSocketIo(env["SKAT_SOCKETIO"]),
    ...(env["SKAT_ALARM_EMAIL"] ? { alarmEmail: env["SKAT_ALARM_EMAIL"] } : {}),
    ...(env["AIVEN_TOKEN"] ? { aiven: readAiven(env) } : {}),
    consumer: env["SKAT_CONSUMER"] === "schedule" ? "schedule" : "service",
    keeping: readKeeping(env),
  } as const;
  const faults = faultsOf(stage, settings, env["SKAT_CONSUMER"] ?? "service");
  const socketIo = env["SKAT_SOCKETIO"] ?? "";
  if (socketIo !== "" && settings.socketIo === undefined)
    faults.push(`SKAT_SOCKETIO is websocket or polling, not ${socketIo}`);
  faults.push(...faultsOfKeeping(settings.keeping));
  if (faults.length > 0) throw new Error(`Stage ${stage.name} can't be deployed: ${faults.join("; ")}.`);
  return settings;
}

function readSocketIo(text: string | undefined): Pick<Settings, "socketIo"> {
  return text === "websocket" || text === "polling" ? { socketIo: text } : {};
}

function readKeeping(env: NodeJS.ProcessEnv): Record<string, string> {
  const chosen: Record<keyof typeof KEEPING, string> = {
    RETENTION_DAYS: env["SKAT_RETENTION_DAYS"] ?? "",
    EVENTS_PARTITION_DAYS: env["SKAT_EVENTS_PARTITION_DAYS"] ?? "",
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, days]) => days !== ""));
}

function faultsOfKeeping(keeping: Settings["keeping"]): string[] {
  return Object.entries(KEEPING).flatMap(([name, { least, most }]) => {
    const days = keeping[name];
    const isRight =
      days === undefined || (/^\d+$/.test(days) && Number(days) >= least && Number(days) <= most);
    return isRight ? [] : [`SKAT_${name} is a whole number from ${least} to ${most}, not ${days}`];
  });
}

function readAiven(env: NodeJS.ProcessEnv): AivenSettings {
  return {
    project: env["AIVEN_PROJECT"] ?? "",
    kafka: env["AIVEN_KAFKA"] ?? "",
    valkey: env["AIVEN_VALKEY"] ?? "",
  };
}

function faultsOf({ kind }: Stage, { domain, vpcId, aiven }: Settings, consumer: string): string[] {
  const faults: string[] = [];
  if (kind === "production" && domain === undefined)
    faults.push("set SKAT_DOMAIN, for without a name of its own nothing encrypts the way behind CloudFront");
  if (kind === "preview" && vpcId === undefined)
    faults.push("set SKAT_VPC_ID to production's network, for previews make none of their own");
  if (consumer !== "service" && consumer !== "schedule")
    faults.push(`SKAT_CONSUMER is service or schedule, not ${consumer}`);
  if (kind === "production" && consumer === "schedule")
    faults.push("production's consumer is a service: unset SKAT_CONSUMER");
  for (const [name, value] of Object.entries(aiven ?? {})) {
    if (value === "") faults.push(`AIVEN_TOKEN is set, so set AIVEN_${name.toUpperCase()} too`);
  }
  return faults;
}

/** Whether the stage, or the fallback of all stages, has this secret: SST hands them to the program in this way. */
export function hasSecret(name: string, env: NodeJS.ProcessEnv = process.env): boolean {
  return (env[`SST_SECRET_${name}`] ?? "") !== "";
}
