/** A step of the build: what is text lies beside itself as Brotli and gzip, so that no node compresses the same file again and again. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(?:html|js|css|svg|webmanifest)$/;

export function compressAhead(outDir: string): Plugin {
  return { name: "compress ahead", apply: "build", closeBundle: () => compressFolder(outDir) };
}

function compressFolder(dir: string): void {
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    if (TEXT.test(name)) compressFile(join(dir, name));
  }
}

function compressFile(file: string): void {
  const content = readFileSync(file);
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params: size }));
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}
