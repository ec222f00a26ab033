/** Configuration: what each variable becomes, what is refused and how that is told, and that its pages are true. */
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigError, loadConfig, type Config, type Environment, type Role } from "../config.ts";
import { VARIABLES } from "../config/variables.ts";
import { DEFAULT_LIMITS } from "../protocol.ts";
import { renderEnvExample, renderPage } from "../../scripts/configuration.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./certificate.ts";

const SECRET = "s3cret-0123456789-0123456789-abcdef";
const ENGINES = { REDIS_URL: "redis://h", KAFKA_BROKERS: "h:9092", DATABASE_URL: "postgres://u:p@h/db" };
const NODE = { ...ENGINES, AUTH_SECRET: SECRET };
const base64 = (text: string) => Buffer.from(text).toString("base64");
const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const oneLine = (text: string) => text.trim().replaceAll("\n", "\\n");

function load(env: Environment, role: Role = "all"): Config {
  // Each role's own signature leads to the same function.
  return (loadConfig as (env: Environment, role: Role) => Config)(env, role);
}

function failure(env: Environment, role: Role = "all"): ConfigError {
  try {
    load(env, role);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("without any variable", () => {
  it("one process with embedded engines, for this machine only", () => {
    expect(load({})).toEqual({
      role: "all",
      stage: "dev",
      isProduction: false,
      logLevel: "info",
      metricsLogMs: 0,
      dataDir: ".data",
      drainMs: 20_000,
      http: { host: "127.0.0.1", origins: "local", trustedHops: 0 },
      auth: {
        tokenLifeMs: 30 * 24 * 60 * 60 * 1000,
        accessLifeMs: 15 * 60 * 1000,
        graceMs: 10_000,
        guests: true,
        accounts: true,
        isVerificationRequired: false,
      },
      limits: DEFAULT_LIMITS,
      connectionsMax: 20_000,
      connectionsPerUserMax: 2_000,
      connectionsPerAddressMax: 2_000,
      bufferBytesMax: 4 * 1024 * 1024,
      heartbeatMs: 25_000,
      logBacklogMax: 10_000,
      roomUnsavedMax: 100_000,
      streamKeep: 1000,
      consumer: { port: 3001, batchMax: 1000, stallMs: 60_000 },
    });
  });

  it("empty and blank ones are the same as none", () => {
    const empty = Object.fromEntries(
      Object.keys(VARIABLES).map((name, index) => [name, index % 2 ? "" : " \n"]),
    );
    expect(load(empty)).toEqual(load({}));
  });

  it("the whole configuration is frozen", () => {
    const config = load({ ...NODE, KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" });
    const parts: unknown[] = [config, config.http, config.limits, config.kafka?.sasl, config.kafka?.brokers];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
    expect(parts).not.toContain(undefined);
  });
});

const ISSUER = { AUTH_JWT_ISSUER: "https://login.a.b", AUTH_JWT_AUDIENCE: "chat" };
const POSTGRES = "postgres://u:p%40@h:5432/db";

describe("a variable becomes", () => {
  it.each<[string, Environment, unknown]>([
    ["a port", { PORT: "8080" }, { http: { port: 8080 } }],
    ["port 0, any", { PORT: "0" }, { http: { port: 0 } }],
    ["a trimmed text", { STAGE: " pr-12\n" }, { stage: "pr-12" }],
    ["production", { ...NODE, NODE_ENV: "production", ALLOWED_ORIGINS: "none" }, { isProduction: true }],
    ["a level", { LOG_LEVEL: "debug" }, { logLevel: "debug" }],
    ["an address", { HOST: "::" }, { http: { host: "::" } }],
    ["milliseconds from seconds", { AUTH_TOKEN_SECONDS: "60" }, { auth: { tokenLifeMs: 60_000 } }],
    ["no guests", { GUESTS: "false" }, { auth: { guests: false } }],
    [
      "the page's URL, from the first origin",
      { ALLOWED_ORIGINS: "https://a.b,https://c.d" },
      { auth: { publicUrl: "https://a.b" } },
    ],
    [
      "the page's URL",
      { ALLOWED_ORIGINS: "https://a.b", PUBLIC_URL: "https://c.d" },
      { auth: { publicUrl: "https://c.d" } },
    ],
    [
      "another service's client",
      { GITHUB_CLIENT_ID: "i", GITHUB_CLIENT_SECRET: "s" },
      { auth: { github: { clientId: "i", clientSecret: "s" } } },
    ],
    [
      "another issuer by its secret",
      { ...ISSUER, AUTH_JWT_SECRET: SECRET },
      { auth: { foreign: { issuer: "https://login.a.b", audience: "chat", keys: { secret: SECRET } } } },
    ],
    [
      "another issuer by its keys",
      { ...ISSUER, AUTH_JWKS_URL: "https://login.a.b/keys" },
      { auth: { foreign: { keys: { jwksUrl: "https://login.a.b/keys" } } } },
    ],
    [
      "a server for letters",
      { SMTP_URL: "smtps://u:p@h", MAIL_FROM: "Skat <a@b.c>" },
      { auth: { smtp: { url: "smtps://u:p@h", from: "Skat <a@b.c>" } } },
    ],
    ["no origin", { ALLOWED_ORIGINS: "none" }, { http: { origins: [] } }],
    [
      "origins",
      { ALLOWED_ORIGINS: "https://a.b, http://c:1" },
      { http: { origins: ["https://a.b", "http://c:1"] } },
    ],
    [
      "a limit",
      { BODY_BYTES_MAX: "100", FRAME_BYTES_MAX: "2048" },
      { limits: { bodyBytesMax: 100, frameBytesMax: 2048 } },
    ],
    ["redis://", { REDIS_URL: "redis://h:1/2" }, { redis: { url: "redis://h:1/2", cluster: false } }],
    ["rediss://", { REDIS_URL: "rediss://u:p@h:1" }, { redis: { url: "rediss://u:p@h:1" } }],
    [
      "rediss:// from Aiven's valkeys://",
      { REDIS_URL: "valkeys://default:p%2F@h:1" },
      { redis: { url: "rediss://default:p%2F@h:1" } },
    ],
    ["redis:// from valkey://", { REDIS_URL: "valkey://h" }, { redis: { url: "redis://h" } }],
    [
      "an authority from PEM",
      { REDIS_URL: "rediss://h", REDIS_CA: TEST_CERTIFICATE },
      { redis: { ca: TEST_CERTIFICATE } },
    ],
    [
      "an authority from base64",
      { REDIS_URL: "rediss://h", REDIS_CA: base64(TEST_CERTIFICATE) },
      { redis: { ca: TEST_CERTIFICATE } },
    ],
    [
      "an authority from one line",
      { REDIS_URL: "rediss://h", REDIS_CA: oneLine(TEST_CERTIFICATE) },
      { redis: { ca: TEST_CERTIFICATE } },
    ],
    [
      "two authorities",
      { REDIS_URL: "rediss://h", REDIS_CA: TEST_CERTIFICATE.repeat(2) },
      { redis: { ca: TEST_CERTIFICATE.repeat(2) } },
    ],
    ["a cluster", { REDIS_URL: "redis://h", REDIS_CLUSTER: "true" }, { redis: { cluster: true } }],
    [
      "brokers",
      { KAFKA_BROKERS: "a:1, b.c:2" },
      { kafka: { brokers: ["a:1", "b.c:2"], replication: -1, partitions: 6 } },
    ],
    [
      "SASL, which brings TLS",
      { KAFKA_BROKERS: "a:1", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" },
      { kafka: { ssl: {}, sasl: { mechanism: "scram-sha-256", username: "u", password: "p" } } },
    ],
    [
      "another mechanism",
      { KAFKA_BROKERS: "a:1", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p", KAFKA_SASL_MECHANISM: "plain" },
      { kafka: { sasl: { mechanism: "plain" } } },
    ],
    [
      "TLS by an authority",
      { KAFKA_BROKERS: "a:1", KAFKA_CA: TEST_CERTIFICATE },
      { kafka: { ssl: { ca: TEST_CERTIFICATE } } },
    ],
    ["TLS by itself", { KAFKA_BROKERS: "a:1", KAFKA_SSL: "true" }, { kafka: { ssl: {} } }],
    [
      "mTLS",
      { KAFKA_BROKERS: "a:1", KAFKA_CERT: base64(TEST_CERTIFICATE), KAFKA_KEY: base64(TEST_KEY) },
      { kafka: { ssl: { cert: TEST_CERTIFICATE, key: TEST_KEY } } },
    ],
    [
      "topics",
      { KAFKA_BROKERS: "a:1", KAFKA_TOPIC: "shared", KAFKA_DEAD_LETTER_TOPIC: "dead" },
      { kafka: { topic: "shared", deadLetterTopic: "dead" } },
    ],
    ["replicas", { KAFKA_BROKERS: "a:1", KAFKA_REPLICATION: "3" }, { kafka: { replication: 3 } }],
    [
      "a database in the clear",
      { DATABASE_URL: POSTGRES },
      { database: { url: POSTGRES, schema: "skat_dev", migrate: true } },
    ],
    [
      "a database by TLS, sslmode out of the URL",
      { DATABASE_URL: `${POSTGRES}?sslmode=require` },
      { database: { url: POSTGRES, ssl: {} } },
    ],
    [
      "a database by TLS with its authority",
      { DATABASE_URL: `${POSTGRES}?sslmode=verify-full`, DATABASE_CA: base64(TEST_CERTIFICATE) },
      { database: { url: POSTGRES, ssl: { ca: TEST_CERTIFICATE } } },
    ],
    [
      "a database without TLS by name",
      { DATABASE_URL: `${POSTGRES}?sslmode=disable` },
      { database: { url: POSTGRES } },
    ],
    [
      "a schema from the URL",
      { DATABASE_URL: `${POSTGRES}?schema=chat&application_name=x` },
      { database: { url: `${POSTGRES}?application_name=x`, schema: "chat" } },
    ],
    [
      "a schema by its variable first",
      { DATABASE_URL: `${POSTGRES}?schema=chat`, DATABASE_SCHEMA: "other" },
      { database: { schema: "other" } },
    ],
    [
      "no migrations",
      { DATABASE_URL: POSTGRES, DATABASE_MIGRATE: "false" },
      { database: { migrate: false } },
    ],
  ])("%s", (_, env, config) => {
    expect(load(env)).toMatchObject(config as object);
  });

  it.each<[string, Environment, "redis" | "kafka" | "database", string]>([
    ["REDIS_URL without an s", { REDIS_URL: "redis://h" }, "redis", "ca"],
    ["KAFKA_BROKERS alone", { KAFKA_BROKERS: "a:1" }, "kafka", "ssl"],
    [
      "SASL with KAFKA_SSL=false",
      { KAFKA_BROKERS: "a:1", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p", KAFKA_SSL: "false" },
      "kafka",
      "ssl",
    ],
    ["DATABASE_URL without sslmode", { DATABASE_URL: POSTGRES }, "database", "ssl"],
    ["DATABASE_URL with sslmode=disable", { DATABASE_URL: `${POSTGRES}?sslmode=disable` }, "database", "ssl"],
  ])("no TLS: %s", (_, env, part, key) => {
    expect(load(env)[part]).toBeDefined();
    expect(load(env)[part]).not.toHaveProperty(key);
  });

  it("[G12] names that carry the stage, each stage its own", () => {
    const { kafka, database } = load({ ...ENGINES, STAGE: "pr-12" });
    expect(kafka).toMatchObject({
      stage: "pr-12",
      clientId: "skat-pr-12",
      groupId: "skat.pr-12.store",
      topic: "skat.pr-12.events",
      deadLetterTopic: "skat.pr-12.dead-letters",
    });
    expect(database?.schema).toBe("skat_pr_12");
  });
});

describe("a link of SST", () => {
  const link = (value: unknown) => JSON.stringify({ value, type: "sst.sst.Secret" });

  it("stands in for each variable", () => {
    const config = load(
      {
        SST_RESOURCE_RedisUrl: link("valkeys://u:p@h:1"),
        SST_RESOURCE_KafkaBrokers: link("a:1"),
        SST_RESOURCE_KafkaUsername: link("u"),
        SST_RESOURCE_KafkaPassword: link("p"),
        SST_RESOURCE_KafkaCa: link(TEST_CERTIFICATE),
        SST_RESOURCE_KafkaSaslMechanism: link("scram-sha-512"),
        SST_RESOURCE_DatabaseUrl: link("postgres://u:p@h/db"),
        SST_RESOURCE_AuthSecret: link(SECRET),
        SST_RESOURCE_App: JSON.stringify({ name: "skat", stage: "pr-7" }),
      },
      "node",
    );
    expect(config).toMatchObject({
      stage: "pr-7",
      redis: { url: "rediss://u:p@h:1" },
      kafka: {
        topic: "skat.pr-7.events",
        sasl: { mechanism: "scram-sha-512" },
        ssl: { ca: TEST_CERTIFICATE },
      },
      database: { url: "postgres://u:p@h/db" },
      auth: { secret: SECRET },
    });
  });

  it("gives way to the variable", () => {
    const env = { REDIS_URL: "redis://a", SST_RESOURCE_RedisUrl: link("redis://b") };
    expect(load(env).redis?.url).toBe("redis://a");
  });

  it("with an empty value is not set", () => {
    expect(load({ SST_RESOURCE_RedisUrl: link(""), SST_RESOURCE_DatabaseUrl: "" })).toEqual(load({}));
  });

  it.each(["{", "null", "[]", '{"type":"x"}', link(7)])("that is %s is refused by name", (json) => {
    const { message } = failure({ SST_RESOURCE_RedisUrl: json });
    expect(message).toContain("REDIS_URL (from SST_RESOURCE_RedisUrl) is no link of SST");
  });

  it("is named where its value is wrong", () => {
    const { message } = failure({ SST_RESOURCE_RedisUrl: link("http://u:hunter2@h") });
    expect(message).toContain("REDIS_URL (from SST_RESOURCE_RedisUrl)=http://*** must begin with redis://");
  });
});

const wrongValues = (
  [
    ["PORT", "http", 'PORT="http" must be a whole number from 0 to 65535'],
    ["PORT", "65536", "from 0 to 65535"],
    ["PORT", "-1", "from 0 to 65535"],
    ["PORT", "80.5", "from 0 to 65535"],
    ["PORT", "0x50", "from 0 to 65535"],
    ["STAGE", "PR_12", "1 to 30 of a-z, 0-9 and -"],
    ["STAGE", "x".repeat(31), "1 to 30 of a-z, 0-9 and -"],
    ["NODE_ENV", "prod", "must be development, test or production"],
    ["LOG_LEVEL", "verbose", "must be one of debug, info"],
    ["DRAIN_MS", "20s", "must be a whole number"],
    ["DATABASE_MIGRATE", "yes", "must be true or false"],
    ["REDIS_URL", "localhost:6379", "must begin with redis://, rediss://, valkey://, valkeys://"],
    ["REDIS_URL", "redis://", "REDIS_URL=redis://*** "],
    ["REDIS_URL", "redis://u:a/b@h:1", "written as %2F"],
    ["REDIS_URL", "redis://u:a#b@h:1", "%23"],
    ["REDIS_URL", "redis://h/keys", "database number"],
    ["REDIS_URL", "redis://h?tls=true", "has parameters"],
    ["KAFKA_BROKERS", "host", "must be host:port"],
    ["KAFKA_BROKERS", "a:1,,b:2", "must be host:port"],
    ["KAFKA_BROKERS", "kafka://a:1", "must be host:port"],
    ["KAFKA_TOPIC", "a topic", "1 to 249"],
    ["KAFKA_TOPIC", "..", "1 to 249"],
    ["KAFKA_SASL_MECHANISM", "oauthbearer", "must be plain, scram-sha-256 or scram-sha-512"],
    ["KAFKA_PARTITIONS", "0", "from 1 to 1000"],
    ["DATABASE_URL", "mysql://h/db", "must begin with postgres://, postgresql://"],
    ["DATABASE_URL", "postgres://h", "names no database"],
    ["DATABASE_URL", "postgres://h/db?sslmode=no-verify", "sslmode"],
    ["DATABASE_URL", "postgres://h/db?sslmode=prefer", "sslmode"],
    ["DATABASE_URL", "postgres://h/db?sslrootcert=/ca.pem", "DATABASE_CA"],
    ["DATABASE_URL", "postgres://h/db?schema=Chat", "has a `schema` that must be up to 63"],
    ["DATABASE_SCHEMA", "pg_chat", "must be up to 63"],
    ["AUTH_SECRET", "hunter2", "shorter than 32 characters"],
    ["AUTH_JWT_SECRET", "hunter2", "shorter than 32 characters"],
    ["AUTH_JWT_ISSUER", "skat/production", "must not begin with skat/"],
    ["AUTH_JWKS_URL", "http://login.example.org/keys", "must be an https URL"],
    ["AUTH_JWKS_URL", "file:///etc/passwd", "must be an https URL"],
    ["PUBLIC_URL", "https://a.b/chat", "no path"],
    ["SMTP_URL", "http://h", "must be like smtp://"],
    ["MAIL_FROM", "Skat", "must be an address"],
    ["ALLOWED_ORIGINS", "*", "https://chat.example.org"],
    ["ALLOWED_ORIGINS", "https://a.b/", "no path"],
    ["ALLOWED_ORIGINS", "a.b", "no path"],
    ["REDIS_CA", "not a certificate", "holds no certificate"],
    ["REDIS_CA", TEST_KEY, "not a certificate"],
    ["REDIS_CA", TEST_CERTIFICATE.replace("MII", "AII"), "not a certificate"],
    ["KAFKA_KEY", TEST_CERTIFICATE, "not a private key"],
    ["KAFKA_KEY", TEST_KEY + TEST_KEY, "more than one"],
  ] as const
).map(([name, value, message]) => [name, message, value] as const);

describe("is refused, with what would be right:", () => {
  it.each(wrongValues)("%s: %s", (name, message, value) => {
    expect(failure({ [name]: value }).message).toContain(message);
  });

  it.each<[title: string, env: Environment, fault: string]>([
    [
      "a user without a password",
      { KAFKA_BROKERS: "a:1", KAFKA_USERNAME: "u" },
      "KAFKA_PASSWORD is missing, but KAFKA_USERNAME is set",
    ],
    [
      "a password without a user",
      { KAFKA_BROKERS: "a:1", KAFKA_PASSWORD: "p" },
      "KAFKA_USERNAME is missing, but KAFKA_PASSWORD is set",
    ],
    [
      "a client without its secret",
      { GOOGLE_CLIENT_ID: "i" },
      "GOOGLE_CLIENT_SECRET is missing, but GOOGLE_CLIENT_ID is set",
    ],
    [
      "an issuer without keys",
      ISSUER,
      "AUTH_JWKS_URL or AUTH_JWT_SECRET is missing, but AUTH_JWT_ISSUER is set",
    ],
    [
      "an issuer with two kinds of keys",
      { ...ISSUER, AUTH_JWT_SECRET: SECRET, AUTH_JWKS_URL: "https://a.b" },
      "leave one of them out",
    ],
    [
      "an issuer without an audience",
      { AUTH_JWT_ISSUER: "https://login.a.b", AUTH_JWT_SECRET: SECRET },
      "AUTH_JWT_AUDIENCE is missing, but AUTH_JWT_ISSUER is set",
    ],
    [
      "proofs of addresses without a server for letters",
      { EMAIL_VERIFICATION_REQUIRED: "true" },
      "SMTP_URL is missing, but EMAIL_VERIFICATION_REQUIRED is true",
    ],
    [
      "a mechanism without a user",
      { KAFKA_BROKERS: "a:1", KAFKA_SASL_MECHANISM: "plain" },
      "KAFKA_USERNAME is missing",
    ],
    [
      "a certificate without its key",
      { KAFKA_BROKERS: "a:1", KAFKA_CERT: TEST_CERTIFICATE },
      "KAFKA_KEY is missing",
    ],
    ["a key without its certificate", { KAFKA_BROKERS: "a:1", KAFKA_KEY: TEST_KEY }, "KAFKA_CERT is missing"],
    [
      "another certificate's key",
      { KAFKA_BROKERS: "a:1", KAFKA_CERT: TEST_CERTIFICATE, KAFKA_KEY: otherKey },
      "KAFKA_KEY=*** is not the key of KAFKA_CERT",
    ],
    [
      "an authority, but TLS off",
      { KAFKA_BROKERS: "a:1", KAFKA_CA: TEST_CERTIFICATE, KAFKA_SSL: "false" },
      'KAFKA_SSL="false" turns TLS off',
    ],
    [
      "a body that fills its frame",
      { BODY_BYTES_MAX: "64000", FRAME_BYTES_MAX: "65000" },
      'FRAME_BYTES_MAX="65000" must be at least BODY_BYTES_MAX + 1024, which is 65024',
    ],
    [
      "one topic for both",
      { KAFKA_BROKERS: "a:1", KAFKA_TOPIC: "t", KAFKA_DEAD_LETTER_TOPIC: "t" },
      "must be another topic",
    ],
    [
      "a user without brokers",
      { KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" },
      "KAFKA_BROKERS is missing, but KAFKA_USERNAME is set",
    ],
    [
      "a certificate without brokers",
      { KAFKA_CERT: TEST_CERTIFICATE, KAFKA_KEY: TEST_KEY },
      "KAFKA_BROKERS is missing",
    ],
    [
      "Redis's authority without Redis",
      { REDIS_CA: TEST_CERTIFICATE },
      "REDIS_URL is missing, but REDIS_CA is set",
    ],
    ["a cluster without Redis", { REDIS_CLUSTER: "true" }, "REDIS_URL is missing, but REDIS_CLUSTER is true"],
    [
      "a database of a cluster",
      { REDIS_URL: "redis://h/2", REDIS_CLUSTER: "true" },
      "a cluster has none: leave its number out",
    ],
    [
      "Redis's authority without TLS",
      { REDIS_URL: "redis://h", REDIS_CA: TEST_CERTIFICATE },
      "begin it with rediss://",
    ],
    [
      "the database's authority without TLS",
      { DATABASE_URL: "postgres://h/d", DATABASE_CA: TEST_CERTIFICATE },
      "add `?sslmode=require`",
    ],
    ["the database's authority without it", { DATABASE_CA: TEST_CERTIFICATE }, "DATABASE_URL is missing"],
  ])("%s", (_, env, fault) => {
    expect(failure(env).message).toContain(fault);
  });
});

describe("a role", () => {
  it.each(["node", "consumer"] as const)("%s has all engines, or says which are missing and why", (role) => {
    const { message, faults } = failure({ AUTH_SECRET: SECRET, KAFKA_BROKERS: "a:1" }, role);
    expect(faults.map(({ name }) => name)).toEqual(["REDIS_URL", "DATABASE_URL"]);
    expect(message).toContain("an embedded engine can't be shared between processes");
    expect(message).toContain("npm start");
    expect(load(NODE, role)).toMatchObject({ role, http: { host: "0.0.0.0" } });
  });

  it("node shares its secret with the others; a consumer needs none", () => {
    expect(failure(ENGINES, "node").message).toContain(
      "AUTH_SECRET is missing: the nodes of a stage share it",
    );
    expect(load(ENGINES, "consumer").auth.secret).toBeUndefined();
  });

  it("migrate needs the database alone", () => {
    expect(load({ DATABASE_URL: "postgres://h/db" }, "migrate").database?.url).toBe("postgres://h/db");
    expect(failure({ REDIS_URL: "redis://h" }, "migrate").message).toContain("DATABASE_URL is missing");
  });

  it.each([
    [{ REDIS_URL: "redis://h" }, ["redis"]],
    [{ KAFKA_BROKERS: "a:1" }, ["kafka"]],
    [{ DATABASE_URL: "postgres://h/db" }, ["database"]],
    [{ REDIS_URL: "redis://h", DATABASE_URL: "postgres://h/db" }, ["redis", "database"]],
  ])("all takes what is set of %j and embeds the rest", (env, present) => {
    const config = load(env);
    expect(["redis", "kafka", "database"].filter((engine) => engine in config)).toEqual(present);
  });

  const PRODUCTION = { NODE_ENV: "production", AUTH_SECRET: SECRET, ALLOWED_ORIGINS: "https://a.b" };

  it("all never embeds silently in production", () => {
    const { faults } = failure({ ...PRODUCTION, REDIS_URL: "redis://h" });
    expect(faults.map(({ name }) => name)).toEqual(["KAFKA_BROKERS", "DATABASE_URL"]);
    expect(faults[0]?.message).toContain("ALLOW_EMBEDDED=true");
    expect(load({ ...PRODUCTION, ALLOW_EMBEDDED: "true" })).not.toHaveProperty("redis");
    expect(load({ ...PRODUCTION, ...ENGINES }).isProduction).toBe(true);
  });

  it.each(["all", "node"] as const)("%s in production names its secret and its pages", (role) => {
    const { faults } = failure({ ...ENGINES, NODE_ENV: "production" }, role);
    expect(faults.map(({ name }) => name)).toEqual(["AUTH_SECRET", "ALLOWED_ORIGINS"]);
    expect(load({ ...ENGINES, ...PRODUCTION }, role).http.origins).toEqual(["https://a.b"]);
  });
});

describe("faults", () => {
  it("are all told at once, each on its line", () => {
    const env = { PORT: "x", STAGE: "A", REDIS_URL: "h:1", KAFKA_USERNAME: "u", NODE_ENV: "prod" };
    const { message, faults } = failure(env, "node");
    expect(faults.map(({ name }) => name).sort()).toEqual(
      [
        "AUTH_SECRET",
        "DATABASE_URL",
        "KAFKA_BROKERS",
        "KAFKA_PASSWORD",
        "NODE_ENV",
        "PORT",
        "REDIS_URL",
        "STAGE",
      ].sort(),
    );
    expect(message.split("\n")).toHaveLength(faults.length + 1);
    expect(message).toMatch(/^8 settings are wrong:\n/);
    expect(failure({ PORT: "x" }).message).toBe(
      'A setting is wrong:\n  PORT="x" must be a whole number from 0 to 65535.',
    );
  });

  it.each<[string, Environment]>([
    ["a short secret", { AUTH_SECRET: "hunter2" }],
    ["a password in a wrong URL", { REDIS_URL: "http://u:hunter2@h", DATABASE_URL: "postgres://u:hunter2@" }],
    ["a password with a slash", { REDIS_URL: "redis://u:hunter2/x@h" }],
    ["a URL that is only a password", { REDIS_URL: "hunter2", DATABASE_URL: "hunter2" }],
    ["a password among brokers", { KAFKA_BROKERS: "u:hunter2@h:1" }],
    ["a password in an origin", { ALLOWED_ORIGINS: "https://u:hunter2@h" }],
    ["a Kafka password", { KAFKA_PASSWORD: "hunter2" }],
    ["a key that is none", { KAFKA_KEY: "hunter2", KAFKA_CERT: "hunter2", REDIS_CA: "hunter2" }],
    ["a link", { SST_RESOURCE_AuthSecret: '{"value":"hunter2"}', SST_RESOURCE_RedisUrl: "hunter2" }],
  ])("never show %s", (_, env) => {
    const error = failure(env);
    expect(JSON.stringify(error.faults) + error.message + String(error.stack)).not.toContain("hunter2");
  });

  it("show a long or many-lined value in short, on one line", () => {
    const { faults } = failure({ HOST: "h", STAGE: `a\n${"b".repeat(500)}` });
    expect(faults[0]?.shown).toMatch(/^"a\\nb+…"$/);
    expect(faults[0]?.shown?.length).toBeLessThan(70);
  });

  it("don't mind variables of others", () => {
    expect(load({ PATH: "/bin", SKAT_UNKNOWN: "x", DATABASE_UNKNOWN: "y" })).toEqual(load({}));
  });
});

describe("a file .env", () => {
  it("adds what the environment does not set", async () => {
    const folder = mkdtempSync(join(tmpdir(), "skat-config-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, ".env"), 'PORT=4001\nSTAGE=from-file # here\nDATABASE_CA=""\n');
    const script = `
      import { loadConfig } from ${JSON.stringify(new URL("../config.ts", import.meta.url).href)};
      const { http, stage } = loadConfig();
      console.log(JSON.stringify({ port: http.port, stage }));`;
    const tsx = import.meta.resolve("tsx");
    const run = (env: Environment) =>
      promisify(execFile)(process.execPath, ["--import", tsx, "--input-type=module", "-e", script], {
        cwd: folder,
        env,
      });
    const first = await run({ STAGE: "real" });
    expect(JSON.parse(first.stdout)).toEqual({ port: 4001, stage: "real" });
    expect(first.stderr).toBe("");
    rmSync(join(folder, ".env"));
    expect(JSON.parse((await run({})).stdout)).toEqual({ stage: "dev" });
  });
});

describe("the pages", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

  it(".env.example names every variable as the table does", () => {
    expect(read("../../.env.example")).toBe(renderEnvExample());
  });

  it("docs/configuration.md has every variable as the table does", async () => {
    const page = read("../../docs/configuration.md");
    expect(page).toBe(await renderPage(page));
    for (const name of Object.keys(VARIABLES)) expect(page).toContain(`| \`${name}\` `);
  });

  it("every default is one that its own schema reads, and every example too", () => {
    for (const [name, { schema, default: unset, example }] of Object.entries(VARIABLES)) {
      for (const text of [unset, example]) {
        if (text !== undefined) expect(schema.safeParse(text).success, `${name}=${text}`).toBe(true);
      }
    }
  });
});
