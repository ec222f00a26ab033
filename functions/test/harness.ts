/** Starts the product's own entries as processes, as an operator would, on engines that the test gives or on embedded ones. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../scripts/engines/ports.ts";
import { Person } from "./api-client.ts";
import { copyEmptyPglite } from "./pglite-template.ts";
import { waitFor } from "./wait-for.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Running {
  readonly url: string;
  readonly pid: number;
  /** Everything it printed. */
  output(): string;
  /** Its exit code, once it has ended. */
  exitCode(): number | undefined;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and gone. */
  kill(): Promise<void>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number>;
}

export type Env = Readonly<Record<string, string>>;

/** For a start on a machine that has much else to do. */
const START_MS = 150_000;

const all = new Set<ChildProcess>();
process.on("exit", () => all.forEach((child) => child.kill("SIGKILL")));

/** What is started, and how it differs from a developer's own start. */
export interface Program {
  readonly name: string;
  /** Of Node. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** User and group, where the tests may choose one. */
  readonly uid?: number | undefined;
}

type Command = "admin" | "doctor" | "stage";
type Entry = "dev" | "node" | "consumer" | Command;

/** As the npm scripts run it; global-setup.ts has made it anew. */
function entryProgram(entry: Entry, args: readonly string[] = []): Program {
  return { name: entry, args: [join("dist/server", `${entry}.mjs`), ...args], cwd: ROOT };
}

/** As `npm run dev` runs it: every module on its own. */
function sourceProgram(entry: Entry): Program {
  return { name: entry, args: ["--import", "tsx", join("functions", `${entry}.ts`)], cwd: ROOT };
}

function spawnProgram({ args, cwd, uid }: Program, env: Env, input = "") {
  const clean = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", NODE_ENV: "test" };
  const child = spawn(process.execPath, [...args], {
    cwd,
    env: { ...clean, LOG_LEVEL: "info", ...env },
    stdio: "pipe",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  all.add(child);
  child.stdin.on("error", () => {}).end(input); // it may end without reading
  return child;
}

/** Resolves when `readyPath` answers at the port; rejects when the program ends before that. */
export async function runProgram(
  program: Program,
  env: Env,
  port: number,
  readyPath: string,
): Promise<Running> {
  const { name } = program;
  const child = spawnProgram(program, env);
  let output = "";
  let code: number | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<number>((resolve) =>
    child.on("exit", (status) => {
      all.delete(child);
      resolve((code = status ?? 137));
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const isUp = () =>
    fetch(`${url}${readyPath}`).then(
      (response) => response.ok,
      () => false,
    );
  await waitFor(async () => code !== undefined || (await isUp()), `${name} to be ready\n${output}`, START_MS);
  if (code !== undefined) throw new Error(`${name} ended with ${code}:\n${output}`);
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    exitCode: () => code,
    signal: (signal) => void child.kill(signal),
    kill: async () => void (child.kill("SIGKILL"), await ended),
    stop: () => (child.kill("SIGTERM"), ended),
  };
}

export async function startNode(env: Env): Promise<Running> {
  const port = await freePort();
  return runProgram(entryProgram("node"), { HOST: "127.0.0.1", ...env, PORT: String(port) }, port, "/readyz");
}

export async function startConsumer(env: Env): Promise<Running> {
  const port = await freePort();
  return runProgram(
    entryProgram("consumer"),
    { HOST: "127.0.0.1", ...env, CONSUMER_PORT: String(port) },
    port,
    "/readyz",
  );
}

/** What a node or consumer counts, by its whole name with labels. */
export async function metricOf({ url }: Pick<Running, "url">, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const line = page.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? NaN);
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command of the operator, such as `npm run admin`, without the launcher and without a terminal. */
export async function runCommand(
  command: Command,
  env: Env,
  args: readonly string[],
  input?: string,
): Promise<Ended> {
  const child = spawnProgram(entryProgram(command, args), env, input);
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 137)));
  all.delete(child);
  return { code, out, err };
}

export interface Embedded extends Running {
  readonly dataDir: string;
  /** Ends it and starts it again on the same data and port. */
  restart(signal?: NodeJS.Signals): Promise<void>;
}

/** `npm start` without the launcher, on a data folder of its own. */
/** Everything in one process, on an empty store; `isFirstStart`: on none. */
export async function startEmbedded(
  env: Env = {},
  { fromSource = false, isFirstStart = false } = {},
): Promise<Embedded> {
  const program = fromSource ? sourceProgram("dev") : entryProgram("dev");
  const dataDir = mkdtempSync(join(tmpdir(), "skat-test-"));
  if (!isFirstStart) await copyEmptyPglite(join(dataDir, "pglite"));
  const port = await freePort();
  const start = () => runProgram(program, { ...env, DATA_DIR: dataDir, PORT: String(port) }, port, "/readyz");
  let running = await start();
  return {
    dataDir,
    get url() {
      return running.url;
    },
    get pid() {
      return running.pid;
    },
    output: () => running.output(),
    exitCode: () => running.exitCode(),
    signal: (signal) => running.signal(signal),
    kill: () => running.kill(),
    stop: async () => {
      const code = await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
      return code;
    },
    restart: async (signal = "SIGTERM") => {
      await (signal === "SIGKILL" ? running.kill() : running.stop());
      running = await start();
    },
  };
}

/** New rooms, by a guest of its own where no owner is named. */
export async function makeRooms(url: string, count: number, owner?: Person): Promise<string[]> {
  const maker = owner ?? (await Person.on([url], "maker"));
  const rooms: string[] = [];
  for (let index = 0; index < count; index++) rooms.push(await maker.room("public", `room ${index}`));
  return rooms;
}
