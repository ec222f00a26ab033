/** Engines as a provider hands them out: TLS by an authority of their own, accounts, and rights that are checked. */
import { Kafka, logLevel, type Admin } from "kafkajs";
import { Redis } from "ioredis";
import pg from "pg";
import { startKafka } from "../../scripts/engines/kafka.ts";
import { startPostgres } from "../../scripts/engines/postgres.ts";
import { startRedis } from "../../scripts/engines/redis.ts";
import { createAuthority } from "./authority.ts";
import type { Env } from "./harness.ts";

export const PASSWORD = "correct-horse-battery-staple";

export interface SecureOptions {
  /** Lines for redis.conf that make more users. */
  readonly redisUsers?: readonly string[];
  /** Users of Kafka beside `operator`, who may do everything. */
  readonly kafkaUsers?: readonly string[];
  readonly kafkaProperties?: Readonly<Record<string, string>>;
}

export type SecureWorld = Awaited<ReturnType<typeof startSecureWorld>>;

export async function startSecureWorld(options: SecureOptions = {}) {
  const authority = createAuthority();
  const tls = authority.sign("server");
  const users = ["operator", ...(options.kafkaUsers ?? [])];
  const [redis, kafka, postgres] = await Promise.all([
    startRedis({ tls, config: [`user default on >${PASSWORD} ~* &* +@all`, ...(options.redisUsers ?? [])] }),
    startKafka({
      tls,
      users: Object.fromEntries(users.map((user) => [user, PASSWORD])),
      properties: {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:operator;User:CN=operator",
        ...options.kafkaProperties,
      },
    }),
    startPostgres({
      tls,
      access: ["host all postgres 127.0.0.1/32 trust", "hostssl all all 127.0.0.1/32 scram-sha-256"],
    }),
  ]);
  const redisAdmin = new Redis({ port: redis.port, password: PASSWORD });
  const kafkaAdmin: Admin = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2, idleTimeoutMillis: 0 });
  pool.on("error", () => {}); // tests end connections
  await kafkaAdmin.connect();
  await pool.query(`CREATE ROLE operator LOGIN CREATEROLE CREATEDB PASSWORD '${PASSWORD}'`);
  await pool.query("GRANT CREATE ON DATABASE postgres TO operator");
  return {
    authority,
    redis,
    kafka,
    postgres,
    redisAdmin,
    kafkaAdmin,
    query: async (sql: string) => (await pool.query(sql)).rows as Record<string, unknown>[],
    /** By the operator's credentials. */
    env: { ...redisEnv("default"), ...kafkaEnv("operator"), ...postgresEnv("operator") } as Env,
    redisEnv,
    kafkaEnv,
    postgresEnv,
    close: async () => {
      redisAdmin.disconnect();
      await Promise.all([kafkaAdmin.disconnect(), pool.end()]);
      await Promise.all([redis.dispose(), kafka.dispose(), postgres.dispose()]);
    },
  };

  function redisEnv(user: string): Env {
    return { REDIS_URL: `valkeys://${user}:${PASSWORD}@127.0.0.1:${redis.tlsPort}`, REDIS_CA: authority.ca };
  }
  function kafkaEnv(user: string): Env {
    const credentials = { KAFKA_USERNAME: user, KAFKA_PASSWORD: PASSWORD };
    return { KAFKA_BROKERS: kafka.saslBrokers, KAFKA_CA: authority.ca, ...credentials };
  }
  function postgresEnv(user: string): Env {
    const url = `postgres://${user}:${PASSWORD}@127.0.0.1:${postgres.port}/postgres?sslmode=require`;
    return { DATABASE_URL: url, DATABASE_CA: authority.ca };
  }
}
