/**
 * One process at a time in a data folder: a file says who holds it, and a dead holder does not keep it.
 *
 * Each process writes a claim of its own, and then looks for others. Of two, the later to write sees the earlier, so at most one finds
 * itself alone. No file is ever taken from a process that lives, which a single lock file, broken by several at once, can't promise.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beginningOf, isRunning } from "./process-identity.ts";

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

interface Claim {
  readonly pid: number;
  readonly host: string;
  readonly sinceMs: number;
  /** When the process began: another one that was given the number of a dead holder does not pass for it. */
  readonly begun?: string;
  /** It found itself alone; before that it only asks. */
  readonly isHeld: boolean;
  readonly url?: string;
}

const PREFIX = "lock-";
/** A process that dies before its claim is written leaves the file empty; so long it is taken for one at work. */
const UNWRITTEN_MS = 5000;
/** How often processes that ask at the same moment step back and ask again, after a random time up to the longest pause. */
const TRIES = 30;
const PAUSE_MS_MAX = 50;

/** Makes the folder where it is missing. Throws `DataFolderLockedError`. */
export async function lockDataFolder(dir: string): Promise<DataLock> {
  mkdirSync(dir, { recursive: true });
  const file = join(resolve(dir), `${PREFIX}${randomUUID()}`);
  const own = { ...describeSelf(), isHeld: false };
  for (let tries = 1; ; tries++) {
    write(file, own);
    const [other] = livingOthers(file);
    if (other === undefined) return hold(file, { ...own, isHeld: true });
    rmSync(file);
    if (other.claim?.isHeld || tries === TRIES) throw refusal(other);
    await sleep(Math.random() * PAUSE_MS_MAX);
  }
}

function hold(file: string, claim: Claim): DataLock {
  let isReleased = false;
  write(file, claim);
  return {
    note: ({ url }) => void (isReleased || write(file, { ...claim, url })),
    release: () => {
      isReleased = true;
      rmSync(file, { force: true });
    },
  };
}

function describeSelf(): Omit<Claim, "isHeld"> {
  const begun = beginningOf(process.pid);
  const self = { pid: process.pid, host: hostname(), sinceMs: Date.now() };
  return begun === undefined ? self : { ...self, begun };
}

interface Other {
  readonly file: string;
  /** Absent while it is being written. */
  readonly claim: Claim | undefined;
}

/** The claims of living processes but our own, one that holds the folder first. Those of dead ones are removed. */
function livingOthers(own: string): Other[] {
  const dir = resolve(own, "..");
  const names = readdirSync(dir).filter((name) => name.startsWith(PREFIX));
  const files = names.map((name) => join(dir, name)).filter((file) => file !== own);
  const others = files.map((file) => ({ file, claim: read(file) }));
  for (const { file } of others.filter((other) => !isLiving(other))) rmSync(file, { force: true });
  const living = others.filter(isLiving);
  return living.toSorted((a, b) => Number(b.claim?.isHeld ?? false) - Number(a.claim?.isHeld ?? false));
}

/** A process on another machine (or in another container) can't be asked: it counts as living. */
function isLiving({ file, claim }: Other): boolean {
  if (claim === undefined) return ageMs(file) < UNWRITTEN_MS;
  return claim.host !== hostname() || isRunning(claim.pid, claim.begun);
}

/** Infinite for a file that is gone. */
function ageMs(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? Infinity : Date.now() - stat.mtimeMs;
}

function write(file: string, claim: Claim): void {
  writeFileSync(file, JSON.stringify(claim));
}

/** What the file says; undefined when it is gone or says nothing that can be read. */
function read(file: string): Claim | undefined {
  try {
    const claim: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isClaim(claim) ? claim : undefined;
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isGone || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isClaim(value: unknown): value is Claim {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host, sinceMs, isHeld } = value as Partial<Record<keyof Claim, unknown>>;
  const isNamed = typeof pid === "number" && typeof host === "string";
  return isNamed && typeof sinceMs === "number" && typeof isHeld === "boolean";
}

function refusal({ file, claim }: Other): DataFolderLockedError {
  if (claim === undefined || !claim.isHeld) {
    return new DataFolderLockedError(`Another process is about to use the data folder (${file}): try again.`);
  }
  const { pid, host, sinceMs, url } = claim;
  const isHere = host === hostname();
  const who = `process ${pid}${isHere ? "" : ` on ${host}`}, since ${new Date(sinceMs).toISOString()}`;
  const cure = isHere ? `stop it (kill ${pid}),` : `stop it there (if it is gone, delete ${file}),`;
  return new DataFolderLockedError(
    `The data folder is in use: ${who}${url === undefined ? "" : `, at ${url}`}.\n` +
      `Use that one, ${cure} or start this one with another DATA_DIR.`,
  );
}
