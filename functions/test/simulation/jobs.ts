/** Seeds over several processes, one for each core: a run is bound by the processor alone, and seeds know nothing of each other. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Coverage } from "./coverage.ts";
import type { Outcome } from "./run.ts";
import { Tally, type Sweep } from "./sweep.ts";

/** The seeds of one process: from the first on, each so many further. */
export interface Share {
  readonly first: number;
  readonly step: number;
  readonly end: number;
}

/** An outcome as it goes between processes. */
export type Sent = Omit<Outcome, "coverage"> & { readonly counts: readonly (readonly [string, number])[] };

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

export async function sweepOverCores(
  from: number,
  seeds: number,
  onOutcome: (outcome: Outcome) => void,
): Promise<Sweep> {
  const tally = new Tally();
  const step = Math.min(seeds, availableParallelism());
  const take = ({ counts, ...rest }: Sent): void => {
    const outcome = { ...rest, coverage: new Coverage(counts) };
    tally.add(outcome);
    onOutcome(outcome);
  };
  const shares = Array.from({ length: step }, (_, index) => ({
    first: from + index,
    step,
    end: from + seeds,
  }));
  await Promise.all(shares.map((share) => work(share, take)));
  return tally;
}

function work(share: Share, take: (sent: Sent) => void): Promise<void> {
  const child = fork(WORKER, [JSON.stringify(share)], { execArgv: ["--import", "tsx"] });
  child.on("message", (sent) => take(sent as Sent));
  return new Promise((resolve, reject) => {
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`a process of the simulation ended with ${code}`)),
    );
  });
}
