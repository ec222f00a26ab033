/** Entry: makes, lists and removes the stages that share the configured engines. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ConfigError, loadConfig } from "./config.ts";
import { assertRemovable, closedPreviews, type StageKeeper } from "./core/stages.ts";
import { topicsOptions } from "./engines.ts";
import { silentLogger } from "./lib/logger.ts";
import { hideSecrets } from "./lib/redact.ts";

const USAGE = "npm run stage -- create NAME [--password-stdin] | list | remove NAME | sweep --open 12,15";
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "password-stdin": { type: "boolean" }, open: { type: "string" } },
});
const [verb, name, ...rest] = positionals;

try {
  if (verb === "create" && name && rest.length === 0) await create(name);
  else if (verb === "list" && !name) for (const stage of await list()) console.log(stage);
  else if (verb === "remove" && name && rest.length === 0) await remove(name);
  else if (verb === "sweep" && !name && values.open !== undefined) await sweep(values.open);
  else throw new Error(`Usage: ${USAGE}`);
} catch (error) {
  process.exitCode = 1;
  console.error(hideSecrets(error instanceof Error ? error.message : String(error)));
}

async function create(stage: string): Promise<void> {
  const password = values["password-stdin"] ? readPassword(readFileSync(0, "utf8").trim()) : undefined;
  await withKeepers(stage, async (keeper) => say(keeper, await keeper.create(password)));
}

async function list(): Promise<readonly string[]> {
  const stages: string[] = [];
  await withKeepers("any", async (keeper) => void stages.push(...(await keeper.list())));
  return [...new Set(stages)].sort();
}

async function remove(stage: string): Promise<void> {
  assertRemovable(stage);
  await withKeepers(stage, async (keeper) => say(keeper, `removed ${await keeper.remove()}`));
}

/** Removes every preview whose pull request is not among those named. */
async function sweep(open: string): Promise<void> {
  const text = open === "-" ? readFileSync(0, "utf8") : open;
  for (const stage of closedPreviews(await list(), readNumbers(text))) {
    console.log(stage);
    await remove(stage);
  }
}

/** `none` has to be said: an empty answer of another tool must not remove every preview. */
function readNumbers(text: string): readonly number[] {
  const words = text.split(/[\s,]+/).filter(Boolean);
  if (words.join() === "none") return [];
  if (words.length > 0 && words.every((word) => /^\d+$/.test(word))) return words.map(Number);
  throw new Error(
    "--open takes the numbers of the open pull requests, such as 12,15, or `none`; - reads them from the standard input.",
  );
}

/** It goes into connection strings. */
function readPassword(text: string): string {
  if (/^[\w.~-]{16,128}$/.test(text)) return text;
  throw new Error("The password on the standard input must be 16 to 128 letters, digits, or of . _ ~ -");
}

function say({ engine }: StageKeeper, text: string): void {
  console.log(`${engine.padEnd(9)} ${text}`);
}

/** One engine after the other; each is closed also when another fails. */
async function withKeepers(stage: string, work: (keeper: StageKeeper) => Promise<void>): Promise<void> {
  const keepers = await openKeepers(stage);
  try {
    for (const keeper of keepers) await work(keeper);
  } finally {
    await Promise.all(keepers.map((keeper) => keeper.close()));
  }
}

async function openKeepers(stage: string): Promise<readonly StageKeeper[]> {
  const { redis, kafka, database } = readConfig(stage);
  const keepers: StageKeeper[] = [];
  if (database)
    keepers.push((await import("./adapters/stage-postgres.ts")).keepPostgresStage(database, stage));
  if (redis) keepers.push((await import("./adapters/stage-redis.ts")).keepRedisStage(redis, stage));
  if (kafka) {
    const { keepKafkaStage } = await import("./adapters/stage-kafka.ts");
    keepers.push(keepKafkaStage(topicsOptions(kafka, silentLogger), stage));
  }
  if (keepers.length === 0)
    throw new Error("No engine is set: stages share REDIS_URL, KAFKA_BROKERS and DATABASE_URL.");
  return keepers;
}

function readConfig(stage: string) {
  try {
    return loadConfig(undefined, "operator", { STAGE: stage });
  } catch (error) {
    if (error instanceof ConfigError) throw new Error(error.message, { cause: error });
    throw error;
  }
}
