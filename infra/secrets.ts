/** What may be in no task definition: secrets go to SSM, encrypted, and ECS hands them to the process by reference. */
import { hasSecret } from "./settings.ts";
import type { Stage } from "./stage.ts";

/** By the variable that a process reads. */
export type Secrets = Readonly<Record<string, $util.Input<string>>>;

export interface StoredSecrets {
  /** For a container's `ssm`. */
  readonly references: Readonly<Record<string, $util.Output<string>>>;
  /** Changes with every secret, so that a task definition that carries it rolls the service. */
  readonly version: $util.Output<string>;
}

/** `sst secret set RedisUrl …` for REDIS_URL, and so on. */
const NEEDED = ["RedisUrl", "KafkaBrokers", "DatabaseUrl"] as const;
const OPTIONAL = [
  "RedisCa",
  "KafkaUsername",
  "KafkaPassword",
  "KafkaCa",
  "KafkaCert",
  "KafkaKey",
  "DatabaseCa",
] as const;

/** How the engines are reached, from what was set by `sst secret set`. SST refuses a stage without the needed ones. */
export function connectionSecrets(): Secrets {
  return readAll([...NEEDED, ...OPTIONAL.filter((name) => hasSecret(name))]);
}

export function authSecret(): Secrets {
  return readAll(["AuthSecret"]);
}

/** Those that are set: in development the engines without one are embedded. */
export function linkedSecrets(): sst.Secret[] {
  const names = [...NEEDED, ...OPTIONAL, "AuthSecret"];
  return names.filter((name) => hasSecret(name)).map((name) => new sst.Secret(name));
}

function readAll(names: readonly string[]): Secrets {
  return Object.fromEntries(names.map((name) => [variableOf(name), new sst.Secret(name).value]));
}

/** `REDIS_URL` for `RedisUrl`. */
function variableOf(name: string): string {
  return name.replace(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
}

export function storeSecrets(stage: Stage, secrets: Secrets): StoredSecrets {
  const stored = Object.entries(secrets).map(([variable, value]) => {
    const parameter = new aws.ssm.Parameter(`Secret${variable.replaceAll("_", "")}`, {
      name: `/skat/${stage.name}/${variable}`,
      type: "SecureString",
      // A certificate may be longer than the four kilobytes of the standard tier.
      tier: "Intelligent-Tiering",
      value,
    });
    return { variable, parameter };
  });
  return {
    references: Object.fromEntries(stored.map(({ variable, parameter }) => [variable, parameter.arn])),
    version: $util
      .all(stored.map(({ variable, parameter }) => $interpolate`${variable}.${parameter.version}`))
      .apply((versions) => versions.join(" ")),
  };
}
