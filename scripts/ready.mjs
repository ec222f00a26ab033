/** Makes a checkout ready to run: installs the locked dependencies and makes the generated files, each only when stale. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { withLock } from "./lock.mjs";

const stampDir = "node_modules/.cache/skat";

/** What can be generated: the files it is made of, a file that proves it is there, how it is made, and what it is made `after`. */
const generated = {
  prisma: {
    title: "the Prisma client",
    inputs: ["prisma/schema.prisma", "prisma/prisma.config.ts", "node_modules/prisma/package.json"],
    output: "functions/generated/prisma/client.ts",
    // Generating needs no schema engine, but Prisma looks for the file before it starts; any file will do.
    env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath },
    args: ["node_modules/prisma/build/index.js", "generate", "--config", "prisma/prisma.config.ts"],
  },
  web: {
    title: "the page",
    inputs: ["web", "functions/protocol.ts", "node_modules/vite/package.json"],
    output: "web/dist/index.html",
    cwd: "web",
    // Whoever asks for it: a test runner's own would build React and the page for development.
    env: { NODE_ENV: "production" },
    args: ["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"],
  },
  server: {
    title: "the programs",
    after: "prisma",
    inputs: ["functions", "prisma/schema.prisma", "scripts/bundle.ts", "package-lock.json"],
    output: "dist/server/dev.mjs",
    args: ["node_modules/tsx/dist/cli.mjs", "scripts/bundle.ts"],
  },
};

/** Returns when dependencies are installed and the `needed` things generated; ends the process when that can't be done. */
export async function makeReady(needed) {
  const stale = () => needed.filter((name) => !isFresh(generated[name]));
  if (isInstalled() && stale().length === 0) return;
  const restore = forwardSignals();
  const failure = await withLock("node_modules.lock", (holdFor) => prepare(stale, holdFor), tellWait);
  restore();
  if (failure) {
    console.error(`\n${failure}\nNothing was started.`);
    process.exit(1);
  }
}

async function prepare(stale, holdFor) {
  if (!isInstalled()) {
    const failure = await install(holdFor);
    if (failure) return failure;
  }
  const names = stale();
  const isFirst = (name) => !names.includes(generated[name].after);
  return (
    (await generateAll(names.filter(isFirst))) ?? (await generateAll(names.filter((name) => !isFirst(name))))
  );
}

async function generateAll(names) {
  return (await Promise.all(names.map((name) => generate(generated[name])))).find(Boolean);
}

function tellWait(pid) {
  console.error(
    `Waiting for process ${pid}, which is preparing this checkout (if it is not, delete node_modules.lock) …`,
  );
}

/**
 * Compares npm's own record of node_modules, written when an installation has succeeded, with the lockfile.
 * The record leaves out the packages of other platforms; one that does hold them came from another machine.
 */
function isInstalled() {
  const wanted = packagesIn("package-lock.json");
  const present = packagesIn("node_modules/.package-lock.json");
  if (!present || !wanted) return false;
  const fits = (list, value) => !list || list.includes(value);
  return (
    Object.entries(wanted).every(
      ([key, entry]) => !key.includes("node_modules/") || entry.optional || isSame(present[key], entry),
    ) &&
    Object.entries(present).every(
      ([key, entry]) =>
        isSame(wanted[key], entry) && fits(entry.os, process.platform) && fits(entry.cpu, process.arch),
    )
  );
}

/** A link to a workspace has no version. */
function isSame(one, other) {
  return one !== undefined && one.version === other.version && one.link === other.link;
}

function packagesIn(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function install(holdFor) {
  console.error("Installing the dependencies (once, about half a minute) …");
  fs.rmSync("node_modules/.package-lock.json", { force: true }); // an interrupted installation must not look complete
  const args = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath ?? "";
  const child = npm.endsWith("js")
    ? spawn(process.execPath, [npm, ...args], { stdio: "inherit" })
    : spawn("npm", args, { stdio: "inherit", shell: process.platform === "win32" });
  const code = await ended(child, holdFor);
  if (code === 0 && isInstalled()) return undefined;
  return code === 0
    ? "npm ci succeeded, yet node_modules does not match package-lock.json. Delete node_modules and try again."
    : `npm ci failed (exit code ${code}): the dependencies are not installed.\n` +
        "Its messages above say why. Usual cures: a network that reaches the npm registry; after editing a package.json," +
        " run npm install once and commit package-lock.json.";
}

async function generate(thing) {
  console.error(`Making ${thing.title} …`);
  const hash = hashOf(thing.inputs);
  const [script, ...args] = thing.args;
  const child = spawn(process.execPath, [path.resolve(script), ...args], {
    cwd: thing.cwd,
    env: { ...process.env, ...thing.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const code = await ended(child);
  if (code !== 0)
    return `${output}\nMaking ${thing.title} failed (exit code ${code}); mend what the lines above name.`;
  fs.mkdirSync(stampDir, { recursive: true });
  fs.writeFileSync(stampOf(thing), hash);
  return undefined;
}

function isFresh(thing) {
  if (!fs.existsSync(thing.output) || !fs.existsSync(stampOf(thing))) return false;
  return fs.readFileSync(stampOf(thing), "utf8") === hashOf(thing.inputs);
}

function stampOf(thing) {
  return path.join(stampDir, thing.output.replaceAll("/", "-"));
}

/** One hash over names and contents of the given files and folders. */
function hashOf(inputs) {
  const hash = createHash("sha256").update(process.version);
  for (const file of inputs.flatMap(filesIn)) hash.update(`\0${file}\0`).update(fs.readFileSync(file));
  return hash.digest("hex");
}

function filesIn(file) {
  if (!fs.existsSync(file)) return [];
  if (!fs.statSync(file).isDirectory()) return [file];
  const names = fs
    .readdirSync(file)
    .filter((name) => !["node_modules", "dist", "generated", "test"].includes(name));
  return names.sort().flatMap((name) => filesIn(path.join(file, name)));
}

const children = new Set();

function ended(child, holdFor = () => {}) {
  children.add(child);
  if (child.pid) holdFor(child.pid);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(console.error(error.message) ?? 127));
    child.on("close", (code, signal) => resolve(signal ? 130 : code));
  }).finally(() => children.delete(child));
}

/** While children work, a signal ends them and not us: npm rolls back on a signal, and we wait for that. */
function forwardSignals() {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => children.forEach((child) => child.kill(signal));
  for (const signal of signals) process.on(signal, forward);
  return () => signals.forEach((signal) => process.off(signal, forward));
}
