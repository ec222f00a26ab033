/** The lock of the data folder, held by real processes. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolderLockedError, lockDataFolder } from "../lib/data-lock.ts";

const HOLDER = fileURLToPath(new URL("data-lock-holder.ts", import.meta.url));

describe("the lock of the data folder", () => {
  let dir: string;
  let children: ChildProcess[] = [];
  const file = (): string => join(dir, "lock");

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

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  function refusal(): string {
    try {
      lockDataFolder(dir).release();
    } catch (error) {
      if (error instanceof DataFolderLockedError) return error.message;
      throw error;
    }
    return "";
  }

  it("makes the folder where it is missing, and leaves it clean", async () => {
    dir = join(dir, "a", "b");
    const lock = lockDataFolder(dir);
    lock.note({ url: "http://localhost:3000" });
    expect(await readdir(dir)).toEqual(["lock"]);
    lock.release();
    lock.release();
    lock.note({ url: "http://localhost:3001" });
    expect(await readdir(dir)).toEqual([]);
    lockDataFolder(dir).release();
  });

  it("a second start is told who holds it, since when, where it is, and how to go on", async () => {
    const startedAtMs = Date.now();
    const { child, said } = await startHolder("http://localhost:3456");
    expect(said).toBe("locked");
    const message = refusal();
    expect(message).toContain(`process ${child.pid}`);
    expect(message).toContain("http://localhost:3456");
    expect(message).toContain(`kill ${child.pid}`);
    expect(message).toContain("DATA_DIR");
    const since = Date.parse(/since (\S+),/.exec(message)?.[1] ?? "");
    expect(since).toBeGreaterThanOrEqual(startedAtMs);
    expect(since).toBeLessThanOrEqual(Date.now());
  }, 20_000);

  it("the same process is refused too", () => {
    const lock = lockDataFolder(dir);
    expect(refusal()).toContain(`process ${process.pid}`);
    lock.release();
    expect(refusal()).toBe("");
  });

  it("a holder that was killed does not keep it", async () => {
    const { child } = await startHolder("http://localhost:3456");
    await end(child);
    expect(existsSync(file())).toBe(true);
    expect((await startHolder()).said).toBe("locked");
    expect(refusal()).not.toContain("3456");
    expect(await readdir(dir)).toEqual(["lock"]);
  }, 20_000);

  it("another process that was given the number of a dead holder does not pass for it", async () => {
    const { child, said } = await startHolder();
    expect(said).toBe("locked");
    const holder = JSON.parse(await readFile(file(), "utf8")) as Record<string, unknown>;
    expect(holder["begun"]).toEqual(expect.any(String));
    await end(child);
    await writeFile(file(), JSON.stringify({ ...holder, pid: process.pid }));
    expect(refusal()).toBe("");
  }, 20_000);

  it("of many that find a dead holder's lock at once, exactly one gets it", async () => {
    for (let round = 0; round < 3; round++) {
      const dead = { token: "dead", pid: 2 ** 30, host: hostname(), sinceMs: 0 };
      await writeFile(file(), JSON.stringify(dead));
      const holders = await Promise.all(Array.from({ length: 6 }, () => startHolder()));
      const saying = holders.map(({ said }) => said);
      expect(saying.filter((said) => said === "locked")).toHaveLength(1);
      expect(saying.filter((said) => said.startsWith("DataFolderLockedError"))).toHaveLength(5);
      await Promise.all(children.map(end));
      children = [];
      await rm(file());
    }
  }, 60_000);

  it("a holder on another machine is not taken for dead", async () => {
    const holder = { token: "far", pid: 2 ** 30, host: "elsewhere", sinceMs: 0 };
    await writeFile(file(), JSON.stringify(holder));
    const message = refusal();
    expect(message).toContain("on elsewhere");
    expect(message).toContain(`delete ${file()}`);
    expect(JSON.parse(await readFile(file(), "utf8"))).toEqual(holder);
  });

  it("a file that was never filled counts for a moment only", async () => {
    for (const text of ["", "{", '{"pid":1}']) {
      await writeFile(file(), text);
      expect(refusal()).toContain("try again");
      const old = new Date(Date.now() - 60_000);
      await utimes(file(), old, old);
      expect(refusal()).toBe("");
    }
  });

  it("what belongs to another holder is neither changed nor removed", async () => {
    const lock = lockDataFolder(dir);
    await rm(file());
    const other = lockDataFolder(dir);
    lock.note({ url: "http://localhost:1" });
    lock.release();
    expect(refusal()).toContain(`process ${process.pid}`);
    expect(refusal()).not.toContain("localhost:1");
    other.release();
    expect(refusal()).toBe("");
  });
});
