/** `npm run engines`: real engines by hand, that go on until they are taken down. */
import { parseArgs } from "node:util";
import { provide, starters } from "./engines/acquire.ts";
import { engineNames, type EngineName } from "./engines/engine.ts";
import { endLeftovers } from "./engines/leftovers.ts";
import { startRedisCluster } from "./engines/redis-cluster.ts";
import { readState, takeDown, writeState, type UpEngine } from "./engines/state.ts";
import { helpFor } from "./commands.mjs";
import { withLock } from "./lock.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cluster: { type: "boolean", default: false } },
});
const [verb = "", ...words] = positionals;
const chosen = engineNames.filter((name) => words.length === 0 || words.includes(name));
const unknown = words.filter((word) => !chosen.some((name) => name === word));
const log = (line: string) => console.error(line);

for (const leftover of endLeftovers()) log(`Ended what an earlier run had left behind: ${leftover}`);
if (unknown.length > 0)
  fail(`There is no engine called ${unknown.join(", ")}; there are ${engineNames.join(", ")}.`);
else if (verb === "up") await withLock(".engines/lock", up);
else if (verb === "down") await withLock(".engines/lock", down);
else if (verb === "status") status();
else if (verb === "env") env();
else fail(helpFor("engines"));

async function up(): Promise<void> {
  const before = readState();
  const wanted = chosen.filter((name) => !before.some((engine) => engine.name === name));
  if (values.cluster && !wanted.includes("redis"))
    return fail("--cluster needs redis among the engines, and not up yet: npm run engines -- down redis");
  const missing = await provide(wanted, { install: true, log });
  for (const [name, why] of missing) fail(`${name}: ${why}`);
  const results = await Promise.allSettled(wanted.filter((name) => !missing.has(name)).map(startDetached));
  const started = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  writeState([...before, ...started]);
  for (const one of results) if (one.status === "rejected") fail(String(one.reason));
  status();
}

async function startDetached(name: EngineName): Promise<UpEngine> {
  log(`Starting ${name} …`);
  const isCluster = name === "redis" && values.cluster;
  const engine = isCluster
    ? await startRedisCluster({ detached: true })
    : await starters[name]({ detached: true });
  const { how, port, url, env } = engine;
  const servers = ("members" in engine ? engine.members : [engine]).map(({ running, dir }) => {
    if (!running) throw new Error(`${name} ended at once`);
    return { running, dir };
  });
  return { name, how, port, url, env, servers };
}

async function down(): Promise<void> {
  const all = readState();
  const doomed = all.filter((engine) => chosen.includes(engine.name));
  doomed.forEach(takeDown);
  writeState(all.filter((engine) => !doomed.includes(engine)));
  log(doomed.length > 0 ? `Down: ${doomed.map((engine) => engine.name).join(", ")}` : "None was up.");
}

function status(): void {
  const all = readState();
  for (const name of chosen) {
    const engine = all.find((one) => one.name === name);
    console.log(`${name.padEnd(9)} ${engine ? `up, ${engine.how}\n${"".padEnd(10)}${engine.url}` : "down"}`);
  }
}

/** Only what a shell can evaluate goes to the standard output. */
function env(): void {
  const engines = readState().filter((one) => chosen.includes(one.name));
  for (const [name, value] of engines.flatMap((one) => Object.entries(one.env)))
    console.log(`export ${name}='${value}'`);
  if (engines.length === 0) fail("No engine is up: npm run engines -- up");
}

function fail(line: string): void {
  log(line);
  process.exitCode = 1;
}
