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
  /** The variables by which Skat is told of it. */
  env: Readonly<Record<string, string>>;
  /** One, or the members of a cluster. */
  servers: readonly { running: Running; dir: string }[];
}

const file = join(dirname(fileURLToPath(import.meta.url)), "../../.engines/state.json");

/** Those of which something still runs. */
export function readState(): UpEngine[] {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as UpEngine[]).filter(({ servers }) =>
      servers.some(({ running }) => isUp(running)),
    );
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
export function takeDown({ servers }: UpEngine): void {
  endAll(servers.flatMap(({ running, dir }) => [running, { temporaryDir: dir }]));
}
