/** A server as a process of ours on this machine. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Server } from "./engine.ts";
import { forget, remember, type Running } from "./leftovers.ts";
import { until } from "./ports.ts";
import { haveEnded, killTree, signalTree, tiedToParent, tree } from "./processes.ts";

export interface ProcessPlan {
  title: string;
  dir: string;
  program: string;
  args: readonly string[];
  /** Part of the running server's command line that no other process has. */
  words: string;
  /** Who runs it, when not we. */
  user?: { uid: number; gid: number };
  /** The signal by which an operator ends it. */
  stopSignal: NodeJS.Signals;
  isReady(): Promise<boolean>;
  /** Outlives this process. */
  detached: boolean;
}

const startDeadlineMs = 60_000;
const stopDeadlineMs = 30_000;

export class OwnProcess implements Server {
  readonly #plan: ProcessPlan;
  #child: ChildProcess | undefined;

  constructor(plan: ProcessPlan) {
    this.#plan = plan;
  }

  get running(): Running | undefined {
    const pid = this.#child?.pid;
    return pid === undefined ? undefined : { pid, words: this.#plan.words };
  }

  async start(): Promise<void> {
    if (this.#child) return;
    const child = this.#spawn();
    if (
      !(await until(async () => hasExited(child) || (await this.#plan.isReady()), startDeadlineMs)) ||
      hasExited(child)
    ) {
      await this.kill();
      throw new Error(`${this.#plan.title} did not start; the end of its log:\n${this.#logTail()}`);
    }
  }

  async stop(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    await this.resume();
    const all = tree(pid);
    process.kill(pid, this.#plan.stopSignal);
    const stopped = await haveEnded(all, stopDeadlineMs);
    await this.kill();
    if (!stopped)
      throw new Error(`${this.#plan.title} did not stop within ${stopDeadlineMs} ms and was killed.`);
  }

  async kill(): Promise<void> {
    const { running } = this;
    this.#child = undefined;
    if (!running || !("pid" in running)) return;
    const all = tree(running.pid);
    killTree(running.pid);
    await haveEnded(all, stopDeadlineMs);
    forget(running);
  }

  dispose(): Promise<void> {
    return this.kill();
  }

  async pause(): Promise<void> {
    if (this.#child?.pid) signalTree(this.#child.pid, "SIGSTOP");
  }

  async resume(): Promise<void> {
    if (this.#child?.pid) signalTree(this.#child.pid, "SIGCONT");
  }

  #spawn(): ChildProcess {
    const { program, args, dir, user, detached } = this.#plan;
    const [command = program, ...rest] = [...(detached ? [] : tiedToParent()), program, ...args];
    const log = openSync(this.#logFile, "a");
    // Its own process group: Ctrl-C is for us, and we decide what it means for the engines.
    const child = spawn(command, rest, { cwd: dir, stdio: ["ignore", log, log], detached: true, ...user });
    closeSync(log);
    child.on("error", () => {}); // shows as hasExited, with the log beside it
    this.#child = child;
    child.unref(); // an engine is no reason to stay
    if (!detached && this.running) remember(this.running);
    return child;
  }

  get #logFile(): string {
    return join(this.#plan.dir, "server.log");
  }

  #logTail(): string {
    return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n");
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
