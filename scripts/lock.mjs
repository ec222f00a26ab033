/**
 * One process at a time: a lock file that names its holders and is broken when all of them are dead.
 * Plain JavaScript, because the launcher needs it before anything is installed.
 */
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 200;
/** A holder that dies between creating the file and writing its id leaves an empty one; this is how long that is believed. */
const emptyLockMs = 10_000;

/**
 * Runs `work` while holding `file`, and waits first while another process holds it.
 * `work` is given a function by which it names a child that must end before the lock counts as free.
 * `onWait` is called once, with the holder's process id, if there is waiting to do.
 */
export async function withLock(file, work, onWait = () => {}) {
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  for (let told = false; !claim(file); told = true) {
    if (!told && read(file)) onWait(read(file).split(" ")[0]);
    if (isAbandoned(file)) breakLock(file);
    else await sleep(pollMs);
  }
  try {
    return await work((childPid) => fs.writeFileSync(file, `${process.pid} ${childPid}`));
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function claim(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isAbandoned(file) {
  const pids = read(file).split(" ").filter(Boolean).map(Number);
  return pids.length > 0 ? !pids.some(isAlive) : ageMs(file) > emptyLockMs;
}

/** Two who break a lock at once could remove each other's fresh one, so breaking has a lock of its own. */
function breakLock(file) {
  const guard = `${file}.break`;
  if (ageMs(guard) > emptyLockMs) fs.rmSync(guard, { force: true });
  if (!claim(guard)) return;
  if (isAbandoned(file)) fs.rmSync(file, { force: true });
  fs.rmSync(guard, { force: true });
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

/** Milliseconds since the file was written; 0 when there is none. */
function ageMs(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? Date.now() - stat.mtimeMs : 0;
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
