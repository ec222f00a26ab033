/** What docs/security.md promises of the repository itself: its tests are there, no secret lies in it, no package is a known bad one. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const TEST_FOLDERS = ["functions/test", "scripts"];

/** Below this version the package can be crashed, filled up or tricked from outside. */
const FIXED_IN: readonly (readonly [name: string, version: string])[] = [
  ["ws", "8.21.1"], // CVE-2024-37890, CVE-2026-48779, CVE-2026-62389
  ["@hono/node-server", "2.1.6"], // CVE-2026-126343
  ["hono", "4.13.0"], // CVE-2026-22817, CVE-2026-54290, CVE-2026-69207
  ["better-auth", "1.7.16"], // CVE-2025-61928, CVE-2026-45364, CVE-2026-53516, CVE-2026-110862
  ["vite", "8.0.5"], // CVE-2026-39364
  ["socket.io-parser", "4.2.7"], // CVE-2023-32695, CVE-2026-33151, CVE-2026-69185
  ["engine.io", "6.4.2"], // CVE-2022-41940, CVE-2023-31125
];

/** An old client that has to be old: the tests let it connect to our own server, and nothing that is deployed has it. */
const OLD_ON_PURPOSE = "node_modules/socket.io-client-3/";

const SECRETS: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/=]{40}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{30,}/,
  /\bskat_bot_[\w-]{43}\b/,
];

function secretsIn(text: string): string[] {
  return SECRETS.flatMap((form) => form.exec(text)?.[0] ?? []);
}

function isBelow(version: string, fixed: string): boolean {
  const [have, want] = [version, fixed].map((text) => text.split(/[.-]/).map(Number));
  const at = want?.findIndex((number, index) => number !== have?.[index]) ?? -1;
  return at >= 0 && !((have?.[at] ?? 0) > (want?.[at] ?? 0));
}

describe("docs/security.md", () => {
  const text = readFileSync(join(root, "docs/security.md"), "utf8");
  const named = [...text.matchAll(/`([\w/.-]+\.ts)`: "([^"]+)"/g)].map(([, file = "", title = ""]) => [
    file,
    title,
  ]);

  it("names a test in every row", () => {
    const rows = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (row|threat) /.test(line));
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((row) => !/`[\w/.-]+\.ts`: "/.test(row))).toEqual([]);
  });

  it.each(named)("%s has: %s", (file = "", title = "") => {
    const path = TEST_FOLDERS.map((folder) => join(root, folder, file)).find((each) => existsSync(each));
    expect(path, `${file} is there`).toBeDefined();
    expect(readFileSync(path ?? "", "utf8")).toContain(title);
  });
});

describe("the repository", () => {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0");

  it("no file holds what looks like a secret", () => {
    const found = files
      .filter((file) => file !== "" && existsSync(join(root, file)))
      .flatMap((file) =>
        secretsIn(readFileSync(join(root, file), "utf8")).map((secret) => [file, secret.slice(0, 12)]),
      );
    expect(found).toEqual([]);
  });

  it("what looks like a secret is found", () => {
    const letters = "Ab1".repeat(20);
    const texts = [
      `ghp_${letters.slice(0, 36)}`,
      `AKIA${"A1".repeat(8)}`,
      `eyJ${letters}.eyJ${letters}.${letters}`,
    ];
    for (const text of texts) expect(secretsIn(`x = "${text}"`)).toEqual([text]);
  });

  it("no package is installed at a version with a known fault", () => {
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version?: string; dev?: boolean }>;
    };
    const bad = Object.entries(lock.packages).filter(([path, { version, dev }]) => {
      if (dev && path.startsWith(OLD_ON_PURPOSE)) return false;
      const name = path.split("node_modules/").at(-1);
      return FIXED_IN.some(([each, fixed]) => each === name && isBelow(version ?? "0", fixed));
    });
    expect(bad).toEqual([]);
  });

  it.each([
    ["8.21.0", true],
    ["8.21.1", false],
    ["8.23.0", false],
    ["7.99.9", true],
    ["10.0.0", false],
  ])("%s is below 8.21.1: %s", (version, expected) => {
    expect(isBelow(version, "8.21.1")).toBe(expected);
  });
});
