/** What must hold between variables: halves that need each other, and what a role can't be without. */
import { isKeyOf } from "../lib/tls.ts";
import type { Source } from "./settings.ts";
import { VARIABLE_GROUPS, type Settings, type VariableName } from "./variables.ts";

/** `all`: node and consumer in one process, for a laptop; `migrate`: bring the store's tables up to date and end;
 * `operator`: look at the engines that are set, or prepare them. */
export type Role = "all" | "node" | "consumer" | "migrate" | "operator";

/** Room for the fields around a message's body. */
const FRAME_OVERHEAD_BYTES = 1024;

const ENGINES = ["REDIS_URL", "KAFKA_BROKERS", "DATABASE_URL"] as const satisfies readonly VariableName[];

/** What means nothing without its engine: so the engine's own variable was forgotten, or misspelt. */
const NEEDS: Readonly<Partial<Record<VariableName, VariableName>>> = {
  REDIS_CA: "REDIS_URL",
  KAFKA_SSL: "KAFKA_BROKERS",
  KAFKA_CA: "KAFKA_BROKERS",
  KAFKA_CERT: "KAFKA_KEY",
  KAFKA_KEY: "KAFKA_CERT",
  KAFKA_SASL_MECHANISM: "KAFKA_USERNAME",
  KAFKA_USERNAME: "KAFKA_PASSWORD",
  KAFKA_PASSWORD: "KAFKA_USERNAME",
  DATABASE_CA: "DATABASE_URL",
  GITHUB_CLIENT_ID: "GITHUB_CLIENT_SECRET",
  GITHUB_CLIENT_SECRET: "GITHUB_CLIENT_ID",
  GOOGLE_CLIENT_ID: "GOOGLE_CLIENT_SECRET",
  GOOGLE_CLIENT_SECRET: "GOOGLE_CLIENT_ID",
  AUTH_JWT_ISSUER: "AUTH_JWT_AUDIENCE",
  AUTH_JWT_AUDIENCE: "AUTH_JWT_ISSUER",
  AUTH_JWT_SECRET: "AUTH_JWT_ISSUER",
  AUTH_JWKS_URL: "AUTH_JWT_ISSUER",
  SMTP_URL: "MAIL_FROM",
  MAIL_FROM: "SMTP_URL",
};

export function checkTogether(settings: Settings, source: Source): void {
  for (const [name, needed] of Object.entries(NEEDS) as [VariableName, VariableName][]) {
    if (source.isSet(name) && !source.isSet(needed))
      source.addFault(needed, `is missing, but ${name} is set`);
  }
  checkRedis(settings, source);
  checkKafka(settings, source);
  checkDatabase(settings, source);
  checkAccess(settings, source);
  const least = settings.BODY_BYTES_MAX + FRAME_OVERHEAD_BYTES;
  if (settings.FRAME_BYTES_MAX < least) {
    source.addFault(
      "FRAME_BYTES_MAX",
      `must be at least BODY_BYTES_MAX + ${FRAME_OVERHEAD_BYTES}, which is ${least}`,
    );
  }
}

function checkRedis({ REDIS_URL, REDIS_CA, REDIS_CLUSTER }: Settings, source: Source): void {
  if (REDIS_CLUSTER && REDIS_URL === undefined)
    source.addFault("REDIS_URL", "is missing, but REDIS_CLUSTER is true");
  if (REDIS_CLUSTER && REDIS_URL && !/^\/?0?$/.test(new URL(REDIS_URL.url).pathname))
    source.addFault("REDIS_URL", "names a database, but a cluster has none: leave its number out");
  if (REDIS_URL?.isTls === false && REDIS_CA !== undefined) {
    source.addFault("REDIS_URL", "has no TLS, but REDIS_CA is set: begin it with rediss:// or valkeys://");
  }
}

