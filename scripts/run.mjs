/**
 * The launcher behind every npm script: makes the checkout ready (dependencies, Prisma client, built page) and runs the command.
 * Plain JavaScript on Node alone, because it must work before anything is installed.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { commands, helpFor } from "./commands.mjs";
import { makeReady } from "./ready.mjs";

const [name = "", ...args] = process.argv.slice(2);
process.chdir(path.join(path.dirname(fileURLToPath(import.meta.url)), ".."));
// Turbo and Prisma would otherwise call home.
for (const key of ["TURBO_TELEMETRY_DISABLED", "DO_NOT_TRACK", "CHECKPOINT_DISABLE"])
  process.env[key] ??= "1";

const command = commands[name];
if (!command || args.includes("--help") || args.includes("-h")) {
  console.log(helpFor(name));
  process.exit(command || name === "" || name.includes("help") ? 0 : 1);
}
requireNode();
await makeReady(command.needs);
if (name === "dev") await runDev(args);
else await runEntry(command.entry, args).catch(refuseArguments);

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Skat needs Node 20.19 or newer, and this is ${process.version}. See https://nodejs.org/.`);
  process.exit(1);
}

/**
 * Same as `node <entry> …args`, with tsx where that is TypeScript, in this very process: signals and exit codes are the entry's
 * own, and nothing is left running when the launcher is killed.
 */
async function runEntry(entry, args) {
  process.argv.splice(1, process.argv.length, path.resolve(entry), ...args);
  if (entry.endsWith(".ts")) {
    process.execArgv.push("--import", "tsx"); // what a process forked by the entry inherits
    await import("tsx");
  }
  await import(pathToFileURL(path.resolve(entry)).href);
}

/** A word that the entry's `parseArgs` does not know is the user's mistake, not the program's. */
function refuseArguments(error) {
  if (!String(error?.code).startsWith("ERR_PARSE_ARGS_")) throw error;
  console.error(`${error.message}\n\n${helpFor(name)}`);
  process.exitCode = 2;
}

/** The server with reload, and Vite in front of it; when one ends, so does the other. */
async function runDev(args) {
  const vite = path.resolve("node_modules/vite/bin/vite.js");
  const children = [
    spawn(process.execPath, ["--watch", "--import", "tsx", "functions/dev.ts", "--dev", ...args], {
      stdio: "inherit",
    }),
    spawn(process.execPath, [vite], { cwd: "web", stdio: "inherit" }),
  ];
  const stop = (signal) => children.forEach((child) => child.kill(signal));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(signal));
  const codes = await Promise.all(children.map((child) => ended(child).finally(() => stop("SIGTERM"))));
  process.exit(Math.max(...codes));
}

function ended(child) {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(console.error(error.message) ?? 127));
    child.on("exit", (code) => resolve(code ?? 0));
  });
}
