/** The built page as files: how much a first visit loads, and how a node serves it. */
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import type { IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesOf } from "../worker/files.ts";
import { startEmbedded, type Embedded } from "../../functions/test/harness.ts";

const GZIP_BYTES_MAX = 110_000;
const DIST = join(import.meta.dirname, "../dist");
const assets = () => readdirSync(join(DIST, "assets")).filter((name) => /\.(js|css)$/.test(name));

it(`a first visit loads at most ${GZIP_BYTES_MAX} bytes of script and style, as gzip`, () => {
  const sizes = assets().map(
    (name) => gzipSync(readFileSync(join(DIST, "assets", name)), { level: 9 }).length,
  );
  expect(sizes.length).toBeGreaterThanOrEqual(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(GZIP_BYTES_MAX);
});

it("the document names every hashed file: what the service worker keeps is the whole page", () => {
  const named = filesOf(readFileSync(join(DIST, "index.html"), "utf8"));
  expect([...named].sort()).toEqual(
    assets()
      .map((name) => `/assets/${name}`)
      .sort(),
  );
});

describe("a node serves the page", () => {
  let server: Embedded;
  beforeAll(async () => void (server = await startEmbedded()), 120_000);
  afterAll(() => server?.stop());

  /** As it comes over the wire; `fetch` would unpack it. */
  function get(path: string, encodings: string): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const asked = request(server.url + path, { headers: { "accept-encoding": encodings } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
      });
      asked.on("error", reject).end();
    });
  }

  it.each([
    ["br", "gzip, deflate, br, zstd", brotliDecompressSync],
    ["gzip", "gzip, deflate", gunzipSync],
    [undefined, "identity", (body: Buffer) => body],
  ] as const)("compressed ahead as %s to who accepts %j", async (encoding, accepts, unpack) => {
    for (const path of ["/", ...assets().map((name) => `/assets/${name}`)]) {
      const { headers, body } = await get(path, accepts);
      expect(headers["content-encoding"], path).toBe(encoding);
      if (encoding !== undefined) expect(headers.vary).toMatch(/accept-encoding/i);
      expect(unpack(body)).toEqual(readFileSync(join(DIST, path === "/" ? "index.html" : path)));
    }
  });

  it("the service worker as a script that needs no other", async () => {
    const { headers, body } = await get("/sw.js", "identity");
    expect(headers["content-type"]).toMatch(/^text\/javascript/);
    expect(String(body)).not.toMatch(/\b(?:import|export)\b/);
  });

  it("hashed files for good, all others to be asked for each time", async () => {
    const cacheOf = async (path: string) => (await get(path, "br")).headers["cache-control"];
    for (const name of assets())
      expect(await cacheOf(`/assets/${name}`)).toBe("public, max-age=31536000, immutable");
    expect(await cacheOf("/")).toBe("no-cache");
    for (const path of ["/sw.js", "/manifest.webmanifest", "/icon.svg", "/icon-192.png"])
      expect(await cacheOf(path)).toBe("no-cache");
    expect(await cacheOf("/assets/gone.js")).toBeUndefined();
  });
});
