/** What the process is told from outside: the only reader of the environment. One error lists every fault. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { AllowedOrigins } from "./lib/origins.ts";
import type { LogLevel } from "./lib/logger.ts";
import type { Tls } from "./lib/tls.ts";
import type { Limits } from "./protocol.ts";
import { checkRole, checkTogether, type Role } from "./config/check.ts";
import { readSettings, Source, type Environment } from "./config/settings.ts";
import type { Settings } from "./config/variables.ts";

export type { Role } from "./config/check.ts";
export { ConfigError, type Environment } from "./config/settings.ts";

export interface RedisConfig {
  /** `redis://`, or `rediss://` for a connection that is encrypted. */
  readonly url: string;
  /** Authority of the server's certificate, PEM; without it the machine's own. */
  readonly ca?: string;
  readonly cluster: boolean;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  /** Present when the connection is encrypted. */
  readonly ssl?: Tls;
  readonly sasl?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
  readonly clientId: string;
  readonly groupId: string;
  readonly stage: string;
  readonly topic: string;
  readonly deadLetterTopic: string;
  readonly partitions: number;
  /** -1: the brokers' default. */
  readonly replication: number;
}

export interface DatabaseConfig {
  /** Without `sslmode` and `schema`. */
  readonly url: string;
  /** Present when the connection is encrypted. */
  readonly ssl?: Tls;
  readonly schema: string;
  readonly poolMax: number;
  readonly statementTimeoutMs: number;
  /** Apply pending migrations at start; else refuse to start while there are some. */
  readonly migrate: boolean;
}

export interface AuthConfig {
  readonly secret?: string;
  /** Of a guest's token. */
  readonly tokenLifeMs: number;
  /** Of a token of an account. */
  readonly accessLifeMs: number;
  readonly graceMs: number;
  readonly guests: boolean;
  readonly accounts: boolean;
  /** Absent: where the node listens. */
  readonly publicUrl?: string;
  readonly isVerificationRequired: boolean;
  readonly github?: OAuthConfig;
  readonly google?: OAuthConfig;
  /** Another issuer whose tokens are accepted. */
  readonly foreign?: {
    readonly issuer: string;
    readonly audience: string;
    readonly keys: { readonly secret: string } | { readonly jwksUrl: string };
  };
  readonly smtp?: { readonly url: string; readonly from: string };
}

export interface OAuthConfig {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface Config {
  readonly role: Role;
  readonly stage: string;
  readonly isProduction: boolean;
  readonly logLevel: LogLevel;
  /** Between lines for CloudWatch; 0: none. */
  readonly metricsLogMs: number;
  readonly dataDir: string;
  /** How long an orderly end may take. */
  readonly drainMs: number;
  /** Where a node listens. Without a port: 3000 or, for `all`, the next free one. */
  readonly http: {
    readonly host: string;
    readonly port?: number;
    readonly origins: AllowedOrigins;
    /** Proxies in front whose word about the client's address is believed. */
    readonly trustedHops: number;
  };
  /** An engine that is absent is embedded. */
  readonly redis?: RedisConfig;
  readonly kafka?: KafkaConfig;
  readonly database?: DatabaseConfig;
  /** Without a secret (only `all` outside production): one is made and kept in `dataDir`. */
  readonly auth: AuthConfig;
  readonly limits: Limits;
  readonly connectionsMax: number;
  readonly connectionsPerUserMax: number;
  readonly connectionsPerAddressMax: number;
  readonly bufferBytesMax: number;
  readonly heartbeatMs: number;
  /** Present when clients of Socket.IO are served. */
  readonly socketIo?: { readonly room: string; readonly hasPolling: boolean };
  readonly logBacklogMax: number;
  readonly roomUnsavedMax: number;
  readonly streamKeep: number;
  /** Absent: events are kept for ever. */
  readonly retentionMs: number | undefined;
  /** Absent: events are not kept in periods. */
  readonly periodMs: number | undefined;
  readonly consumer: { readonly port: number; readonly batchMax: number; readonly stallMs: number };
}

interface Engines {
  readonly redis: RedisConfig;
  readonly kafka: KafkaConfig;
  readonly database: DatabaseConfig;
}
export type ConsumerConfig = Config & Engines;
export type NodeConfig = Config & Engines & { readonly auth: AuthConfig & { readonly secret: string } };
export type MigrateConfig = Config & Pick<Engines, "database">;

/**
 * The configuration of a process. A variable that is not set is looked for among SST's links (`SST_RESOURCE_RedisUrl` for
 * `REDIS_URL`). The process's own environment is completed by a file `.env`; `overrides` stand before both. Throws `ConfigError`.
 */
export function loadConfig(env: Environment | undefined, role: "node"): NodeConfig;
export function loadConfig(env: Environment | undefined, role: "consumer"): ConsumerConfig;
export function loadConfig(env: Environment | undefined, role: "migrate"): MigrateConfig;
export function loadConfig(env?: Environment, role?: Role, overrides?: Environment): Config;
export function loadConfig(
  env: Environment = { ...readEnvFile(".env"), ...process.env },
  role: Role = "all",
  overrides: Environment = {},
): Config {
  const source = new Source({ ...env, ...overrides });
  const settings = readSettings(source);
  checkTogether(settings, source);
  checkRole(settings, role, source);
  source.throwFaults();
  return freeze(toConfig(settings, role));
}

/** What the platform sets stands: the file only adds to it. */
function readEnvFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}

