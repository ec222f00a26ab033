/** The package as it is published, and its page. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPackage } from "../build.ts";
import { renderSdkPage } from "../docs.ts";

const GZIP_BYTES_MAX = 10_000;

describe("the package @skat/client", () => {
  let dir: string;
  let script: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "skat-package-"));
    await buildPackage(dir, { withTypes: false });
    script = readFileSync(join(dir, "index.js"), "utf8");
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it(`is at most ${GZIP_BYTES_MAX} bytes of gzip`, () => {
    expect(gzipSync(script, { level: 9 }).length).toBeLessThanOrEqual(GZIP_BYTES_MAX);
  });

  it("is one file that needs nothing else", () => {
    expect(script).not.toMatch(/\bimport\b|\brequire\b|from\s*["'`]/);
    const { dependencies, exports } = JSON.parse(
      readFileSync(join(dir, "package.json"), "utf8"),
    ) as object & {
      dependencies?: object;
      exports: { default: string };
    };
    expect(dependencies).toBeUndefined();
    expect(exports.default).toBe("./index.js");
  });

  it("runs in Node as it is, and says what Node lacks", async () => {
    const { createClient, memoryStorage } = (await import(
      pathToFileURL(join(dir, "index.js")).href
    )) as typeof import("../src/index.ts");
    const urls: string[] = [];
    const openSocket = (url: string) => (urls.push(url), { send: () => {}, close: () => {} });
    const options = { url: "https://chat.test/", token: "t", storage: memoryStorage() };
    createClient({ ...options, openSocket })
      .connect()
      .close();
    expect(urls).toEqual(["wss://chat.test/ws"]);
    if ("WebSocket" in globalThis) return;
    expect(() => createClient(options)).toThrow(expect.objectContaining({ code: "no_websocket" }));
  });
});

it("docs/sdk.md is what the sources say", () => {
  const page = readFileSync(new URL("../../../docs/sdk.md", import.meta.url), "utf8");
  expect(renderSdkPage(), "`npm run docs -w @skat/client` writes it").toBe(page);
});
