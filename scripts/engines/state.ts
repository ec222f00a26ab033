/** The engines that `npm run engines -- up` started and that go on by themselves. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineName } from "./engine.ts";
import { endAll, isUp, type Running } from "./leftovers.ts";

export interface UpEngine {
  name: EngineName;
  how: string;
  port: number;
  url: string;
  dir: string;
  running: Running;
}

const file = join(dirname(fileURLToPath(import.meta.url)), "../../.engines/state.json");

/** Those that still run. */
export function readState(): UpEngine[] {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as UpEngine[]).filter((engine) => isUp(engine.running));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export function writeState(engines: readonly UpEngine[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(engines, undefined, 2) + "\n");
}

/** Ends one and deletes its data. */
export function takeDown(engine: UpEngine): void {
  endAll([engine.running, { temporaryDir: engine.dir }]);
}
