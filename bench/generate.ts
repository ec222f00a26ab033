/** Runs a program of the load generator as a process of its own; rejects with what it wrote when it fails. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, Outcome } from "./generator/job.ts";

export function generate(job: Job): Promise<Outcome> {
  return runGenerator("generator", job);
}

/** What it prints is its answer. */
export async function runGenerator<Answer>(program: string, job: object): Promise<Answer> {
  const file = fileURLToPath(new URL(`generator/${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 137)));
  if (code !== 0) throw new Error(`the generator ended with ${code}: ${err.trim()}`);
  return JSON.parse(out) as Answer;
}
