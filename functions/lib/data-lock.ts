/** One process at a time in a data folder: a lock file that says who holds it, and that a dead holder does not keep. */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";

export interface DataLock {
  /** Tells those who are refused where this process can be found. */
  note(details: { readonly url: string }): void;
  /** Gives the folder free. Idempotent; without it the end of the process does. */
  release(): void;
}

/** Another process holds the folder. The message says which, and how to go on. */
export class DataFolderLockedError extends Error {
  override readonly name = "DataFolderLockedError";
}

interface Holder {
  /** Tells this holding from every other, also of the same process. */
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  readonly sinceMs: number;
  /** When the process began, in the system's own words: a number that was given to another process does not pass for it. */
  readonly begun?: string;
  readonly url?: string;
}

const FILE = "lock";
/** A holder that dies between making the file and filling it leaves it empty; so long that is taken for one at work. */
const UNWRITTEN_MS = 5000;

/** Makes the folder where it is missing. Throws `DataFolderLockedError`. */
export function lockDataFolder(dir: string): DataLock {
  mkdirSync(dir, { recursive: true });
  const file = join(resolve(dir), FILE);
  const begun = beginningOf(process.pid);
  const own: Holder = {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    sinceMs: Date.now(),
    ...(begun === undefined ? {} : { begun }),
  };
  while (!claim(file, own)) breakAbandoned(file);
  const isOurs = (): boolean => read(file)?.token === own.token;
  return {
    note: ({ url }) => void (isOurs() && replace(file, { ...own, url })),
    release: () => void (isOurs() && rmSync(file)),
  };
}

function claim(file: string, own: Holder): boolean {
  try {
    writeFileSync(file, JSON.stringify(own), { flag: "wx" });
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * Removes the file of a dead holder, or throws. It is moved aside first and looked at again: another process may have broken the same
 * lock and made its own in between, and that one is put back.
 */
function breakAbandoned(file: string): void {
  const holder = read(file);
  if (holder === undefined ? isFresh(file) : isAlive(holder)) throw refusal(file, holder);
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, "ENOENT")) return;
    throw error;
  }
  const moved = read(aside);
  if (moved !== undefined && moved.token !== holder?.token) return renameSync(aside, file);
  rmSync(aside);
}

/** What the file says; undefined when there is none, or nothing that can be read. */
function read(file: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch (error) {
    if (isCode(error, "ENOENT") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  const { token, pid, host, sinceMs } = value as Partial<Record<keyof Holder, unknown>>;
  return (
    typeof token === "string" &&
    typeof pid === "number" &&
    typeof host === "string" &&
    typeof sinceMs === "number"
  );
}

/** At once for readers, who would otherwise find it empty for a moment. */
function replace(file: string, holder: Holder): void {
  const fresh = `${file}.${holder.token}`;
  writeFileSync(fresh, JSON.stringify(holder));
  renameSync(fresh, file);
}

function isFresh(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < UNWRITTEN_MS;
}

/** A process of another machine (or container) can't be asked: it counts as alive. */
function isAlive({ pid, host, begun }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isCode(error, "ESRCH")) return false;
  }
  const now = beginningOf(pid);
  return begun === undefined || now === undefined || begun === now;
}

/** When a process began; undefined where the system does not say. */
function beginningOf(pid: number): string | undefined {
  try {
    if (process.platform === "linux") return linuxBeginning(pid);
    const lines = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    return lines.trim() || undefined;
  } catch {
    return undefined; // no such process any more, or no such program: the number alone has to do
  }
}

/** Field 22 of `stat`, in ticks since the machine's start, with that start's id. Field 2, a name in brackets, may hold anything. */
function linuxBeginning(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()} ${ticks}`;
}

function refusal(file: string, holder: Holder | undefined): DataFolderLockedError {
  if (holder === undefined) {
    return new DataFolderLockedError(`Another process is about to use the data folder (${file}): try again.`);
  }
  const { pid, host, sinceMs, url } = holder;
  const isHere = host === hostname();
  const where = `process ${pid}${isHere ? "" : ` on ${host}`}, since ${new Date(sinceMs).toISOString()}`;
  return new DataFolderLockedError(
    [
      `The data folder is in use: ${where}${url === undefined ? "" : `, at ${url}`}.`,
      isHere
        ? `Use that one, stop it (kill ${pid}), or start this one with another DATA_DIR.`
        : `Use that one, stop it there, or start this one with another DATA_DIR. If it is gone, delete ${file}.`,
    ].join("\n"),
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
