/** The machine's runtime: timers that are long, cancelled, or must not hold the process. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemRuntime } from "../adapters/runtime-system.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

afterEach(() => void vi.useRealTimers());

describe("the system's runtime", () => {
  it("reads a wall clock and a clock that never goes back", () => {
    expect(Math.abs(systemRuntime.now() - Date.now())).toBeLessThan(1000);
    const first = systemRuntime.elapsed();
    expect(systemRuntime.elapsed()).toBeGreaterThanOrEqual(first);
  });

  it("gives chance in [0, 1) and as many bytes as asked for", () => {
    const numbers = Array.from({ length: 1000 }, () => systemRuntime.random());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(systemRuntime.randomBytes(16)).toHaveLength(16);
    expect(systemRuntime.randomBytes(16)).not.toEqual(systemRuntime.randomBytes(16));
  });

  it.each([
    ["a second", 1000],
    ["30 days, longer than a timer can be", 30 * DAY_MS],
    ["a year", 365 * DAY_MS],
  ])("runs a task once after %s, not before", (_, delayMs) => {
    vi.useFakeTimers();
    const task = vi.fn();
    systemRuntime.after(delayMs, task);
    vi.advanceTimersByTime(delayMs - 1);
    expect(task).not.toHaveBeenCalled();
    vi.advanceTimersByTime(DAY_MS);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it("never runs a cancelled task, also after its first stretch", () => {
    vi.useFakeTimers();
    const task = vi.fn();
    const cancelEarly = systemRuntime.after(1000, task);
    const cancelLate = systemRuntime.after(30 * DAY_MS, task);
    cancelEarly();
    cancelEarly();
    vi.advanceTimersByTime(28 * DAY_MS);
    cancelLate();
    vi.advanceTimersByTime(30 * DAY_MS);
    expect(task).not.toHaveBeenCalled();
  });

  it("does not keep the process alive", async () => {
    const script = `import { systemRuntime } from "./functions/adapters/runtime-system.ts"; systemRuntime.after(60_000, () => {}); systemRuntime.after(${30 * DAY_MS}, () => {}); console.log("end");`;
    const options = { cwd: new URL("../..", import.meta.url), timeout: 20_000 };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", script],
      options,
    );
    expect(stdout).toBe("end\n");
  });
});
