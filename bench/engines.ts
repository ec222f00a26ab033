/** The real engines that every system under test shares, started for one run. PostgreSQL waits for its disk, as it would in use. */
import { startKafka } from "../scripts/engines/kafka.ts";
import { startPostgres } from "../scripts/engines/postgres.ts";
import { startRedis } from "../scripts/engines/redis.ts";

export interface BenchEngines {
  readonly env: Readonly<Record<string, string>>;
  readonly redisUrl: string;
  readonly brokers: string;
  readonly databaseUrl: string;
  end(): Promise<void>;
}

export async function startBenchEngines(): Promise<BenchEngines> {
  const [redis, kafka, postgres] = await Promise.all([
    startRedis(),
    startKafka(),
    startPostgres({ fsync: true }),
  ]);
  return {
    env: { ...redis.env, ...kafka.env, ...postgres.env },
    redisUrl: redis.url,
    brokers: kafka.url,
    databaseUrl: postgres.url,
    end: async () => void (await Promise.all([redis.dispose(), kafka.dispose(), postgres.dispose()])),
  };
}
