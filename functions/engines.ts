/** Opens the engines that the configuration names, or their embedded kin: the only file besides the entries that makes clients. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AccountStore } from "./core/accounts.ts";
import type { DeadLetters, EventLog, LogConsumer } from "./core/event-log.ts";
import type { Notices } from "./core/notices.ts";
import type { RateLimiter } from "./core/rate-limits.ts";
import type { RevocationStore } from "./core/revocations.ts";
import type { RoomFeed, RoomOutbox, RoomStream } from "./core/room-stream.ts";
import type { Store } from "./core/store.ts";
import type { Database } from "./adapters/database.ts";
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import type { RedisServers } from "./adapters/redis-servers.ts";
import type { TopicsOptions } from "./adapters/kafka-topics.ts";
import type { Config, DatabaseConfig, KafkaConfig, RedisConfig } from "./config.ts";
import type { Lifecycle } from "./lib/lifecycle.ts";
import type { Logger } from "./lib/logger.ts";

export interface EngineDeps {
  readonly config: Config;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
}

export interface StreamEngine {
  readonly stream: RoomStream;
  readonly feed: RoomFeed;
  readonly notices: Notices;
  readonly outbox: RoomOutbox;
  /** Where all three are; absent where they are embedded. */
  readonly servers?: RedisServers;
}

export interface StoreEngine {
  readonly store: Store;
  readonly accounts: AccountStore & RevocationStore;
  /** What both are on. */
  readonly database: Database;
}

export interface LogEngine {
  readonly log: EventLog;
  readonly consumer: LogConsumer;
  readonly deadLetters: DeadLetters;
}

const LOG_RETENTION_MS = 7 * 24 * 3600 * 1000;
const LOG_MESSAGE_BYTES_MAX = 1024 * 1024;

export async function openStream(deps: EngineDeps): Promise<StreamEngine> {
  const { redis, roomUnsavedMax } = deps.config;
  if (redis) return openRedis(redis, deps);
  const { StreamMemory } = await import("./adapters/room-stream-memory.ts");
  const memory = new StreamMemory(runtime, { roomEntriesMax: roomUnsavedMax }).connect();
  return { stream: memory, feed: memory, notices: memory, outbox: memory };
}

async function openRedis(
  redis: RedisConfig,
  { config, logger, lifecycle }: EngineDeps,
): Promise<StreamEngine> {
  const { RedisRoomStream } = await import("./adapters/room-stream-redis.ts");
  const { RedisRoomFeed } = await import("./adapters/room-feed-redis.ts");
  const { stage, roomUnsavedMax: roomEntriesMax } = config;
  const onError = (err: Error) => logger.warn("redis connection failed", { err });
  const servers = await openServers(redis, onError);
  const options = { ...redis, servers, stage, onError };
  const stream = new RedisRoomStream({ ...options, roomEntriesMax });
  const feed = new RedisRoomFeed({ ...options, runtime, publish: (...args) => stream.publish(...args) });
  lifecycle.onClose("redis", async () => void (await Promise.all([stream.close(), feed.close()])));
  await Promise.all([stream.ready(), feed.ready()]);
  return { stream, feed, notices: feed, outbox: stream, servers };
}

async function openServers(redis: RedisConfig, onError: (error: Error) => void): Promise<RedisServers> {
  const { oneServer } = await import("./adapters/redis-servers.ts");
  const { openCluster } = await import("./adapters/redis-cluster.ts");
  return redis.cluster ? openCluster({ ...redis, runtime, onError }) : oneServer(redis);
}

export async function openLog(deps: EngineDeps): Promise<LogEngine> {
  const { config, logger, lifecycle } = deps;
  if (config.kafka) return openKafka(config.kafka, deps);
  const { MemoryEventLog } = await import("./adapters/event-log-memory.ts");
  const log = new MemoryEventLog({ runtime, stage: config.stage, logger });
  lifecycle.onClose("log", () => log.close());
  return { log, consumer: log, deadLetters: log };
}

