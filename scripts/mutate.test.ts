/** The list of mechanisms fits the sources as they are now; that each is noticed is what `npm run mutate` shows. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTATIONS } from "./mutate/mutations.ts";
import { patched } from "./mutate/scratch.ts";

const root = join(import.meta.dirname, "..");

describe("mutations", () => {
  it.each(MUTATIONS)("$name fits just once, and its suite is there", ({ name, file, edits, noticedBy }) => {
    const text = readFileSync(join(root, file), "utf8");
    expect(patched(text, name, edits)).not.toBe(text);
    expect(existsSync(join(root, noticedBy[0]))).toBe(true);
  });

  it("have names of their own", () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });

  it("are refused where a text occurs twice or not at all", () => {
    expect(() => patched("a b a", "x", [["a", "c"]])).toThrow("occurs 2 times");
    expect(() => patched("a b a", "x", [["d", "c"]])).toThrow("occurs 0 times");
    expect(patched("a b a", "x", [["b", "$&"]])).toBe("a $& a");
  });
});
