/** Runs the real Prisma command line on a database, without the schema engine that it would download. */
import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { resolve } = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface PrismaRun {
  readonly code: number | null;
  /** Both outputs. */
  readonly output: string;
}

/** One run of `prisma <args>` with the project's configuration; `schema` as in `?schema=`. */
export async function prisma(
  databaseUrl: string,
  schema: string,
  args: readonly string[],
): Promise<PrismaRun> {
  const dir = await mkdtemp(join(tmpdir(), "skat-prisma-"));
  try {
    const engine = await writeEngine(dir);
    const child = spawn(
      process.execPath,
      [resolve("prisma/build/index.js"), ...args, "--config", "prisma/prisma.config.ts"],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          DATABASE_URL: databaseUrl,
          DATABASE_SCHEMA: schema,
          PRISMA_SCHEMA_ENGINE_BINARY: engine,
          PRISMA_HIDE_UPDATE_MESSAGE: "1",
          CHECKPOINT_DISABLE: "1",
          NO_COLOR: "1",
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    const code = await new Promise<number | null>((done, fail) =>
      child.once("error", fail).once("close", done),
    );
    return { code, output };
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** An executable file, since that is what Prisma starts. */
async function writeEngine(dir: string): Promise<string> {
  const file = join(dir, "schema-engine.mjs");
  const source = new URL("schema-engine.ts", import.meta.url).href;
  const tsx = resolve("tsx");
  await writeFile(
    file,
    `#!${process.execPath}\nawait import(${JSON.stringify(tsx)});\nawait import(${JSON.stringify(source)});\n`,
  );
  await chmod(file, 0o755);
  return file;
}
