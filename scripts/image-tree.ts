/** `npm run image:tree`: makes the file trees of the container images in `dist/image/`, one for each of their targets. */
import { cpSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.ts";

/** What each image runs, and the folders that those programs read. */
export const targets = {
  node: { entries: ["node", "migrate", "doctor", "admin"], folders: ["prisma/migrations", "web/dist"] },
  consumer: { entries: ["consumer"], folders: ["prisma/migrations"] },
} as const;

export type Target = keyof typeof targets;

const root = resolve(import.meta.dirname, "..");

/** Makes the tree of a target in `dir`, which it replaces, and answers its size in bytes. */
export async function makeTree(target: Target, dir: string): Promise<number> {
  const { entries, folders } = targets[target];
  rmSync(dir, { recursive: true, force: true });
  // Of `node_modules` even `npm ci --omit=dev` leaves nearly half a gigabyte: Prisma, Vite and tsx are optional peers of what is needed.
  await bundle({ entries, outdir: join(dir, "functions"), home: "./" });
  for (const folder of folders) cpSync(join(root, folder), join(dir, folder), { recursive: true });
  return sizeOf(dir);
}

function sizeOf(dir: string): number {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" }).map((file) =>
    statSync(join(dir, file)),
  );
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const target of Object.keys(targets) as Target[]) {
    const bytes = await makeTree(target, join(root, "dist/image", target));
    console.log(`dist/image/${target}  ${(bytes / 1e6).toFixed(1)} MB`);
  }
}
