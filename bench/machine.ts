/** What a process has used, from /proc: CPU in microseconds over all its threads, and resident memory. */
import { readdirSync, readFileSync } from "node:fs";
import { cpus, release } from "node:os";

/** Since its start. Threads that ended meanwhile are missing; servers under test end none. */
export function cpuUs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) => Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0]));
  return ns.reduce((sum, used) => sum + used, 0) / 1000;
}

/** Resident memory, in bytes. */
export function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What figures were measured on. */
export function describeMachine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "unknown CPU"}, Linux ${release()}, Node ${process.versions.node}`;
}

function read(file: string): string {
  return readFileSync(file, "latin1");
}
