/** The systems under test, each as it would be deployed: processes on the same engines, started for one cell and ended after it. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel } from "kafkajs";
import { startConsumer, startNode, type Env, type Running } from "../functions/test/harness.ts";
import { guest } from "../functions/test/test-client.ts";
import { LOBBY } from "../functions/protocol.ts";
import { freePort } from "../scripts/engines/ports.ts";
import type { BenchEngines } from "./engines.ts";
import type { Job } from "./generator/job.ts";

export interface System {
  readonly name: string;
  readonly dialect: Job["dialect"];
  readonly ports: readonly number[];
  readonly token: string;
  readonly room: string;
  /** The servers whose CPU is counted: those that hold connections. */
  readonly pids: readonly number[];
  end(): Promise<void>;
}

export type StartSystem = (engines: BenchEngines, nodes: number) => Promise<System>;

/** No limit of rate stands in the way of a load that is meant to saturate. */
const UNLIMITED: Env = {
  FRAMES_PER_SECOND: "1000000",
  FRAME_BURST: "1000000",
  RATE_SENDS: "none",
  RATE_ROOM_SENDS: "none",
  RATE_JOINS: "none",
  RATE_REQUESTS: "none",
  CONNECTIONS_PER_USER_MAX: "20000",
  CONNECTIONS_PER_ADDRESS_MAX: "20000",
  LOG_LEVEL: "error",
};

/** A deployment of its own on the engines. */
export function stageEnv(engines: BenchEngines, more: Env = {}): Env {
  return {
    ...engines.env,
    ...UNLIMITED,
    NODE_ENV: "production",
    ALLOWED_ORIGINS: "none",
    ...more,
    STAGE: `bench-${randomBytes(4).toString("hex")}`,
    AUTH_SECRET: randomBytes(32).toString("hex"),
  };
}

/** With other settings. */
export function startSkatAs(more: Env): StartSystem {
  return (engines, count) => startSkatWith(more, "skat", engines, count);
}

export const startSkat = startSkatAs({});

/** Its clients are guests of Socket.IO, who join the lobby by connecting. */
export const startSkatSocketIo: StartSystem = (engines, count) =>
  startSkatWith({ SOCKETIO: "true" }, "socket.io", engines, count);

async function startSkatWith(
  more: Env,
  dialect: System["dialect"],
  engines: BenchEngines,
  count: number,
): Promise<System> {
  const env = stageEnv(engines, more);
  const nodes = await inTurn(count, () => startNode(env));
  const consumer = await startConsumer(env);
  const { token } = await guest(nodes[0]?.url ?? "", "bench");
  return {
    name: "skat",
    dialect,
    ports: nodes.map(({ url }) => Number(new URL(url).port)),
    token,
    room: LOBBY,
    pids: nodes.map(({ pid }) => pid),
    end: async () => void (await Promise.all([...nodes, consumer].map((one) => one.kill()))),
  };
}

export const startBaseline: StartSystem = (engines, count) => startBaselineWith(false, engines, count);

export const startRecoveringBaseline: StartSystem = (engines, count) =>
  startBaselineWith(true, engines, count);

async function startBaselineWith(
  withRecovery: boolean,
  engines: BenchEngines,
  count: number,
): Promise<System> {
  const topic = `baseline-${randomBytes(4).toString("hex")}`;
  const kafka = new Kafka({ brokers: engines.brokers.split(","), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 6 }] });
  await admin.disconnect();
  const shared = { brokers: engines.brokers, topic, redisUrl: engines.redisUrl, withRecovery };
  const nodes: { child: ChildProcess; port: number }[] = [];
  for (let index = 0; index < count; index++) {
    const port = await freePort();
    nodes.push({ port, child: await startProgram("baseline/node.ts", { ...shared, port }) });
  }
  return {
    name: "baseline",
    dialect: "socket.io",
    ports: nodes.map(({ port }) => port),
    token: "",
    room: "",
    pids: nodes.map(({ child }) => child.pid ?? 0),
    end: async () => void (await Promise.all(nodes.map(({ child }) => kill(child)))),
  };
}

async function inTurn(count: number, make: () => Promise<Running>): Promise<Running[]> {
  const all: Running[] = [];
  for (let index = 0; index < count; index++) all.push(await make());
  return all;
}

/** A program of this folder, once it has printed its first line. */
export async function startProgram(file: string, options: object): Promise<ChildProcess> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] ?? "", NODE_ENV: "production" },
  });
  await firstLine(child, file);
  return child;
}

export function firstLine(child: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
  });
}

export function kill(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  return ended;
}
