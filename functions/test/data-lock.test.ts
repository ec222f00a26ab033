/** The lock of the data folder, held by real processes. */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolderLockedError, lockDataFolder } from "../lib/data-lock.ts";
import { beginningOf, isRunning } from "../lib/process-identity.ts";

const CONTENDER = fileURLToPath(new URL("data-lock-contender.ts", import.meta.url));
const HOLDER = fileURLToPath(new URL("data-lock-holder.ts", import.meta.url));
const NOBODY = 2 ** 30;

describe("the lock of the data folder", () => {
  let dir: string;
  let children: ChildProcess[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "skat-lock-"));
  });
  afterEach(async () => {
    await Promise.all(children.map(end));
    children = [];
    await rm(dir, { recursive: true });
  });

  /** Starts a process that locks the folder; answers what it says. */
  async function startHolder(...args: string[]): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn(process.execPath, ["--import", "tsx", HOLDER, dir, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const said = await new Promise<string>((resolve) =>
      child.stdout?.once("data", (data) => resolve(String(data))),
    );
    return { child, said: said.trim() };
  }

  /** Starts a process that locks and releases the folder when it is told to. */
  async function startContender(): Promise<ChildProcess> {
    const child = fork(CONTENDER, [dir], { execArgv: ["--import", "tsx"] });
    children.push(child);
    await new Promise((resolve) => child.once("message", resolve));
    return child;
  }

  function ask(child: ChildProcess, question: "release" | { lockAtMs: number }): Promise<unknown> {
    return new Promise((resolve) => {
      child.once("message", resolve);
      child.send(question);
    });
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Leaves a claim as another process would. Answers its file. */
  async function leave(claim: object | string): Promise<string> {
    const file = join(dir, "lock-left");
    const whole = { pid: NOBODY, host: hostname(), sinceMs: 0, isHeld: true };
    await writeFile(file, typeof claim === "string" ? claim : JSON.stringify({ ...whole, ...claim }));
    return file;
  }

  /** What a start is told that is refused; empty where it is not. */
  async function refusal(): Promise<string> {
    try {
      (await lockDataFolder(dir)).release();
      return "";
    } catch (error) {
      if (error instanceof DataFolderLockedError) return error.message;
      throw error;
    }
  }

  it("makes the folder where it is missing, and leaves it clean", async () => {
    const top = dir;
    dir = join(top, "a", "b");
    const lock = await lockDataFolder(dir);
    lock.note({ url: "http://localhost:3000" });
    expect(await readdir(dir)).toEqual([expect.stringMatching(/^lock-/)]);
    lock.release();
    lock.release();
    lock.note({ url: "http://localhost:3001" });
    expect(await readdir(dir)).toEqual([]);
    expect(await refusal()).toBe("");
    dir = top;
  });

  it("a second start is told who holds it, since when, where it is, and how to go on", async () => {
    const startedAtMs = Date.now();
    const { child, said } = await startHolder("http://localhost:3456");
    expect(said).toBe("locked");
    const message = await refusal();
    expect(message).toContain(`process ${child.pid}`);
    expect(message).toContain("http://localhost:3456");
    expect(message).toContain(`kill ${child.pid}`);
    expect(message).toContain("DATA_DIR");
    const sinceMs = Date.parse(/since (\S+),/.exec(message)?.[1] ?? "");
    expect(sinceMs).toBeGreaterThanOrEqual(startedAtMs);
    expect(sinceMs).toBeLessThanOrEqual(Date.now());
  }, 20_000);

  it.runIf(process.platform === "linux")(
    "a holder that ended without its parent's notice is gone",
    async () => {
      // The child ends only once the shell is `sleep`, which takes note of no child: the shell itself would.
      const untilReplaced = "(until grep -q sleep /proc/$$/comm; do :; done) & echo $!; exec sleep 60";
      const parent = spawn("sh", ["-c", untilReplaced], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(parent);
      const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
      await leave({ pid });
      await expect.poll(refusal).toBe("");
      expect(() => process.kill(pid, 0)).not.toThrow(); // its number is still taken
    },
  );

  it.runIf(process.platform === "linux")(
    "a killed holder holds it until its last thread has ended",
    async () => {
      // How often the first thread is seen gone while others are left is up to the machine, so it is tried until that is met.
      let seen = 0;
      for (let tries = 0; tries < 50 && seen === 0; tries++) seen = await killAndWatch();
      expect(seen).toBeGreaterThan(0);
    },
    60_000,
  );

  /** Ends a process with much to give back, and counts the looks at it when its first thread was gone and others were left. */
  async function killAndWatch(): Promise<number> {
    const fill =
      "const all = []; for (let n = 0; n < 60; n++) all.push(Buffer.alloc(4e6, 1)); console.log(1); setInterval(() => {}, 1e3)";
    const holder = spawn(process.execPath, ["-e", fill], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(holder);
    const pid = holder.pid ?? 0;
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const begun = beginningOf(pid);
    process.kill(pid, "SIGKILL");
    let seen = 0;
    // Without a pause: this process takes note of its child's end only between turns.
    for (let isOver = false; !isOver;) {
      const before = isRunning(pid, begun);
      const threads = readdirSync(`/proc/${pid}/task`).length;
      const isZombie = /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
      isOver = isZombie && threads <= 1;
      if (!isZombie || isOver) continue;
      seen++;
      if (!before) throw new Error(`taken for ended with ${threads} threads left`);
    }
    expect(isRunning(pid, begun)).toBe(false);
    return seen;
  }

  it("the same process is refused too, and a refusal leaves the holder alone", async () => {
    const lock = await lockDataFolder(dir);
    const before = await readdir(dir);
    expect(await refusal()).toContain(`process ${process.pid}`);
    expect(await readdir(dir)).toEqual(before);
    lock.release();
    expect(await refusal()).toBe("");
  });

  it("a holder that was killed does not keep it, and nothing of it is left", async () => {
    const { child } = await startHolder("http://localhost:3456");
    await end(child);
    expect(await readdir(dir)).toHaveLength(1);
    const next = await startHolder();
    expect(next.said).toBe("locked");
    expect(await refusal()).toContain(`process ${next.child.pid}`);
    expect(await readdir(dir)).toHaveLength(1);
  }, 20_000);

  it("another process that was given the number of a dead holder does not pass for it", async () => {
    const { child } = await startHolder();
    const [name = ""] = await readdir(dir);
    const claim = JSON.parse(await readFile(join(dir, name), "utf8")) as { begun?: string };
    await end(child);
    expect(claim.begun).toEqual(expect.any(String));
    await leave({ ...claim, pid: process.pid });
    expect(await refusal()).toBe("");
  }, 20_000);

  it("of many that find a dead holder's claim at the same moment, exactly one gets it", async () => {
    const contenders = await Promise.all(Array.from({ length: 4 }, startContender));
    const counts: number[] = [];
    for (let round = 0; round < 200; round++) {
      await leave({});
      const lockAtMs = Date.now() + 5;
      const saying = await Promise.all(contenders.map((child) => ask(child, { lockAtMs })));
      counts.push(saying.filter((said) => said === "locked").length);
      await Promise.all(contenders.map((child) => ask(child, "release")));
    }
    expect(counts).toEqual(counts.map(() => 1));
    expect(await readdir(dir)).toEqual([]);
  }, 60_000);

  it("a holder on another machine is not taken for dead", async () => {
    const file = await leave({ host: "elsewhere" });
    const message = await refusal();
    expect(message).toContain("on elsewhere");
    expect(message).toContain(`delete ${file}`);
    expect(await readdir(dir)).toEqual(["lock-left"]);
  });

  it("a claim that was never written whole counts for a moment only", async () => {
    for (const text of ["", "{", '{"pid":1}']) {
      const file = await leave(text);
      expect(await refusal()).toContain("try again");
      const old = new Date(Date.now() - 60_000);
      await utimes(file, old, old);
      expect(await refusal()).toBe("");
    }
  }, 20_000);
});
