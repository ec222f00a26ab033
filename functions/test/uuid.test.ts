/** UUIDv7: form, time and chance. */
import { describe, expect, it } from "vitest";
import { systemRuntime } from "../adapters/runtime-system.ts";
import type { Runtime } from "../core/runtime.ts";
import { isUuidV7, uuidTimeMs, uuidV7 } from "../core/uuid.ts";

function runtimeAt(ms: number, byte: number): Runtime {
  return { ...systemRuntime, now: () => ms, randomBytes: (length) => new Uint8Array(length).fill(byte) };
}

describe("a UUIDv7", () => {
  it.each([
    [0x017f22e279b0, 0x00, "017f22e2-79b0-7000-8000-000000000000"],
    [0x017f22e279b0, 0xff, "017f22e2-79b0-7fff-bfff-ffffffffffff"],
    [0, 0x5a, "00000000-0000-7a5a-9a5a-5a5a5a5a5a5a"],
    [2 ** 48 - 1, 0x5a, "ffffffff-ffff-7a5a-9a5a-5a5a5a5a5a5a"],
    [1.9, 0, "00000000-0001-7000-8000-000000000000"],
    [-5, 0, "00000000-0000-7000-8000-000000000000"],
  ])("of time %d and chance %d is %s", (ms, byte, id) => {
    expect(uuidV7(runtimeAt(ms, byte))).toBe(id);
    expect(isUuidV7(id)).toBe(true);
  });

  it("tells the time of its making", () => {
    const beforeMs = Date.now();
    const timeMs = uuidTimeMs(uuidV7(systemRuntime));
    expect(timeMs).toBeGreaterThanOrEqual(beforeMs);
    expect(timeMs).toBeLessThanOrEqual(Date.now());
    expect(uuidTimeMs("ffffffff-ffff-7a5a-9a5a-5a5a5a5a5a5a")).toBe(2 ** 48 - 1);
  });

  it("is never the same twice, and sorts by time as text", () => {
    const ids = Array.from({ length: 10_000 }, () => uuidV7(systemRuntime));
    expect(new Set(ids).size).toBe(ids.length);
    expect(uuidV7(runtimeAt(1000, 0xff)) < uuidV7(runtimeAt(1001, 0))).toBe(true);
  });

  it.each([
    ["", "nothing"],
    ["lobby", "a word"],
    ["017F22E2-79B0-7000-8000-000000000000", "upper case"],
    ["017f22e2-79b0-4000-8000-000000000000", "version 4"],
    ["017f22e2-79b0-7000-c000-000000000000", "another variant"],
    ["017f22e279b070008000000000000000", "no hyphens"],
    ["{017f22e2-79b0-7000-8000-000000000000}", "braces"],
    [" 017f22e2-79b0-7000-8000-000000000000", "a space before"],
    ["017f22e2-79b0-7000-8000-000000000000\n", "a line break behind"],
    ["017f22e2-79b0-7000-8000-00000000000g", "a letter past f"],
  ])("is not %j (%s)", (text) => {
    expect(isUuidV7(text)).toBe(false);
  });
});
