/** Whether a process is still the one that it was: its number together with the moment it began. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * `begun` as `beginningOf` gave it; where either is unknown, the number alone has to do. A process that has ended keeps
 * its number until its parent takes note, which in many containers is never: it does not run.
 */
export function isRunning(pid: number, begun: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  if (hasEnded(pid)) return false;
  const now = beginningOf(pid);
  return begun === undefined || now === undefined || begun === now;
}

/** When a process began, in the system's own words; undefined where the system does not say. */
export function beginningOf(pid: number): string | undefined {
  try {
    return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined; // no such process any more, or no such program
  }
}

/**
 * Field 3, the state, and field 20, the threads left: the first of them may be gone while others still write. Where the system has no
 * `/proc`, such a process is taken for one that runs.
 */
function hasEnded(pid: number): boolean {
  try {
    const stat = statOf(pid);
    return stat[0] === "Z" && Number(stat[17]) <= 1;
  } catch {
    return false;
  }
}

/** Field 22 of `stat`, in ticks since the machine's start, with that start's id. */
function fromProc(pid: number): string {
  return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()} ${statOf(pid)[19]}`;
}

/** The fields of `stat` from the third on, the state. The second, a name in brackets, may hold anything. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function fromPs(pid: number): string | undefined {
  const line = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
    encoding: "utf8",
    env: { PATH: "/bin:/usr/bin", LC_ALL: "C", TZ: "UTC" }, // else the words change with the caller's language
    stdio: ["ignore", "pipe", "ignore"],
  });
  return line.trim() || undefined;
}
