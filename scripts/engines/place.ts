/** Where an engine lives: its data folder and its port. */
import { chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { EngineName, EngineOptions } from "./engine.ts";
import { endLeftovers, forget, remember } from "./leftovers.ts";
import { freePort } from "./ports.ts";

export interface Place {
  dir: string;
  port: number;
  /** Deletes the folder, unless the caller had given it. */
  clear(): void;
}

let swept = false;

/** Makes the folder, for `owner` when given, and chooses the port. */
export async function takePlace(
  name: EngineName,
  options: EngineOptions,
  owner?: { uid: number; gid: number },
): Promise<Place> {
  if (!swept) endLeftovers();
  swept = true;
  const dir = options.dir ? resolve(options.dir) : mkdtempSync(join(tmpdir(), `skat-${name}-`));
  mkdirSync(dir, { recursive: true });
  if (owner) chownSync(dir, owner.uid, owner.gid);
  const note = options.dir ? undefined : { temporaryDir: dir };
  if (note && !options.detached) remember(note);
  const clear = () => {
    if (!note) return;
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    forget(note);
  };
  return { dir, port: options.port ?? (await freePort()), clear };
}
