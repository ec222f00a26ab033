/**
 * Nothing that was started may outlive its owner: every engine is noted in a file, ended when the owner exits, and
 * what the owner could not end any more (it was killed itself) is ended by whoever uses engines next.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { commandLine, isRunning, killTree, startMark } from "./processes.ts";

/** A server that runs. `words` must occur in a process's command line: an id alone may be somebody else's by now. */
export type Running = { pid: number; words: string } | { container: string };

/** One thing to end. */
export type Note = Running | { temporaryDir: string };

interface OwnedNote {
  key: string;
  note: Note;
  owner: { pid: number; startMark: string | undefined };
}

const dir = join(tmpdir(), `skat-engines-${userInfo().uid}`);
const own = new Map<string, Note>();
const signals = [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const;
let watching = false;

/** Notes something of this process that must end with it. */
export function remember(note: Note): void {
  watchExit();
  const owner = { pid: process.pid, startMark: startMark(process.pid) };
  const key = keyOf(note);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, key), JSON.stringify({ key, note, owner } satisfies OwnedNote));
  own.set(key, note);
}

/** Call when it has ended. */
export function forget(note: Note): void {
  own.delete(keyOf(note));
  rmSync(join(dir, keyOf(note)), { force: true });
}

function keyOf(note: Note): string {
  return `${Object.values(note)[0]}`.replaceAll(/[^\w.-]/g, "_") + ".json";
}

/** Ends what belongs to owners that are gone, and says what that was. */
export function endLeftovers(): string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const notes = readdirSync(dir)
    .map(readNote)
    .filter((one) => one !== undefined && !isSame(one.owner));
  const orphans = notes as OwnedNote[];
  endAll(orphans.map(({ note }) => note));
  for (const { key } of orphans) rmSync(join(dir, key), { force: true });
  return orphans.map(({ note }) => Object.values(note).join(" "));
}

function readNote(key: string): OwnedNote | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, key), "utf8")) as OwnedNote;
  } catch {
    return undefined; // being written or deleted by its owner
  }
}

function isSame(owner: OwnedNote["owner"]): boolean {
  return isRunning(owner.pid) && startMark(owner.pid) === owner.startMark;
}

/** Whether it is still the server that was noted. */
export function isUp(server: Running): boolean {
  if ("pid" in server) return commandLine(server.pid)?.includes(server.words) ?? false;
  const args = ["inspect", "--format", "{{.State.Running}}", server.container];
  return spawnSync("docker", args, { encoding: "utf8" }).stdout?.trim() === "true";
}

/** Kills servers and deletes folders, the folders last, when nobody writes to them any more. */
export function endAll(notes: readonly Note[]): void {
  for (const note of notes) {
    if ("container" in note) spawnSync("docker", ["rm", "--force", "--volumes", note.container]);
    if ("pid" in note && isUp(note)) killTree(note.pid);
  }
  for (const note of notes) {
    if ("temporaryDir" in note) rmSync(note.temporaryDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends what is left of this process's own when it exits; a signal that nobody else handles becomes an exit. */
function watchExit(): void {
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    const notes = [...own.values()];
    endAll(notes);
    notes.forEach(forget);
  });
  for (const [signal, number] of signals) {
    process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(128 + number));
  }
}