async function openKafka(config: KafkaConfig, { logger, lifecycle }: EngineDeps): Promise<LogEngine> {
  const [{ ensureTopics }, { KafkaEventLog }, { KafkaLogConsumer }, { KafkaDeadLetters }] = await Promise.all(
    [
      import("./adapters/kafka-topics.ts"),
      import("./adapters/event-log-kafka.ts"),
      import("./adapters/log-consumer-kafka.ts"),
      import("./adapters/dead-letters-kafka.ts"),
    ],
  );
  await ensureTopics(topicsOptions(config, logger));
  const log = new KafkaEventLog({ config, logger });
  const consumer = new KafkaLogConsumer({ config, runtime, logger });
  const deadLetters = new KafkaDeadLetters({ config, runtime, logger });
  lifecycle.onClose("kafka", async () => void (await Promise.all([log.close(), deadLetters.close()])));
  return { log, consumer, deadLetters };
}

export function topicsOptions(config: KafkaConfig, logger: Logger): TopicsOptions {
  const { partitions, replication: replicationFactor } = config;
  const limits = { retentionMs: LOG_RETENTION_MS, maxMessageBytes: LOG_MESSAGE_BYTES_MAX };
  return { config, partitions, replicationFactor, ...limits, runtime, logger };
}

export async function openStore(deps: EngineDeps): Promise<StoreEngine> {
  const { PrismaStore } = await import("./adapters/store-prisma.ts");
  const { PrismaAccountStore } = await import("./adapters/account-store-prisma.ts");
  const database = await openDatabase(deps);
  const store = new PrismaStore(database);
  deps.lifecycle.onClose("store", () => store.close());
  await store.ping();
  return { store, accounts: new PrismaAccountStore(database), database };
}

async function openDatabase({ config, logger }: EngineDeps): Promise<Database> {
  const { database } = config;
  if (!database) {
    const { openPglite } = await import("./adapters/pglite-client.ts");
    return openPglite(join(config.dataDir, "pglite"));
  }
  const { openPostgres } = await import("./adapters/postgres-client.ts");
  await prepareSchema(database, logger);
  return openPostgres(database);
}

/** Applies pending migrations, or refuses to go on while there are some. */
async function prepareSchema(database: DatabaseConfig, logger: Logger): Promise<void> {
  const { withMigrationSession } = await import("./adapters/postgres-client.ts");
  const { migrate, pendingMigrations } = await import("./adapters/migrations.ts");
  if (database.migrate) {
    const applied = await withMigrationSession(database, (session) => migrate(session));
    if (applied.length > 0) logger.info("migrations applied", { applied: applied.join(", ") });
    return;
  }
  const pending = await withMigrationSession(database, (session) => pendingMigrations(session));
  if (pending.length > 0)
    throw new Error(`Migrations are pending: ${pending.join(", ")}. Run \`npm run migrate\`.`);
}

/** `servers`: those of the stream; without them this process counts alone. */
export async function openRates({
  config,
  logger,
  lifecycle,
  servers,
}: EngineDeps & Pick<StreamEngine, "servers">): Promise<RateLimiter> {
  const { FlexibleRateLimiter } = await import("./adapters/rate-limiter.ts");
  const { redis, stage, limits } = config;
  const options = { rates: limits.rates, runtime, logger };
  const limiter = new FlexibleRateLimiter(
    redis && servers ? { ...options, redis: { ...redis, servers, stage } } : options,
  );
  lifecycle.onClose("rates", async () => limiter.close());
  return limiter;
}

/** The configured secret, or one of this data folder's own, so that tokens outlive a restart. */
export function readSecret({ auth, dataDir }: Config): string {
  if (auth.secret !== undefined) return auth.secret;
  const file = join(dataDir, "secret");
  mkdirSync(dataDir, { recursive: true });
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" });
  return readFileSync(file, "utf8");
}
