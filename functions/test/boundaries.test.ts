/** Who may import whom, and who may read the environment, held by reading the sources: the linter misses some spellings. */
import { readdirSync, readFileSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { describe, expect, it } from "vitest";

const functionsDir = join(import.meta.dirname, "..");

/** What each layer may import beside its own files and, but for the core and the protocol, packages. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  lib: ["protocol"],
  core: ["protocol", "lib"],
  config: ["protocol", "lib"],
  adapters: ["protocol", "lib", "core", "generated"],
  http: ["protocol", "lib", "core"],
  socketio: ["protocol", "lib", "core"],
  auth: ["protocol", "lib", "core", "generated"],
  admin: ["protocol", "lib", "core"],
  entry: ["protocol", "lib", "core", "config", "adapters", "http", "socketio", "auth", "admin"],
};
const withoutPackages = ["protocol", "core"];

/** The core is given time, chance and processes from outside, so that it can run under a simulated clock. */
const impure =
  /\bDate\.now\b|\bnew Date\(\)|\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\(|\bMath\.random\b|\bperformance\.|\bcrypto\b|\bprocess\b/;

/** Every way to the environment: `process.env`, `process["env"]`, `{ env } = process`, `{ env } from "node:process"`. */
const environment =
  /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|=\s*process\b\s*(?![.\w?])|["'](?:node:)?process["']|\bimport\.meta\.env\b|\bloadEnvFile\b/;

/** The text without comments. Strings stay: taking them out by pattern could take out code between two of them. */
function codeOf(text: string): string {
  return text.replaceAll(/(^|\s)\/\*[\s\S]*?\*\//g, "$1").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

/** The modules that code names in `import`, `export … from`, `import()` (also as a type) and `require()`. */
function importsOf(code: string): string[] {
  const names = code.matchAll(/\b(?:from|import|require)\s*\(?\s*["']([^"']+)["']/g);
  return [...names].map(([, name = ""]) => name);
}

/** The layer of a file, given as a path in functions/. */
function layerOf(file: string): string {
  const [first = "", ...rest] = file.split("/");
  if (rest.length > 0) return first;
  if (first === "protocol.ts") return "protocol";
  return first === "config.ts" ? "config" : "entry";
}

/** What is wrong with a file's imports. */
function faultsOf(file: string, code: string): string[] {
  const layer = layerOf(file);
  return importsOf(code).flatMap((name) => {
    if (!name.startsWith(".")) return withoutPackages.includes(layer) ? [`${file} imports ${name}`] : [];
    const target = layerOf(
      normalize(join(file, "..", name))
        .split(sep)
        .join("/"),
    );
    return target === layer || allowed[layer]?.includes(target) ? [] : [`${file} imports ${name}`];
  });
}

const sources = readdirSync(functionsDir, { recursive: true, encoding: "utf8" })
  .map((file) => file.split(sep).join("/"))
  .filter((file) => file.endsWith(".ts") && !/^(?:generated|test|node_modules)\//.test(file))
  .map((file) => ({ file, code: codeOf(readFileSync(join(functionsDir, file), "utf8")) }));

/** The sources of a folder in web/. */
function webSources(folder: string): { file: string; code: string }[] {
  const dir = join(functionsDir, "../web", folder);
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.tsx?$/.test(file),
  );
  return files.map((file) => ({ file, code: codeOf(readFileSync(join(dir, file), "utf8")) }));
}

/** Whether what a file imports lies in the same folder of sources. */
function isBeside(file: string, name: string): boolean {
  return name.startsWith(".") && !normalize(join(file, "..", name)).startsWith("..");
}

describe("boundaries", () => {
  it("protocol ← lib ← core ← adapters, auth and http ← entries, siblings apart", () => {
    expect(sources.flatMap(({ file, code }) => faultsOf(file, code))).toEqual([]);
  });

  it("only config.ts reads the environment", () => {
    const readers = sources.filter(({ code }) => environment.test(code)).map(({ file }) => file);
    expect(readers).toEqual(["config.ts"]);
  });

  it("the core takes no time, no chance and no process from the machine", () => {
    const core = sources.filter(({ file }) => layerOf(file) === "core");
    expect(core.length).toBeGreaterThan(10);
    expect(core.filter(({ code }) => impure.test(code)).map(({ file }) => file)).toEqual([]);
  });

  it("the SDK knows the wire and nothing else, and takes time and chance from its runtime", () => {
    const sdk = webSources("sdk/src");
    const outside = sdk.flatMap(({ file, code }) => importsOf(code).filter((name) => !isBeside(file, name)));
    expect(new Set(outside)).toEqual(new Set(["../../../functions/protocol.ts"]));
    const machines = sdk.filter(({ code }) => impure.test(code)).map(({ file }) => file);
    expect(machines).toEqual(["runtime-system.ts"]);
  });

  it("the page knows the SDK and nothing of the server", () => {
    const outside = webSources("src").flatMap(({ file, code }) =>
      importsOf(code).filter((name) => name.startsWith(".") && !isBeside(file, name)),
    );
    expect(outside).toEqual([]);
  });
});

describe("what holds the boundaries", () => {
  it.each([
    ["core/a.ts", 'import { x } from "../adapters/b.ts";'],
    ["core/a.ts", 'import type { x } from "../adapters/b.ts";'],
    ["core/a.ts", 'export * from "../http/b.ts";'],
    ["core/a.ts", 'let x: import("../http/b.ts").T;'],
    ["core/a.ts", 'await import("../adapters/b.ts");'],
    ["core/a.ts", 'import "../adapters/b.ts";'],
    ["core/a.ts", 'import pino from "pino";'],
    ["core/a.ts", 'import { env } from "node:process";'],
    ["core/deep/a.ts", 'import { x } from "../../http/b.ts";'],
    ["lib/a.ts", 'import { x } from "../core/b.ts";'],
    ["adapters/a.ts", 'import { x } from "../http/b.ts";'],
    ["http/a.ts", 'import { x } from "../adapters/b.ts";'],
    ["http/a.ts", 'import { x } from "../auth/b.ts";'],
    ["auth/a.ts", 'import { x } from "../adapters/b.ts";'],
    ["adapters/a.ts", 'import { x } from "../config.ts";'],
    ["node.ts", 'import { x } from "./test/b.ts";'],
    ["protocol.ts", 'import { x } from "./lib/b.ts";'],
    ["protocol.ts", 'import { z } from "zod";'],
  ])("refuses in %s: %s", (file, text) => expect(faultsOf(file, codeOf(text))).toHaveLength(1));

  it.each([
    ["core/a.ts", 'import { x } from "../lib/b.ts"; import { y } from "./c.ts";'],
    ["http/a.ts", 'import { Hono } from "hono"; import { x } from "../core/b.ts";'],
    ["node.ts", 'import { x } from "./adapters/b.ts"; import { y } from "./serve.ts";'],
    ["core/a.ts", '// import { x } from "../adapters/b.ts";'],
  ])("accepts in %s: %s", (file, text) => expect(faultsOf(file, codeOf(text))).toEqual([]));

  it.each([
    "process.env.A",
    'process["env"]',
    "const { env } = process;",
    "const p = process, e = p.env;",
    'import { env } from "node:process";',
    'import process from "process";',
    "process?.env",
    "import.meta.env.A",
    "process.loadEnvFile()",
  ])("sees the environment in %s", (text) => expect(codeOf(text)).toMatch(environment));

  it.each([
    "process.exit(1)",
    "exit = process.exit",
    "{ process = false }",
    "process.on(x)",
    "// process.env",
  ])("sees none in %s", (text) => expect(codeOf(text)).not.toMatch(environment));

  it.each(["Date.now()", "new Date()", "setTimeout(f, 1)", "Math.random()", "performance.now()"])(
    "sees the machine in %s",
    (text) => expect(codeOf(text)).toMatch(impure),
  );
});
