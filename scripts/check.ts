/** `npm run check`: runs every check through Turborepo, which remembers those that passed on the same files. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
const tasks = Object.keys(scripts).filter((name) => name.startsWith("check:"));
// `--continue`: one that fails does not keep the others from running.
const args = ["run", ...tasks, "--continue", "--output-logs=errors-only", "--env-mode=loose", "--ui=stream"];
const { status } = spawnSync("node_modules/.bin/turbo", [...args, ...process.argv.slice(2)], {
  stdio: "inherit",
  shell: process.platform === "win32",
});
console.log(
  status === 0 ? `All ${tasks.length} checks passed.` : "A check failed. `npm run format` mends the format.",
);
process.exit(status ?? 1);
