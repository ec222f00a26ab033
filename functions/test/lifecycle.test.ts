/** The end of a process: order, deadline, signals and failures, the last two in processes of their own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { createLifecycle } from "../lib/lifecycle.ts";
import { createLogger } from "../lib/logger.ts";

function aLifecycle(deadlineMs = 5000) {
  const lines: string[] = [];
  const exits: number[] = [];
  const logger = createLogger({ level: "info", destination: { write: (line) => void lines.push(line) } });
  const lifecycle = createLifecycle({ logger, deadlineMs, exit: (code) => void exits.push(code) });
  return { lifecycle, exits, log: () => lines.join("") };
}

describe("the end", () => {
  it("closes in reverse, one after the other, and exits once", async () => {
    const { lifecycle, exits } = aLifecycle();
    const steps: string[] = [];
    for (const name of ["redis", "kafka", "http"]) {
      lifecycle.onClose(name, async () => {
        steps.push(`${name} begins`);
        await new Promise(setImmediate);
        steps.push(`${name} ends`);
      });
    }
    await Promise.all([lifecycle.end("test"), lifecycle.end("again")]);
    expect(steps).toEqual(["http", "kafka", "redis"].flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(exits).toEqual([0]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken pipe");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken pipe"))],
  ])("goes on past a closer that %s, tells it, and exits with 1", async (_, close) => {
    const { lifecycle, exits, log } = aLifecycle();
    let isClosed = false;
    lifecycle.onClose("redis", () => void (isClosed = true));
    lifecycle.onClose("kafka", close);
    await lifecycle.end("test");
    expect(isClosed).toBe(true);
    expect(exits).toEqual([1]);
    expect(log()).toMatch(/"part":"kafka".*broken pipe/);
  });

  it("does not wait past the deadline, and names the part that hung", async () => {
    const { lifecycle, exits, log } = aLifecycle(30);
    lifecycle.onClose("kafka", () => new Promise(() => {}));
    await lifecycle.end("test");
    expect(exits).toEqual([1]);
    expect(log()).toMatch(/"part":"kafka"/);
  });

  it("keeps the code of a failure, also of one that comes while it closes", async () => {
    const { lifecycle, exits } = aLifecycle();
    lifecycle.onClose("http", () => void lifecycle.end("failure", 1));
    await lifecycle.end("test");
    expect(exits).toEqual([1]);
  });
});

describe("a process that is watched", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("[G11] closes on %s and exits with 0", async (signal) => {
    const child = start("lifecycle.onClose('http', () => console.log('closed'));");
    await child.says("ready");
    child.process.kill(signal);
    expect(await child.exit()).toEqual([0, null]);
    expect(child.output()).toContain("closed");
    expect(child.output()).toContain(`"reason":"${signal}"`);
  });

  it("takes two signals at once as one: npm forwards what the terminal has already sent", async () => {
    const child = start(
      "lifecycle.onClose('http', async () => { await new Promise((r) => setTimeout(r, 200)); console.log('closed'); });",
    );
    await child.says("ready");
    child.process.kill("SIGINT");
    await child.says("ending");
    child.process.kill("SIGINT");
    expect(await child.exit()).toEqual([0, null]);
    expect(child.output()).toContain("closed");
  });

  it("ends at once on a second Ctrl-C", async () => {
    const child = start(
      "lifecycle.onClose('http', () => new Promise((r) => { setTimeout(() => console.log('waiting'), 600); setTimeout(r, 60_000); }));",
    );
    await child.says("ready");
    child.process.kill("SIGINT");
    await child.says("waiting");
    child.process.kill("SIGINT");
    expect(await child.exit()).toEqual([130, null]);
  });

  it.each([
    ["uncaught exception", "setTimeout(() => { throw new Error('who catches me') }, 10);"],
    ["unhandled rejection", "Promise.reject(new Error('who catches me', { cause: new Error('deep') }));"],
    ["uncaught exception", "setTimeout(() => { throw 'who catches me' }, 10);"],
  ])("tells an %s in full, closes, and exits with 1", async (title, code) => {
    const child = start(`lifecycle.onClose('http', () => console.log('closed')); ${code}`);
    expect(await child.exit()).toEqual([1, null]);
    expect(child.output()).toContain(title);
    expect(child.output()).toContain("who catches me");
    expect(child.output()).toContain("closed");
  });
});

function start(code: string) {
  const script = `
    import { createLifecycle } from "./functions/lib/lifecycle.ts";
    import { createLogger } from "./functions/lib/logger.ts";
    const lifecycle = createLifecycle({ logger: createLogger({ level: "info" }), deadlineMs: 10_000 });
    lifecycle.watch();
    setInterval(() => {}, 1000);
    ${code}
    console.log("ready");`;
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    { cwd: new URL("../..", import.meta.url), stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit");
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return {
    process: child,
    output: () => text,
    exit: () => exited,
    says: (word: string) => expect.poll(() => text, { timeout: 10_000 }).toContain(word),
  };
}
