/** `npm run engines`: real engines by hand, that go on until they are taken down. */
import { provide, starters } from "./engines/acquire.ts";
import { engineNames, variableOf, type EngineName } from "./engines/engine.ts";
import { endLeftovers } from "./engines/leftovers.ts";
import { readState, takeDown, writeState, type UpEngine } from "./engines/state.ts";
import { helpFor } from "./commands.mjs";
import { withLock } from "./lock.mjs";

const [verb = "", ...words] = process.argv.slice(2);
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
  const { how, port, url, dir, running } = await starters[name]({ detached: true });
  if (!running) throw new Error(`${name} ended at once`);
  return { name, how, port, url, dir, running };
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
  for (const { name, url } of engines) console.log(`export ${variableOf[name]}='${url}'`);
  if (engines.length === 0) fail("No engine is up: npm run engines -- up");
}

function fail(line: string): void {
  log(line);
  process.exitCode = 1;
}
