/** The launcher in a small project of its own: it installs when it must, once, and heals what was interrupted. */
import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const commands = `export const commands = {
  hello: { entry: "hello.mjs", needs: [], usage: "hello", summary: "Says hello.", details: "None." },
};
export const helpFor = (name) => commands[name]?.summary ?? "list";
`;
const hello = `import { parseArgs } from "node:util";
if (process.argv.includes("--strict")) parseArgs({ options: { strict: { type: "boolean" } } });
if (process.argv.includes("wait")) {
  process.on("SIGTERM", () => process.exit(7));
  setInterval(() => {}, 1000);
}
process.exitCode = process.argv.length > 2 ? 3 : 0;
console.log("hello", ...process.argv.slice(2));
`;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "skat-launcher-"));
  for (const file of ["run.mjs", "ready.mjs", "lock.mjs"]) {
    cpSync(join(import.meta.dirname, file), join(dir, "scripts", file));
  }
  writeFileSync(join(dir, "scripts/commands.mjs"), commands);
  writeFileSync(join(dir, "hello.mjs"), hello);
  // Stands in for the real one, which only teaches Node about TypeScript.
  lock("tsx");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A project that depends on these local packages, and its lockfile. */
function lock(...names: string[]): void {
  const version = "1.0.0";
  for (const name of names) {
    write(`${name}/package.json`, { name, version, type: "module", exports: "./index.js" });
    writeFileSync(join(dir, name, "index.js"), "");
  }
  const root = { name: "small", version, type: "module", workspaces: names };
  write("package.json", root);
  const entries = names.flatMap((name) => [
    [name, { version }],
    [`node_modules/${name}`, { resolved: name, link: true }],
  ]);
  write("package-lock.json", {
    name: "small",
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { "": root, ...Object.fromEntries(entries) },
  });
}

function write(file: string, value: unknown): void {
  mkdirSync(join(dir, file, ".."), { recursive: true });
  writeFileSync(join(dir, file), JSON.stringify(value));
}

interface Run {
  child: ChildProcess;
  /** Resolves when the output holds this. */
  says(text: string): Promise<void>;
  ended: Promise<{ code: number | null; output: string }>;
}

function launch(...args: string[]): Run {
  const child = spawn(process.execPath, [join(dir, "scripts/run.mjs"), "hello", ...args]);
  let output = "";
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      heard.forEach((check) => check());
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
  const says = (text: string) =>
    new Promise<void>((resolve) => {
      const check = () => output.includes(text) && resolve();
      heard.add(check);
      check();
    });
  return { child, says, ended };
}

describe("the launcher", () => {
  it("installs on a clean clone, and not again", async () => {
    expect(await launch().ended).toMatchObject({ code: 0, output: expect.stringContaining("Installing") });
    expect(await launch().ended).toEqual({ code: 0, output: "hello\n" });
  });

  it("passes on arguments and exit code", async () => {
    await launch().ended;
    expect(await launch("a", "--b").ended).toEqual({ code: 3, output: "hello a --b\n" });
  });

  it("answers a word that the command does not know with its help", async () => {
    await launch().ended;
    const { code, output } = await launch("--strict", "--loud").ended;
    expect(code).toBe(2);
    expect(output).toMatch(/^Unknown option '--loud'.*\n\nSays hello\.\n$/);
  });

  it("leaves signals to the command", async () => {
    const run = launch("wait");
    await run.says("hello wait");
    run.child.kill("SIGTERM");
    expect(await run.ended).toMatchObject({ code: 7 });
  });

  it("installs again when the lockfile has changed", async () => {
    await launch().ended;
    lock("tsx", "another");
    expect((await launch().ended).output).toContain("Installing");
    expect((await launch().ended).output).toBe("hello\n");
  });

  it("two at once: one installs, the other waits, both run", async () => {
    const runs = await Promise.all([launch().ended, launch().ended]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(runs.filter(({ output }) => output.includes("Installing"))).toHaveLength(1);
    expect(runs.filter(({ output }) => output.includes("hello\n"))).toHaveLength(2);
  });

  it("heals an installation that was killed", async () => {
    const killed = launch();
    await killed.says("Installing");
    killed.child.kill("SIGKILL");
    await killed.ended; // npm holds its output, so it has ended too
    rmSync(join(dir, "node_modules/tsx"), { recursive: true, force: true });
    rmSync(join(dir, "node_modules/.package-lock.json"), { force: true });
    expect(await launch().ended).toMatchObject({ code: 0, output: expect.stringContaining("hello\n") });
  });

  it("breaks the lock of a dead process, and waits for a living one", async () => {
    const dead = launch();
    await dead.ended;
    rmSync(join(dir, "node_modules"), { recursive: true });
    writeFileSync(join(dir, "node_modules.lock"), String(dead.child.pid));
    expect(await launch().ended).toMatchObject({ code: 0 });

    rmSync(join(dir, "node_modules"), { recursive: true });
    writeFileSync(join(dir, "node_modules.lock"), String(process.pid));
    const waiting = launch();
    await waiting.says(`Waiting for process ${process.pid}`);
    rmSync(join(dir, "node_modules.lock"));
    expect(await waiting.ended).toMatchObject({ code: 0 });
  });

  it("a lockfile out of step starts nothing, and says how to mend it", async () => {
    const project = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as object;
    write("package.json", { ...project, dependencies: { "left-out": "file:./left-out" } });
    const { code, output } = await launch().ended;
    expect(code).toBe(1);
    expect(output).toContain("npm ci failed");
    expect(output).toContain("Nothing was started.");
    expect(output).not.toContain("hello\n");
  });

  it("helps without installing anything", async () => {
    expect(await launch("--help").ended).toEqual({ code: 0, output: "Says hello.\n" });
  });
});
