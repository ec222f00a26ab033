/** An image without Docker: its file tree made from what Docker's build would be given, and its programs run as it runs them. */
import { execFile, type ExecFileOptions } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import dockerignore from "@balena/dockerignore";
import { readImage, type Image } from "../../scripts/dockerfile.ts";
import { runProgram, type Env, type Running } from "./harness.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Reads all and writes nothing, neither in the tree nor elsewhere: as on a root file system that is read-only. */
const flag = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission";
export const READ_ONLY = [flag, "--allow-fs-read=*", "--disable-warning=ExperimentalWarning"];

export interface ImageWorld {
  /** Where the images' trees are. */
  readonly trees: string;
  /** Runs what the image's CMD says, or another of its programs, until it answers at the port. */
  start(target: string, env: Env, port: number): Promise<Running>;
  /** Runs a command within the image to its end and answers its exit code and output. */
  run(target: string, command: readonly string[], env: Env): Promise<{ code: number; output: string }>;
  close(): void;
}

export async function createImageWorld(): Promise<ImageWorld> {
  const dir = mkdtempSync(join(tmpdir(), "skat-image-"));
  const context = join(dir, "context");
  copyContext(context);
  await promisify(execFile)("npm", ["run", "image:tree"], { cwd: context });
  const trees = join(context, "dist/image");
  setModes(dir, 0o555, 0o444);
  const place = (target: string) => ({ cwd: join(trees, target), image: readImage(target) });
  return {
    trees,
    start: (target, env, port) => {
      const { cwd, image } = place(target);
      const args = [...READ_ONLY, ...image.command.slice(1)];
      return runProgram(
        { name: target, args, cwd, ...userOf(image) },
        { ...image.env, ...env },
        port,
        "/readyz",
      );
    },
    run: (target, [, ...args], env) => {
      const { cwd, image } = place(target);
      return runToEnd([...READ_ONLY, ...args], { cwd, env: { ...image.env, ...env }, ...userOf(image) });
    },
    close: () => {
      setModes(dir, 0o755, 0o644);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What `.dockerignore` lets through, and the dependencies that `npm ci` would put beside it. */
function copyContext(context: string): void {
  const ignored = dockerignore.default().add(readFileSync(join(ROOT, ".dockerignore"), "utf8"));
  cpSync(ROOT, context, {
    recursive: true,
    filter: (file) => file === ROOT || !ignored.ignores(relative(ROOT, file)),
  });
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    workspaces: readonly string[];
  };
  for (const folder of [".", ...workspaces]) linkModules(join(folder, "node_modules"), context);
}

function linkModules(folder: string, context: string): void {
  if (!existsSync(join(ROOT, folder))) return;
  mkdirSync(join(context, folder), { recursive: true });
  for (const name of readdirSync(join(ROOT, folder)).filter((each) => each !== ".cache"))
    symlinkSync(join(ROOT, folder, name), join(context, folder, name));
}

/** Root may take the image's user; anybody else is without rights already. */
function userOf({ user }: Image): { uid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: Number(user.split(":")[0]) } : undefined;
}

async function runToEnd(args: readonly string[], options: ExecFileOptions) {
  try {
    const utf8 = { ...options, encoding: "utf8" as const };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, utf8);
    return { code: 0, output: `${stdout}${stderr}` };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: `${stdout}${stderr}` };
  }
}

function setModes(dir: string, folder: number, file: number): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) setModes(path, folder, file);
    else if (entry.isFile()) chmodSync(path, file);
  }
  chmodSync(dir, folder);
}
