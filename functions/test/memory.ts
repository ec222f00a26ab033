/** What a process holds of the machine's memory. */
import { readFileSync } from "node:fs";

/** Resident, as Linux counts it. */
export function memoryMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
