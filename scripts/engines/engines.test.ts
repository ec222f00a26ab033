/** The engines that tests rely on do what they promise: keep, lose, freeze, and end with whoever started them. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { describeEngine } from "../../functions/test/engines.ts";
import type { Engine } from "./engine.ts";
import { endLeftovers, isUp, type Running } from "./leftovers.ts";
import { startPostgres } from "./postgres.ts";
import { ask, until } from "./ports.ts";
import { startRedis, type RedisOptions } from "./redis.ts";

describeEngine(["control"], "engines for tests", () => {
  const started: Engine[] = [];
  const keep = <Kind extends Engine>(engine: Kind): Kind => {
    started.push(engine);
    return engine;
  };
  afterEach(async () => void (await Promise.all(started.splice(0).map((engine) => engine.dispose()))));

  const redis = async (options: RedisOptions = {}) => keep(await startRedis(options));
  const tell = async (engine: Engine, text: string) =>
    (await ask(engine.port, `${text}\r\n`, 500))?.toString();
  const get = async (engine: Engine) => (await tell(engine, "GET a"))?.split("\r\n")[1];

  it.each([
    ["none", undefined],
    ["aof", "1"],
  ] as const)("Redis with persistence %s has after SIGKILL: %s", async (persistence, left) => {
    const engine = await redis({ persistence });
    await tell(engine, "SET a 1");
    await engine.kill();
    expect(await tell(engine, "PING")).toBeUndefined();
    await engine.start();
    expect((await get(engine)) || undefined).toBe(left);
  });

  it.each(["none", "aof"] as const)(
    "Redis with persistence %s goes back to a snapshot",
    async (persistence) => {
      const engine = await redis({ persistence });
      const file = join(engine.dir, "older");
      await tell(engine, "SET a older");
      await engine.save(file);
      await tell(engine, "SET a newer");
      await engine.restore(file);
      expect(await get(engine)).toBe("older");
      await engine.restart();
      expect((await get(engine)) || undefined).toBe(persistence === "aof" ? "older" : undefined);
    },
  );

  it("a paused engine keeps silent, and answers when it goes on", async () => {
    const engine = await redis();
    await engine.pause();
    expect(await tell(engine, "PING")).toBeUndefined();
    await engine.resume();
    expect(await tell(engine, "PING")).toContain("PONG");
  });

  it("a paused engine can be stopped and started", async () => {
    const engine = await redis();
    await engine.pause();
    await engine.stop();
    await engine.start();
    expect(await tell(engine, "PING")).toContain("PONG");
  });

  it("several run side by side", async () => {
    const [one, other] = await Promise.all([redis(), redis()]);
    await tell(one, "SET a 1");
    expect(await get(other)).toBe("");
    expect(await get(one)).toBe("1");
  });

  it("PostgreSQL comes back on the same port after SIGKILL and after a stop", async () => {
    const engine = keep(await startPostgres());
    const { url } = engine;
    await engine.kill();
    await engine.start();
    await engine.restart();
    expect(engine.url).toBe(url);
  });

  it("ends when it is disposed of, and its folder goes with it", async () => {
    const engine = await startRedis();
    const running = engine.running as Running;
    expect(isUp(running)).toBe(true);
    await engine.dispose();
    expect(isUp(running)).toBe(false);
    expect(existsSync(engine.dir)).toBe(false);
  });

  it.each(["SIGTERM", "SIGKILL", "exit"] as const)("does not outlive its owner: %s", async (end) => {
    const script = `
      import { startRedis } from ${JSON.stringify(import.meta.resolve("./redis.ts"))};
      const { running, dir } = await startRedis();
      process.stdout.write(JSON.stringify({ running, dir }));
      ${end === "exit" ? "" : "setInterval(() => {}, 1000);"}`;
    const args = ["--import", "tsx", "--input-type=module", "--eval", script];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const said = await new Promise<Buffer>((resolve) => child.stdout.once("data", resolve));
    const { running, dir } = JSON.parse(said.toString()) as { running: Running; dir: string };
    if (end !== "exit") child.kill(end);
    await ended;
    if (end === "SIGKILL") endLeftovers(); // what the next user of engines does first
    expect(await until(() => !isUp(running), 5_000)).toBe(true);
    expect(existsSync(dir)).toBe(false);
  });
});
