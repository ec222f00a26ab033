/** What `sst secret set` knows, by what it belongs to: how the engines are reached, and who may come in. Pure. */

interface Names {
  /** SST refuses a stage without them. */
  readonly needed: readonly string[];
  readonly optional: readonly string[];
}

export const SECRETS = {
  redis: { needed: ["RedisUrl"], optional: ["RedisCa", "RedisCluster"] },
  kafka: {
    needed: ["KafkaBrokers"],
    optional: ["KafkaUsername", "KafkaPassword", "KafkaCa", "KafkaCert", "KafkaKey"],
  },
  postgres: { needed: ["DatabaseUrl"], optional: ["DatabaseCa"] },
  access: {
    needed: ["AuthSecret"],
    optional: [
      ...["AuthTokenSeconds", "AuthAccessSeconds", "AuthGraceSeconds"],
      ...["Guests", "Accounts", "EmailVerificationRequired", "SmtpUrl", "MailFrom"],
      ...["GithubClientId", "GithubClientSecret", "GoogleClientId", "GoogleClientSecret"],
      ...["AuthJwtIssuer", "AuthJwtAudience", "AuthJwtSecret", "AuthJwksUrl"],
    ],
  },
} as const satisfies Record<string, Names>;

export type Part = keyof typeof SECRETS;

/** `REDIS_URL` for `RedisUrl`. */
export function variableOf(name: string): string {
  return name.replace(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
}

export function variablesOf(part: Part): readonly string[] {
  const { needed, optional } = SECRETS[part];
  return [...needed, ...optional].map(variableOf);
}