function toConfig(settings: Settings, role: Role): Config {
  return {
    role,
    stage: settings.STAGE,
    isProduction: settings.NODE_ENV === "production",
    logLevel: settings.LOG_LEVEL,
    metricsLogMs: settings.METRICS_LOG_MS,
    dataDir: settings.DATA_DIR,
    drainMs: settings.DRAIN_MS,
    http: {
      host: settings.HOST ?? (role === "all" ? "127.0.0.1" : "0.0.0.0"),
      ...defined({ port: settings.PORT }),
      origins: settings.ALLOWED_ORIGINS ?? "local",
      trustedHops: settings.TRUSTED_PROXY_HOPS,
    },
    ...defined({ redis: toRedis(settings), kafka: toKafka(settings), database: toDatabase(settings) }),
    auth: toAuth(settings),
    limits: toLimits(settings),
    connectionsMax: settings.CONNECTIONS_MAX,
    connectionsPerUserMax: settings.CONNECTIONS_PER_USER_MAX,
    connectionsPerAddressMax: settings.CONNECTIONS_PER_ADDRESS_MAX,
    bufferBytesMax: settings.BUFFER_BYTES_MAX,
    heartbeatMs: settings.HEARTBEAT_MS,
    ...defined({ socketIo: toSocketIo(settings) }),
    logBacklogMax: settings.LOG_BACKLOG_MAX,
    roomUnsavedMax: settings.ROOM_UNSAVED_MAX,
    streamKeep: settings.STREAM_KEEP,
    retentionMs: daysToMs(settings.RETENTION_DAYS),
    periodMs: daysToMs(settings.EVENTS_PARTITION_DAYS),
    consumer: {
      port: settings.CONSUMER_PORT,
      batchMax: settings.CONSUMER_BATCH_MAX,
      stallMs: settings.CONSUMER_STALL_MS,
    },
  };
}

function toAuth(settings: Settings): AuthConfig {
  const { AUTH_SECRET: secret, SMTP_URL: url, MAIL_FROM: from, ALLOWED_ORIGINS: origins } = settings;
  return {
    tokenLifeMs: settings.AUTH_TOKEN_SECONDS * 1000,
    accessLifeMs: settings.AUTH_ACCESS_SECONDS * 1000,
    graceMs: settings.AUTH_GRACE_SECONDS * 1000,
    guests: settings.GUESTS,
    accounts: settings.ACCOUNTS,
    isVerificationRequired: settings.EMAIL_VERIFICATION_REQUIRED,
    ...defined({
      secret,
      publicUrl: settings.PUBLIC_URL ?? origins?.[0],
      github: toOAuth(settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET),
      google: toOAuth(settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET),
      foreign: toForeign(settings),
      smtp: url === undefined || from === undefined ? undefined : { url, from },
    }),
  };
}

function toOAuth(clientId: string | undefined, clientSecret: string | undefined): OAuthConfig | undefined {
  return clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };
}

function toForeign(settings: Settings): AuthConfig["foreign"] {
  const { AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience } = settings;
  const { AUTH_JWT_SECRET: secret, AUTH_JWKS_URL: jwksUrl } = settings;
  if (issuer === undefined || audience === undefined) return undefined;
  if (secret !== undefined) return { issuer, audience, keys: { secret } };
  return jwksUrl === undefined ? undefined : { issuer, audience, keys: { jwksUrl } };
}

