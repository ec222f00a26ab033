/** Processes by id: who they are, their descendants, and signals to all of them. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { isAlive } from "../lock.mjs";
import { until } from "./ports.ts";

/** The command line of a process, or undefined when there is none. */
export function commandLine(pid: number): string | undefined {
  if (process.platform !== "linux") return ps(["-p", String(pid), "-o", "command="])[0];
  return readProc(pid, "cmdline")?.replaceAll("\0", " ").trim();
}

/**
 * Whether a process runs; one that has ended and only waits for its parent to notice does not. A first thread that is gone while others
 * are still ending looks the same, but sockets and files are held until the last of them is.
 */
export function isRunning(pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== "linux") return true;
  const [state = "Z", ...rest] = statFields(pid) ?? [];
  return state !== "Z" || Number(rest[16]) > 1; // field 20: the threads left
}

/** When a process started, good only for comparing: an id may be used again, id and mark together are not. */
export function startMark(pid: number): string | undefined {
  return process.platform === "linux" ? statFields(pid)?.[19] : ps(["-p", String(pid), "-o", "lstart="])[0];
}

/** Sends a signal to a process and all its descendants, the process first. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const one of tree(pid)) signalOne(one, signal);
}

/** Ends a process and all its descendants by SIGKILL; frozen first, it can't start new ones meanwhile. */
export function killTree(pid: number): void {
  signalOne(pid, "SIGSTOP");
  signalTree(pid, "SIGKILL");
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether all of these have ended within the deadline. */
export function haveEnded(pids: readonly number[], deadlineMs: number): Promise<boolean> {
  return until(() => !pids.some(isRunning), deadlineMs, 20);
}

/** The process and its descendants. A process group would miss some: PostgreSQL's children each lead their own. */
export function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of pidsWithParents()) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

function pidsWithParents(): [pid: number, parent: number][] {
  if (process.platform !== "linux") {
    return ps(["-A", "-o", "pid=,ppid="]).map((line) => {
      const [pid, parent] = line.split(/\s+/).map(Number);
      return [pid ?? 0, parent ?? 0];
    });
  }
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
  return pids.map((pid) => [pid, Number(statFields(pid)?.[1] ?? 0)]);
}

/** The fields of /proc/<pid>/stat after the name, which may itself hold blanks and brackets: state, parent, … */
function statFields(pid: number): string[] | undefined {
  const text = readProc(pid, "stat");
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined; // no such process, or no longer
  }
}

/** Lines of `ps`, none when it finds nothing. */
function ps(args: string[]): string[] {
  try {
    return execFileSync("ps", args, { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  } catch {
    return [];
  }
}

let canTie: boolean | undefined;

/** The words to put before a command so that the kernel kills it when its parent dies; none where that can't be done. */
export function tiedToParent(): string[] {
  const args = ["--pdeathsig", "KILL"];
  canTie ??= process.platform === "linux" && spawnSync("setpriv", [...args, "true"]).status === 0;
  return canTie ? ["setpriv", ...args] : [];
}
