/** Makes programs of the entries in functions/: one bundle starts in half the time, and needs no `node_modules`. */
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const root = resolve(import.meta.dirname, "..");

/** What the npm scripts run. */
const PROGRAMS = ["dev", "node", "consumer", "migrate", "doctor", "stage", "admin"];
const PROGRAMS_DIR = join(root, "dist/server");

export interface BundleOptions {
  /** Names of files in functions/. */
  readonly entries: readonly string[];
  readonly outdir: string;
  /** Where the bundles take functions/ to be, as seen from `outdir`: what the sources find from where they lie is found from there. */
  readonly home: string;
}

/** Only the embedded store stays out: it brings files of its own. */
export async function bundle({ entries, outdir, home }: BundleOptions): Promise<void> {
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
    banner: {
      js: 'import{createRequire as requireOf}from"node:module";const require=requireOf(import.meta.url);',
    },
    legalComments: "linked",
    logLevel: "warning",
    plugins: [ownAddress(home)],
  });
}

/** Each module goes on finding migrations and page from where its source lies. */
const ownAddress = (home: string): Plugin => ({
  name: "own address",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = relative(join(root, "functions"), path).split(sep).join("/");
      if (place.startsWith("../") || place.includes("node_modules/")) return undefined;
      const address = `new URL(${JSON.stringify(`${home}${place}`)}, import.meta.url).href`;
      const contents = readFileSync(path, "utf8").replaceAll("import.meta.url", address);
      return { contents, loader: "ts", resolveDir: dirname(path) };
    });
  },
});

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  rmSync(PROGRAMS_DIR, { recursive: true, force: true });
  await bundle({ entries: PROGRAMS, outdir: PROGRAMS_DIR, home: "../../functions/" });
}