function checkKafka(settings: Settings, source: Source): void {
  const { KAFKA_CERT: cert, KAFKA_KEY: key, KAFKA_TOPIC: topic } = settings;
  if (settings.KAFKA_SSL === false && (settings.KAFKA_CA ?? cert) !== undefined) {
    source.addFault("KAFKA_SSL", "turns TLS off, but KAFKA_CA or KAFKA_CERT is set: leave one of them out");
  }
  if (cert !== undefined && key !== undefined && !isKeyOf(cert, key)) {
    source.addFault("KAFKA_KEY", "is not the key of KAFKA_CERT");
  }
  if (topic !== undefined && topic === settings.KAFKA_DEAD_LETTER_TOPIC) {
    source.addFault("KAFKA_DEAD_LETTER_TOPIC", "must be another topic than KAFKA_TOPIC");
  }
  const credential = (["KAFKA_CERT", "KAFKA_USERNAME"] as const).find((name) => source.isSet(name));
  if (credential !== undefined && !source.isSet("KAFKA_BROKERS")) {
    source.addFault("KAFKA_BROKERS", `is missing, but ${credential} is set`);
  }
}

function checkDatabase({ DATABASE_URL, DATABASE_CA }: Settings, source: Source): void {
  const schema = VARIABLE_GROUPS.Postgres.DATABASE_SCHEMA.schema.safeParse(DATABASE_URL?.schema ?? "public");
  if (!schema.success) {
    source.addFault("DATABASE_URL", `has a \`schema\` that ${schema.error.issues[0]?.message ?? "is none"}`);
  }
  if (DATABASE_URL?.isTls === false && DATABASE_CA !== undefined) {
    source.addFault("DATABASE_URL", "has no TLS, but DATABASE_CA is set: add `?sslmode=require`");
  }
}

function checkAccess({ EMAIL_VERIFICATION_REQUIRED: isRequired }: Settings, source: Source): void {
  if (isRequired && !source.isSet("SMTP_URL")) {
    source.addFault("SMTP_URL", "is missing, but EMAIL_VERIFICATION_REQUIRED is true");
  }
  if (!source.isSet("AUTH_JWT_ISSUER")) return;
  const hasSecret = source.isSet("AUTH_JWT_SECRET");
  if (hasSecret && source.isSet("AUTH_JWKS_URL")) {
    source.addFault("AUTH_JWT_SECRET", "and AUTH_JWKS_URL are both set: leave one of them out");
  } else if (!hasSecret && !source.isSet("AUTH_JWKS_URL")) {
    source.addFault("AUTH_JWKS_URL", "or AUTH_JWT_SECRET is missing, but AUTH_JWT_ISSUER is set");
  }
}

export function checkRole(settings: Settings, role: Role, source: Source): void {
  const isProduction = settings.NODE_ENV === "production";
  const listens = role === "all" || role === "node";
  for (const name of missingEngines(role, source)) source.addFault(name, ENGINE_REASONS[role]);
  if (role === "all" && isProduction && settings.ALLOW_EMBEDDED === false) {
    for (const name of ENGINES.filter((each) => !source.isSet(each))) {
      source.addFault(name, ENGINE_REASONS.all);
    }
  }
  if ((role === "node" || (role === "all" && isProduction)) && !source.isSet("AUTH_SECRET")) {
    source.addFault(
      "AUTH_SECRET",
      "is missing: the nodes of a stage share it, or they would refuse each other's tokens; make one with: openssl rand -base64 48",
    );
  }
  if (listens && isProduction && !source.isSet("ALLOWED_ORIGINS")) {
    source.addFault(
      "ALLOWED_ORIGINS",
      "is missing: name the pages that may connect, such as https://chat.example.org, or `none`",
    );
  }
}

const APART =
  "is missing: an embedded engine can't be shared between processes; set it, or run all in one with `npm start`";

const ENGINE_REASONS: Readonly<Record<Role, string>> = {
  all: "is missing, and NODE_ENV=production does without embedded engines; set it, or ALLOW_EMBEDDED=true for a single process",
  node: APART,
  consumer: APART,
  operator: "is missing",
  migrate: "is missing: it names the store to migrate; the embedded one is migrated by `npm start`",
};

function missingEngines(role: Role, source: Source): readonly VariableName[] {
  if (role === "all" || role === "operator") return [];
  const needed = role === "migrate" ? (["DATABASE_URL"] as const) : ENGINES;
  return needed.filter((name) => !source.isSet(name));
}
