/** A copy of the checkout to take mechanisms out of: the work tree is never touched. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "./mutations.ts";

export interface Scratch {
  readonly dir: string;
  /** Takes the mechanism out, and answers what puts it back. */
  apply(mutation: Mutation): () => void;
  remove(): void;
}

/** What git does not keep and tests need: the first are made, the others are installed and only pointed to. */
const GENERATED = ["functions/generated", "web/dist"];
const INSTALLED = [
  "node_modules",
  "functions/node_modules",
  "web/node_modules",
  "infra/node_modules",
  ".sst",
];

export function makeScratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), "skat-mutate-"));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter((name) => name !== "" && existsSync(name)))
    cpSync(file, join(dir, file));
  for (const folder of GENERATED) cpSync(folder, join(dir, folder), { recursive: true });
  for (const folder of INSTALLED.filter((name) => existsSync(name)))
    symlinkSync(join(process.cwd(), folder), join(dir, folder));
  return {
    dir,
    apply: (mutation) => apply(dir, mutation),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function apply(dir: string, { name, file, edits }: Mutation): () => void {
  const path = join(dir, file);
  const before = readFileSync(path, "utf8");
  writeFileSync(path, patched(before, name, edits));
  return () => writeFileSync(path, before);
}

/** Throws where a text to replace does not occur just once. */
export function patched(text: string, name: string, edits: Mutation["edits"]): string {
  return edits.reduce((now, [search, replace]) => {
    const [before, after, ...more] = now.split(search);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(
        `${name}: occurs ${after === undefined ? 0 : more.length + 1} times instead of once: ${search}`,
      );
    return before + replace + after;
  }, text);
}