function toLimits(settings: Settings): Limits {
  return {
    bodyBytesMax: settings.BODY_BYTES_MAX,
    frameBytesMax: settings.FRAME_BYTES_MAX,
    nameLengthMax: settings.NAME_LENGTH_MAX,
    roomsPerSessionMax: settings.ROOMS_PER_SESSION_MAX,
    framesPerSecond: settings.FRAMES_PER_SECOND,
    frameBurst: settings.FRAME_BURST,
    historyLimitMax: settings.HISTORY_LIMIT_MAX,
    roomsPerUserMax: settings.ROOMS_PER_USER_MAX,
    membersPerRoomMax: settings.MEMBERS_PER_ROOM_MAX,
    directPeopleMax: settings.DIRECT_PEOPLE_MAX,
    rates: {
      guests: settings.RATE_GUESTS,
      signIns: settings.RATE_SIGN_INS,
      upgrades: settings.RATE_UPGRADES,
      requests: settings.RATE_REQUESTS,
      joins: settings.RATE_JOINS,
      roomsMade: settings.RATE_ROOMS_MADE,
      exports: settings.RATE_EXPORTS,
      sends: settings.RATE_SENDS ?? `${20 * settings.FRAMES_PER_SECOND}/10`,
      roomSends: settings.RATE_ROOM_SENDS ?? `${1000 * settings.FRAMES_PER_SECOND}/10`,
    },
  };
}

/** Without a shared Redis there is one node, and every request meets it. */
function toSocketIo(settings: Settings): Config["socketIo"] {
  if (!settings.SOCKETIO) return undefined;
  const hasPolling = settings.SOCKETIO_POLLING ?? settings.REDIS_URL === undefined;
  return { room: settings.SOCKETIO_ROOM, hasPolling };
}

function toRedis({ REDIS_URL, REDIS_CA, REDIS_CLUSTER }: Settings): RedisConfig | undefined {
  if (REDIS_URL === undefined) return undefined;
  return { url: REDIS_URL.url, ...defined({ ca: REDIS_CA }), cluster: REDIS_CLUSTER };
}

function toKafka(settings: Settings): KafkaConfig | undefined {
  const { STAGE: stage, KAFKA_BROKERS: brokers, KAFKA_CA, KAFKA_CERT, KAFKA_KEY } = settings;
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = settings;
  if (brokers === undefined) return undefined;
  const mechanism = settings.KAFKA_SASL_MECHANISM ?? "scram-sha-256";
  const isTls = settings.KAFKA_SSL ?? (KAFKA_CA ?? KAFKA_CERT ?? username) !== undefined;
  return {
    brokers,
    ...(isTls ? { ssl: defined({ ca: KAFKA_CA, cert: KAFKA_CERT, key: KAFKA_KEY }) } : {}),
    ...(username !== undefined && password !== undefined ? { sasl: { mechanism, username, password } } : {}),
    clientId: `skat-${stage}`,
    groupId: `skat.${stage}.store`,
    stage,
    topic: settings.KAFKA_TOPIC ?? `skat.${stage}.events`,
    deadLetterTopic: settings.KAFKA_DEAD_LETTER_TOPIC ?? `skat.${stage}.dead-letters`,
    partitions: settings.KAFKA_PARTITIONS,
    replication: settings.KAFKA_REPLICATION ?? -1,
  };
}

function toDatabase(settings: Settings): DatabaseConfig | undefined {
  if (settings.DATABASE_URL === undefined) return undefined;
  const { url, isTls, schema } = settings.DATABASE_URL;
  return {
    url,
    ...(isTls ? { ssl: defined({ ca: settings.DATABASE_CA }) } : {}),
    schema: settings.DATABASE_SCHEMA ?? schema ?? `skat_${settings.STAGE.replaceAll("-", "_")}`,
    poolMax: settings.DATABASE_POOL_MAX,
    statementTimeoutMs: settings.DATABASE_STATEMENT_TIMEOUT_MS,
    migrate: settings.DATABASE_MIGRATE,
  };
}

function daysToMs(days: number | undefined): number | undefined {
  return days === undefined ? undefined : days * 24 * 3_600_000;
}

/** Only the entries that are there. */
function defined<T extends object>(entries: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
