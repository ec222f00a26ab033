/** `npm run check`: format, lint with import direction, types, lockfile. Every check runs; any that fails fails the whole. */
import { spawnSync } from "node:child_process";

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format", "prettier", "--check", "--log-level", "warn", "."],
  ["lint and import direction", "oxlint"],
  ["types", "tsc", "-p", "tsconfig.json"],
  ["types of the page", "tsc", "-p", "web/tsconfig.json"],
  ["lockfile", "npm", "ci", "--dry-run", "--loglevel=error"],
];

const failed: string[] = [];
for (const [name, command, ...args] of checks) {
  const { status } =
    command === "npm"
      ? spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] })
      : spawnSync(`node_modules/.bin/${command}`, args, { stdio: "inherit" });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`\nFailed: ${failed.join(", ")}. \`npm run format\` mends the format.`);
process.exit(failed.length === 0 ? 0 : 1);
