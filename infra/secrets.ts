/** What may be in no task definition: secrets go to SSM, encrypted, and ECS hands them to the process by reference. */
import { SECRETS, variableOf, type Part } from "./secret-names.ts";
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

/** What was set by `sst secret set`. SST refuses a stage without the needed ones, and names them. */
export function readSecrets(...parts: readonly Part[]): Secrets {
  const names = parts.flatMap((part) => {
    const { needed, optional } = SECRETS[part];
    return [...needed, ...optional.filter((name) => hasSecret(name))];
  });
  return Object.fromEntries(names.map((name) => [variableOf(name), new sst.Secret(name).value]));
}

/** Those that are set: in development the engines without one are embedded. */
export function linkedSecrets(): sst.Secret[] {
  const names = Object.values(SECRETS).flatMap(({ needed, optional }) => [...needed, ...optional]);
  return names.filter((name) => hasSecret(name)).map((name) => new sst.Secret(name));
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
