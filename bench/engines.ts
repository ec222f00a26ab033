/** The real engines that every system under test shares, started for one run. PostgreSQL waits for its disk, as it would in use. */
import { startKafka } from "../scripts/engines/kafka.ts";
import { startPostgres } from "../scripts/engines/postgres.ts";
import { startRedis } from "../scripts/engines/redis.ts";

export interface BenchEngines {
  readonly env: Readonly<Record<string, string>>;
  readonly redisUrl: string;
  readonly brokers: string;
  readonly databaseUrl: string;
  /** For what serves several rows: closed before the engines end. */
  onEnd(close: () => Promise<void>): void;
  end(): Promise<void>;
}

export async function startBenchEngines(): Promise<BenchEngines> {
  const [redis, kafka, postgres] = await Promise.all([
    startRedis(),
    startKafka(),
    startPostgres({ fsync: true }),
  ]);
  const closers: (() => Promise<void>)[] = [];
  return {
    env: { ...redis.env, ...kafka.env, ...postgres.env },
    redisUrl: redis.url,
    brokers: kafka.url,
    databaseUrl: postgres.url,
    onEnd: (close) => void closers.push(close),
    end: async () => {
      await Promise.all(closers.map((close) => close()));
      await Promise.all([redis.dispose(), kafka.dispose(), postgres.dispose()]);
    },
  };
}
