/** Builds the package as it is published: one file of script, declarations, and a `package.json`. `npm run build -w @skat/client`. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const SDK = fileURLToPath(new URL(".", import.meta.url));
const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

export interface BuildOptions {
  /** Declarations take most of the time. */
  readonly withTypes: boolean;
}

export async function buildPackage(outDir: string, { withTypes }: BuildOptions): Promise<void> {
  await build({
    configFile: false,
    root: SDK,
    logLevel: "warn",
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      // A library is otherwise given with its blanks, and with hints for bundlers that do nothing inside a class.
      rolldownOptions: { output: { minify: true, comments: { annotation: false } } },
      lib: { entry: join(SDK, "src/index.ts"), formats: ["es"], fileName: () => "index.js" },
    },
  });
  writeFileSync(join(outDir, "package.json"), `${JSON.stringify(published(), null, 2)}\n`);
  if (withTypes) emitTypes(join(outDir, "types"));
}

/** The package's own description, with what only the workspace needs taken out. */
function published(): object {
  const {
    private: _private,
    scripts: _scripts,
    devDependencies: _tools,
    ...rest
  } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")) as Record<string, unknown>;
  return { ...rest, exports: { types: "./types/web/sdk/src/index.d.ts", default: "./index.js" } };
}

/** Declarations of all modules, under the paths of the sources. */
export function emitTypes(outDir: string): void {
  const args = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", outDir];
  execFileSync(process.execPath, [TSC, "-p", join(SDK, "tsconfig.build.json"), ...args], {
    stdio: "inherit",
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await buildPackage(join(SDK, "dist"), { withTypes: true });
}
