/** `npm run image:tree`: makes the file trees of the container images in `dist/image/`, one for each of their targets. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

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
  await bundle(entries, join(dir, "functions"));
  for (const folder of folders) cpSync(join(root, folder), join(dir, folder), { recursive: true });
  return sizeOf(dir);
}

/**
 * One bundle instead of `node_modules`: of those even `npm ci --omit=dev` leaves nearly half a gigabyte, since Prisma, Vite and
 * tsx are optional peers of what is needed. Only the embedded store stays out; no image runs it.
 */
async function bundle(entries: readonly string[], outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => `functions/${entry}.ts`),
    outdir,
    bundle: true,
    splitting: true, // what is imported late is loaded late
    platform: "node",
    format: "esm",
    target: "node20",
    outExtension: { ".js": ".mjs" },
    external: ["@electric-sql/pglite", "pglite-prisma-adapter", "pg-native"],
    // CommonJS within an ES module has no `require` of its own.
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    legalComments: "linked",
    logLevel: "warning",
    plugins: [ownAddress],
  });
}

/** Bundles lie in `functions/`; each module goes on finding migrations and page from where its source lies. */
const ownAddress: Plugin = {
  name: "own address",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = relative(join(root, "functions"), path).split(sep).join("/");
      if (place.startsWith("../") || place.includes("node_modules/")) return undefined;
      const address = `new URL(${JSON.stringify(`./${place}`)}, import.meta.url).href`;
      const contents = readFileSync(path, "utf8").replaceAll("import.meta.url", address);
      return { contents, loader: "ts", resolveDir: dirname(path) };
    });
  },
};

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
