/** Entry: looks whether the engines that are set can be used, and says of each check what was found and what to do. */
import { ConfigError, loadConfig, type Config } from "./config.ts";
import { lineOf, type Finding } from "./core/preflight.ts";
import { hideSecrets } from "./lib/redact.ts";
import { examine } from "./preflight.ts";

const MARKS = { ok: "ok      ", warning: "WARNING ", failed: "FAILED  ", skipped: "skipped " } as const;
const ENGINES = { redis: "REDIS_URL", kafka: "KAFKA_BROKERS", database: "DATABASE_URL" } as const;

const isJson = process.argv.includes("--json");
const config = readSettings();
const findings = config ? await examine(config, { brief: false }) : [];
if (config) print(config, findings);

/** 2 where the settings themselves are wrong: then nothing can be looked at. */
function readSettings(): Config | undefined {
  try {
    return loadConfig(undefined, "operator");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.exitCode = 2;
    if (isJson) console.log(JSON.stringify({ ok: false, settings: error.faults, checks: [] }, undefined, 2));
    else console.error(error.message);
    return undefined;
  }
}

function print(config: Config, all: readonly Finding[]): void {
  const isWell = all.every(({ outcome }) => outcome === "ok" || outcome === "warning");
  if (!isWell) process.exitCode = 1;
  if (isJson) return console.log(hideSecrets(JSON.stringify({ ok: isWell, checks: all }, undefined, 2)));
  for (const finding of all) console.log(hideSecrets(MARKS[finding.outcome] + lineOf(finding)));
  for (const [engine, variable] of Object.entries(ENGINES) as [keyof typeof ENGINES, string][])
    if (!config[engine])
      console.log(`skipped ${variable} is not set: \`npm start\` takes the embedded engine.`);
}
