/** The preflight of the engines that are set: the one list of checks, for `npm run doctor` and, in short, for every start. */
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import type { Config } from "./config.ts";
import { lineOf, type Examine, type Finding } from "./core/preflight.ts";
import { topicsOptions } from "./engines.ts";
import { silentLogger, type Logger } from "./lib/logger.ts";

async function examinations(config: Config): Promise<readonly Examine[]> {
  const { redis, kafka, database, stage, role, periodMs } = config;
  const all: Examine[] = [];
  if (redis) {
    const { examineRedis } = await import("./adapters/preflight-redis.ts");
    all.push(examineRedis({ ...redis, stage, runtime }));
  }
  if (kafka) {
    const { examineKafka } = await import("./adapters/preflight-kafka.ts");
    // What kafkajs says on the way is in the finding.
    all.push(examineKafka(topicsOptions(kafka, silentLogger)));
  }
  if (database) {
    const { examinePostgres } = await import("./adapters/preflight-postgres.ts");
    const makesPartitions = periodMs !== undefined && role !== "node";
    all.push(examinePostgres({ ...database, makesPartitions }));
  }
  return all;
}

/** Every finding, in the order of the list; engines are looked at side by side. */
export async function examine(config: Config, options: { brief: boolean }): Promise<readonly Finding[]> {
  const all = await examinations(config);
  return (await Promise.all(all.map((look) => look(runtime, options)))).flat();
}

/** The first step of a process: rejects with one line for each check that failed, and logs those that can be lived with. */
export async function preflight({ config, logger }: { config: Config; logger: Logger }): Promise<void> {
  const findings = await examine(config, { brief: true });
  for (const finding of findings) if (finding.outcome === "warning") logger.warn(lineOf(finding));
  const failed = findings.filter(({ outcome }) => outcome === "failed");
  if (failed.length > 0) throw new Error(failed.map(lineOf).join("\n"));
}
