/**
 * Runs `sst.config.ts` as SST's command line would, with SST's real components, and with Pulumi's mocks in the place of any cloud.
 * A process of its own for each stage, as components keep their state in globals. Writes what would be made, as JSON:
 *
 *   node --import tsx infra/test/evaluate.ts <stage> <file> [--dev]
 */
import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readFile } from "node:fs/promises";
import { found, made, type Call, type NewResource } from "./mocks.ts";

const [stage = "", outFile = "", flag] = process.argv.slice(2);
const isDev = flag === "--dev";
const root = resolve(import.meta.dirname, "../..");
/** Where it really is: the bundler tells files by that. */
const work = realpathSync(join(root, ".sst"));
const platform = join(work, "platform");
/** SST's own copies: an Output of another Pulumi would be none to it. */
const load = createRequire(join(platform, "package.json"));

interface Pulumi {
  readonly runtime: {
    setMocks(mocks: object, project: string, stack: string, preview: boolean): Promise<void>;
    runInPulumiStack(program: () => Promise<unknown>): Promise<unknown>;
  };
}
interface Esbuild {
  build(options: object): Promise<unknown>;
}
interface Bundle {
  readonly config: { app(input: { stage: string }): App; run: unknown };
  run(program: unknown): Promise<unknown>;
}
interface App {
  readonly name: string;
  readonly removal?: string;
  readonly protect?: boolean;
}
type Resource = NewResource & { readonly custom?: boolean };

const resources: Resource[] = [];
const failures: unknown[] = [];
process.on("unhandledRejection", (error) => failures.push(error));
// Components go on by themselves when the program has returned. When nothing is left to wait for, all is made, or something failed.
process.once("beforeExit", () => {
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) process.exit(1);
  writeFileSync(outFile, JSON.stringify({ app, resources: resources.map(withoutWraps) }));
});

const pulumi = load("@pulumi/pulumi") as Pulumi;
const server = await answerAsCommandLine();
await pulumi.runtime.setMocks(
  { newResource, call: found satisfies (call: Call) => unknown },
  "skat",
  stage,
  false,
);
Object.assign(globalThis, {
  $dev: isDev,
  $app: { name: "skat", stage },
  $cli: {
    command: isDev ? "dev" : "deploy",
    rpc: server,
    paths: { home: join(work, "home"), root, work, platform },
    state: { version: {} },
  },
});
const { config, run } = await bundle();
const app = config.app({ stage });
Object.assign(globalThis, {
  $app: { ...app, stage, removal: app.removal ?? "retain", protect: app.protect ?? false },
});
await pulumi.runtime.runInPulumiStack(() => run(config.run)).catch((error: unknown) => failures.push(error));

function newResource(args: Resource): { id: string; state: object } {
  resources.push(args);
  return made(args);
}

/** Components ask the command line for the account's bootstrap; nothing else is asked here. */
async function answerAsCommandLine(): Promise<string> {
  const bootstrap = {
    asset: "asset-bucket",
    assetEcrRegistryId: "1",
    assetEcrUrl: "registry.example/skat",
    state: "state-bucket",
    appsyncHttp: "none.example",
    appsyncRealtime: "none.example",
  };
  const http = createServer(async (req, res) => {
    const body: Buffer[] = [];
    for await (const chunk of req) body.push(chunk as Buffer);
    const { method } = JSON.parse(Buffer.concat(body).toString()) as { method: string };
    const isKnown = method === "Provider.Aws.Bootstrap";
    res.end(JSON.stringify(isKnown ? { result: bootstrap } : { error: `rpc: can't find method ${method}` }));
  });
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  http.unref();
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  process.env["SST_SERVER"] = url;
  return url;
}

/** As the command line does it: SST's globals are imports that stand before every file of the project. */
async function bundle(): Promise<Bundle> {
  const lock = JSON.parse(readFileSync(join(work, "provider-lock.json"), "utf8")) as {
    alias: string;
    package: string;
  }[];
  const globals = [
    ...lock.map((provider) => `import * as ${provider.alias} from "${provider.package}";`),
    `import * as sst from "${platform}/src/components";`,
  ].join("\n");
  const outfile = join(platform, `evaluated.${process.pid}.mjs`);
  const withGlobals = {
    name: "globals",
    setup: (build: { onLoad(filter: object, load: (file: { path: string }) => unknown): void }) =>
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) =>
        path.startsWith(work) || path.includes("node_modules")
          ? undefined
          : { contents: `${globals}\n${await readFile(path, "utf8")}`, loader: "ts" },
      ),
  };
  await (load("esbuild") as Esbuild).build({
    stdin: {
      resolveDir: root,
      loader: "ts",
      contents: `export { run } from "${platform}/src/auto/run.ts"; export { default as config } from "${root}/sst.config.ts";`,
    },
    banner: {
      js: [
        'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
        "const __filename = import.meta.filename; const __dirname = import.meta.dirname;",
      ].join("\n"),
    },
    inject: [join(platform, "src/shim/run.js")],
    nodePaths: [join(platform, "node_modules")],
    external: [
      "@pulumi/*",
      "@pulumiverse/*",
      "@sst-provider/*",
      "@aws-sdk/*",
      "undici",
      "esbuild",
      "archiver",
      "glob",
      "vite",
    ],
    plugins: [withGlobals],
    mainFields: ["module", "main"],
    format: "esm",
    platform: "node",
    bundle: true,
    logLevel: "warning",
    outfile,
  });
  try {
    return (await import(pathToFileURL(outfile).href)) as Bundle;
  } finally {
    rmSync(outfile);
  }
}

/** Pulumi's mark of a secret value, which becomes `{ secret }`. */
function withoutWraps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWraps);
  if (typeof value !== "object" || value === null) return value;
  if ("4dabf18193072939515e22adb298388d" in value)
    return { secret: withoutWraps((value as { value?: unknown }).value) };
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutWraps(each)]));
}
