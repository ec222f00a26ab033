/** Every environment variable, as data: how it is read, what it is when unset, and what it means. */
import { z } from "zod";
import { readDatabaseUrl, readRedisUrl } from "../lib/connection-url.ts";
import { LOG_LEVELS } from "../lib/logger.ts";
import { readCertificates, readPrivateKey } from "../lib/tls.ts";
import { DEFAULT_LIMITS, LOBBY, PAGE_EVENTS, RATES } from "../protocol.ts";

export interface Variable {
  /** From trimmed text; its messages go on from "KEY=value: …" and say what would be right. */
  readonly schema: z.ZodType<unknown, string>;
  readonly help: string;
  /** As one would write it. */
  readonly default?: string;
  /** What holds without it, where there is no such default. */
  readonly unset?: string;
  readonly example?: string;
  /** Never shown, also not in part. */
  readonly secret?: true;
}

/** The variables by what they belong to, in the order in which people meet them. */
export const VARIABLE_GROUPS = {
  Process: {
    PORT: {
      schema: whole(0, 65535),
      unset: "3000; with `npm start` the next free one where it is taken",
      help: "Port of a node. 0 takes any free one.",
    },
    CONSUMER_PORT: {
      schema: whole(0, 65535),
      default: "3001",
      help: "Port of a consumer's `/healthz`, `/readyz` and `/metrics`.",
    },
    HOST: {
      schema: z.string(),
      unset: "127.0.0.1 with `npm start`, else 0.0.0.0",
      help: "Address to listen on.",
    },
    STAGE: {
      schema: z.string().regex(/^[a-z0-9-]{1,30}$/, "must be 1 to 30 of a-z, 0-9 and -"),
      default: "dev",
      help: "Name of this deployment. It is part of every key, topic, consumer group and schema: stages on the same engines never meet.",
      example: "production",
    },
    NODE_ENV: {
      schema: z.enum(["development", "test", "production"], "must be development, test or production"),
      default: "development",
      help: "`production` refuses what is only fit for a laptop.",
    },
    LOG_LEVEL: {
      schema: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`),
      default: "info",
      help: "The least urgent lines to log.",
    },
    METRICS_LOG_MS: {
      schema: whole(0, 3_600_000),
      default: "0",
      help: "Milliseconds between log lines of which CloudWatch makes metrics by itself (embedded metric format). 0: none; `/metrics` is always there.",
    },
    DATA_DIR: {
      schema: z.string(),
      default: ".data",
      help: "Folder of the embedded store and its secret. One process at a time.",
    },
    ALLOW_EMBEDDED: {
      schema: flag(),
      default: "false",
      help: "Lets `npm start` run embedded engines with NODE_ENV=production: one process, no failover.",
    },
    DRAIN_MS: {
      schema: whole(0, 110_000),
      default: "20000",
      help: "Milliseconds that a process may take to end in order. Keep it below the platform's stop timeout. 0 ends at once.",
    },
  },
  Redis: {
    REDIS_URL: {
      schema: from(readRedisUrl),
      unset: "embedded",
      secret: true,
      help: "Redis 7 or Valkey 8: redis://, rediss://, valkey:// or valkeys:// (with an s: TLS).",
      example: "rediss://default:password@host:6379",
    },
    REDIS_CA: {
      schema: from(readCertificates),
      unset: "the machine's authorities",
      secret: true,
      help: "Authority of the server's certificate, PEM or PEM in base64.",
    },
    REDIS_CLUSTER: {
      schema: flag(),
      default: "false",
      help: "REDIS_URL names one server of a cluster: its primaries share the rooms.",
    },
  },
  Kafka: {
    KAFKA_BROKERS: {
      schema: list(/^[\w.-]+:\d{1,5}$/, "must be host:port, several separated by commas"),
      unset: "embedded",
      help: "Brokers to begin with, separated by commas.",
      example: "broker-1:9092,broker-2:9092",
    },
    KAFKA_SSL: {
      schema: flag(),
      unset: "true when a user, an authority or a certificate is given, else false",
      help: "TLS to the brokers; their certificates are always verified.",
    },
    KAFKA_CA: {
      schema: from(readCertificates),
      unset: "the machine's authorities",
      secret: true,
      help: "Authority of the brokers' certificates, PEM or PEM in base64.",
    },
    KAFKA_CERT: {
      schema: from(readCertificates),
      secret: true,
      help: "Client certificate (mTLS), PEM or PEM in base64. Needs KAFKA_KEY.",
    },
    KAFKA_KEY: {
      schema: from(readPrivateKey),
      secret: true,
      help: "Its private key without a passphrase, PEM or PEM in base64.",
    },
    KAFKA_SASL_MECHANISM: {
      schema: z.enum(
        ["plain", "scram-sha-256", "scram-sha-512"],
        "must be plain, scram-sha-256 or scram-sha-512",
      ),
      unset: "scram-sha-256 when a user is given",
      help: "How user and password are proved.",
    },
    KAFKA_USERNAME: { schema: z.string(), help: "SASL user. Needs KAFKA_PASSWORD." },
    KAFKA_PASSWORD: { schema: z.string(), secret: true, help: "SASL password." },
    KAFKA_TOPIC: {
      schema: topic(),
      unset: "`skat.<stage>.events`",
      help: "Topic of the log. Stages may share one: records of others are skipped.",
    },
    KAFKA_DEAD_LETTER_TOPIC: {
      schema: topic(),
      unset: "`skat.<stage>.dead-letters`",
      help: "Topic of records that can't be stored.",
    },
    KAFKA_PARTITIONS: {
      schema: whole(1, 1000),
      default: "6",
      help: "Partitions of a topic that is created at start; at most so many consumers share the work.",
    },
    KAFKA_REPLICATION: {
      schema: whole(1, 10),
      unset: "the brokers' default",
      help: "Replicas of a topic that is created at start.",
    },
  },
  Postgres: {
    DATABASE_URL: {
      schema: from(readDatabaseUrl),
      unset: "embedded",
      secret: true,
      help: "PostgreSQL 15 or later. `?sslmode=require` for TLS, always verified; without it none.",
      example: "postgres://user:password@host:5432/database?sslmode=require",
    },
    DATABASE_CA: {
      schema: from(readCertificates),
      unset: "the machine's authorities",
      secret: true,
      help: "Authority of the server's certificate, PEM or PEM in base64.",
    },
    DATABASE_SCHEMA: {
      schema: z
        .string()
        .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, "must be up to 63 of a-z, 0-9 and _, not a digit first"),
      unset: "`schema` of DATABASE_URL, else `skat_<stage>` with - as _",
      help: "Schema of the tables.",
    },
    DATABASE_POOL_MAX: {
      schema: whole(1, 1000),
      default: "10",
      help: "Connections that one process opens at most.",
    },
    DATABASE_STATEMENT_TIMEOUT_MS: {
      schema: whole(1, 600_000),
      default: "15000",
      help: "Milliseconds after which the server gives up a statement.",
    },
    DATABASE_MIGRATE: {
      schema: flag(),
      default: "true",
      help: "Apply pending migrations at start. `false`: refuse to start while some are pending.",
    },
  },
  Access: {
    AUTH_SECRET: {
      schema: z.string().min(32, "is shorter than 32 characters; make one with: openssl rand -base64 48"),
      unset: "with `npm start` made once and kept in DATA_DIR",
      secret: true,
      help: "Signs tokens; the same in all nodes of a stage.",
    },
    AUTH_TOKEN_SECONDS: {
      schema: whole(1, 10 * 365 * 86_400),
      default: String(30 * 86_400),
      help: "Seconds that a guest's token lives; by default 30 days.",
    },
    AUTH_ACCESS_SECONDS: {
      schema: whole(1, 86_400),
      default: "900",
      help: "Seconds that a token of an account lives; its session, of 30 days, gives new ones.",
    },
    AUTH_GRACE_SECONDS: {
      schema: whole(0, 3_600),
      default: "10",
      help: "Seconds that a connection outlives its token, for a refresh that is late.",
    },
    GUESTS: {
      schema: flag(),
      default: "true",
      help: "Takes guests, who give a name and nothing else. `false`: tokens of guests are refused too.",
    },
    ACCOUNTS: {
      schema: flag(),
      default: "true",
      help: "Serves sign-up and sign-in. `false`: there are only guests, bots and tokens of another issuer.",
    },
    PUBLIC_URL: {
      schema: z
        .string()
        .refine(
          (text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text,
          "must be like https://chat.example.org (no path)",
        ),
      unset: "the first of ALLOWED_ORIGINS, else the address that the node listens on",
      help: "Where the page is: stands in letters, and with https makes cookies `Secure`.",
      example: "https://chat.example.org",
    },
    EMAIL_VERIFICATION_REQUIRED: {
      schema: flag(),
      default: "false",
      help: "Signs nobody in whose address is not proved. Needs SMTP_URL.",
    },
    GITHUB_CLIENT_ID: {
      schema: z.string(),
      help: "Sign-in with GitHub; its callback is PUBLIC_URL/api/auth/callback/github. Needs GITHUB_CLIENT_SECRET.",
    },
    GITHUB_CLIENT_SECRET: { schema: z.string(), secret: true, help: "Secret of GITHUB_CLIENT_ID." },
    GOOGLE_CLIENT_ID: {
      schema: z.string(),
      help: "Sign-in with Google; its callback is PUBLIC_URL/api/auth/callback/google. Needs GOOGLE_CLIENT_SECRET.",
    },
    GOOGLE_CLIENT_SECRET: { schema: z.string(), secret: true, help: "Secret of GOOGLE_CLIENT_ID." },
    AUTH_JWT_ISSUER: {
      schema: z.string().regex(/^(?!skat\/)/, "must not begin with skat/, as our own tokens do"),
      help: "`iss` of tokens of another issuer that are accepted, such as a company's login. Needs AUTH_JWT_AUDIENCE, and AUTH_JWT_SECRET or AUTH_JWKS_URL.",
      example: "https://login.example.org",
    },
    AUTH_JWT_AUDIENCE: {
      schema: z.string(),
      help: "`aud` that those tokens must have.",
      example: "chat",
    },
    AUTH_JWT_SECRET: {
      schema: z.string().min(32, "is shorter than 32 characters; make one with: openssl rand -base64 48"),
      secret: true,
      help: "Secret of those tokens (HS256).",
    },
    AUTH_JWKS_URL: {
      schema: z.string().refine(isKeysUrl, "must be an https URL; http only on this machine"),
      help: "URL of the public keys of those tokens (RS256, ES256, EdDSA). Read again every ten minutes, and for a key that is new.",
      example: "https://login.example.org/.well-known/jwks.json",
    },
    SMTP_URL: {
      schema: z
        .string()
        .regex(/^smtps?:\/\/[^/\s]+$/, "must be like smtp://user:password@host:587, or smtps://"),
      unset:
        "with `npm start` on this machine letters are printed and kept at /dev/mailbox, else none are sent",
      secret: true,
      help: "Server that sends letters: proofs of addresses, and new passwords. Needs MAIL_FROM.",
      example: "smtp://user:password@smtp.example.org:587",
    },
    MAIL_FROM: {
      schema: z.string().regex(/^[^\r\n]+@[^\r\n]+$/, "must be an address, like Skat <chat@example.org>"),
      help: "Who letters are from. Needs SMTP_URL.",
      example: "Skat <chat@example.org>",
    },
    ALLOWED_ORIGINS: {
      schema: origins(),
      unset: "pages of this machine, and those that the node itself gives out under a numeric address",
      help: "Origins of the pages that may connect, separated by commas, or `none`. Needed with NODE_ENV=production.",
      example: "https://chat.example.org",
    },
  },
  "Socket.IO": {
    SOCKETIO: {
      schema: flag(),
      default: "false",
      help: "Serve clients of Socket.IO at /socket.io/.",
    },
    SOCKETIO_ROOM: {
      schema: z.string(),
      default: LOBBY,
      help: "Id of the room where clients of the simple dialect meet.",
    },
    SOCKETIO_POLLING: {
      schema: flag(),
      unset: "true without REDIS_URL, else false",
      help: "Long-polling beside WebSocket. With several nodes it works only behind a load balancer with sticky sessions.",
    },
  },
  Limits: {
    BODY_BYTES_MAX: {
      // An escaped character takes up to six bytes, and brokers take a megabyte.
      schema: whole(1, 128 * 1024),
      default: String(DEFAULT_LIMITS.bodyBytesMax),
      help: "Bytes of UTF-8 in a message.",
    },
    FRAME_BYTES_MAX: {
      schema: whole(2048, 16 * 1024 * 1024),
      default: String(DEFAULT_LIMITS.frameBytesMax),
      help: "Bytes of a frame or an HTTP request; at least 1024 more than BODY_BYTES_MAX.",
    },
    NAME_LENGTH_MAX: {
      schema: whole(1, 1000),
      default: String(DEFAULT_LIMITS.nameLengthMax),
      help: "Characters in the name of a user or room.",
    },
    ROOMS_PER_SESSION_MAX: {
      schema: whole(1, 100_000),
      default: String(DEFAULT_LIMITS.roomsPerSessionMax),
      help: "Rooms that a session may have joined at the same time.",
    },
    FRAMES_PER_SECOND: {
      schema: whole(1, 1_000_000),
      default: String(DEFAULT_LIMITS.framesPerSecond),
      help: "Frames a second that a session may send for long.",
    },
    FRAME_BURST: {
      schema: whole(1, 1_000_000),
      default: String(DEFAULT_LIMITS.frameBurst),
      help: "Frames that it may send at once.",
    },
    HISTORY_LIMIT_MAX: {
      schema: whole(PAGE_EVENTS, 1000),
      default: String(DEFAULT_LIMITS.historyLimitMax),
      help: "Events in one page of history.",
    },
    ROOMS_PER_USER_MAX: {
      schema: whole(0, 1_000_000),
      default: String(DEFAULT_LIMITS.roomsPerUserMax),
      help: "Rooms that a user may own. 0: nobody makes rooms.",
    },
    MEMBERS_PER_ROOM_MAX: {
      schema: whole(1, 10_000_000),
      default: String(DEFAULT_LIMITS.membersPerRoomMax),
      help: "Members that a room may have.",
    },
    DIRECT_PEOPLE_MAX: {
      schema: whole(2, 100),
      default: String(DEFAULT_LIMITS.directPeopleMax),
      help: "People that a direct room may have.",
    },
    CONNECTIONS_MAX: {
      schema: whole(0, 1_000_000),
      default: "20000",
      help: "Sockets that a node accepts. 0: none.",
    },
    CONNECTIONS_PER_USER_MAX: {
      schema: whole(1, 1_000_000),
      default: "2000",
      help: "Sockets of one user that a node accepts.",
    },
    CONNECTIONS_PER_ADDRESS_MAX: {
      schema: whole(1, 1_000_000),
      default: "2000",
      help: "Sockets of one address that a node accepts.",
    },
    TRUSTED_PROXY_HOPS: {
      schema: whole(0, 10),
      default: "0",
      help: "Proxies in front that add to X-Forwarded-For: the client's address is the entry that many from the right. 0: the header is not believed. Addresses of this machine are not limited.",
    },
    RATE_GUESTS: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.guests,
      help: `${RATES.guests}: so many in so many seconds.`,
    },
    RATE_SIGN_INS: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.signIns,
      help: `${RATES.signIns}: so many in so many seconds.`,
    },
    RATE_UPGRADES: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.upgrades,
      help: `${RATES.upgrades}: so many in so many seconds.`,
    },
    RATE_REQUESTS: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.requests,
      help: `${RATES.requests}: so many in so many seconds.`,
    },
    RATE_JOINS: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.joins,
      help: `${RATES.joins}: so many in so many seconds.`,
    },
    RATE_ROOMS_MADE: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.roomsMade,
      help: `${RATES.roomsMade}: so many in so many seconds.`,
    },
    RATE_EXPORTS: {
      schema: rate(),
      default: DEFAULT_LIMITS.rates.exports,
      help: `${RATES.exports}: so many in so many seconds.`,
    },
    RATE_SENDS: {
      schema: rate(),
      unset: "twenty times FRAMES_PER_SECOND, in 10 seconds",
      help: `${RATES.sends}: so many in so many seconds.`,
    },
    RATE_ROOM_SENDS: {
      schema: rate(),
      unset: "a thousand times FRAMES_PER_SECOND, in 10 seconds",
      help: `${RATES.roomSends}: so many in so many seconds.`,
    },
    BUFFER_BYTES_MAX: {
      schema: whole(64 * 1024, 1024 * 1024 * 1024),
      default: String(4 * 1024 * 1024),
      help: "Bytes that wait for one slow client before it is closed.",
    },
    HEARTBEAT_MS: {
      schema: whole(100, 600_000),
      default: "25000",
      help: "Milliseconds between heartbeats; two without an answer close the connection. Keep it below half of every idle timeout on the way.",
    },
  },
  Tuning: {
    LOG_BACKLOG_MAX: {
      schema: whole(1, 10_000_000),
      default: "10000",
      help: "Messages of a node that may wait for Kafka; past it a send is refused for the time being.",
    },
    ROOM_UNSAVED_MAX: {
      schema: whole(1, 10_000_000),
      default: "100000",
      help: "Entries of a room's stream; past it a send is refused for the time being.",
    },
    STREAM_KEEP: {
      schema: whole(1, 1_000_000),
      default: "1000",
      help: "Newest entries of a room's stream that stay when they are stored.",
    },
    RETENTION_DAYS: {
      // Not below what the log keeps: what is read from it again would come back.
      schema: whole(8, 36_500),
      unset: "events are kept for ever",
      help: "Days after which consumers delete events from the store; in partitions up to EVENTS_PARTITION_DAYS later.",
      example: "365",
    },
    EVENTS_PARTITION_DAYS: {
      schema: whole(1, 3650),
      unset: "one table",
      help: "Days of events in one partition of their table. Consumers make them ahead, and go on when this is taken away.",
      example: "30",
    },
    CONSUMER_BATCH_MAX: {
      schema: whole(1, 10_000),
      default: "1000",
      help: "Rows that a consumer inserts at once.",
    },
    CONSUMER_STALL_MS: {
      schema: whole(1000, 86_400_000),
      default: "60000",
      help: "Age in milliseconds of the oldest record that is not stored at which a consumer is not ready any more.",
    },
  },
} as const satisfies Record<string, Record<string, Variable>>;

type Groups = typeof VARIABLE_GROUPS;
type Flat<G> = { [Group in keyof G]: (values: G[Group]) => void }[keyof G] extends (values: infer All) => void
  ? All
  : never;
type Variables = Flat<Groups>;
type Read<V> = V extends { schema: z.ZodType<infer Output, string> }
  ? V extends { default: string }
    ? Output
    : Output | undefined
  : never;

export type VariableName = keyof Variables;
/** What the variables hold, each as its schema reads it. */
export type Settings = { readonly [Name in VariableName]: Read<Variables[Name]> };

export const VARIABLES: Readonly<Record<string, Variable>> = Object.assign(
  {},
  ...Object.values(VARIABLE_GROUPS),
);

function whole(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((number) => number >= least && number <= most, message);
}

/** Read to windows by the core; several all hold. */
function rate() {
  return z
    .string()
    .regex(
      /^(?:none|[1-9]\d{0,8}\/[1-9]\d{0,5}(?:,[1-9]\d{0,8}\/[1-9]\d{0,5})*)$/,
      "must be like 100/60 (so many in so many seconds), several separated by commas, or `none`",
    );
}

function flag() {
  return z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");
}

function isKeysUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname))
  );
}

function list(item: RegExp, message: string) {
  return z
    .string()
    .transform((text) => text.split(",").map((part) => part.trim()))
    .pipe(z.array(z.string().regex(item, message)));
}

function topic() {
  return z.string().regex(/^(?!\.{1,2}$)[\w.-]{1,249}$/, "must be 1 to 249 of a-z, A-Z, 0-9, ., _ and -");
}

function origins() {
  const message = "must be `none`, or like https://chat.example.org (no path), several separated by commas";
  return z
    .string()
    .transform((text) => (text === "none" ? [] : text.split(",").map((part) => part.trim())))
    .refine((all) => all.every((each) => URL.canParse(each) && new URL(each).origin === each), message);
}

/** A reader that throws: its message becomes the fault's. */
function from<Output>(read: (text: string) => Output) {
  return z.string().transform((text, context): Output => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  });
}
