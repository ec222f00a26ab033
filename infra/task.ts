/** What node and consumer have in common as containers: image, rights, end, and the variables that both read. */
import type { Network } from "./network.ts";
import { variablesOf } from "./secret-names.ts";
import type { StoredSecrets } from "./secrets.ts";
import { DATABASE_POOL_MAX, METRICS_LOG_MS, TIMEOUTS, type Stage } from "./stage.ts";

export type Role = "node" | "consumer";

export interface TaskContext {
  readonly stage: Stage;
  readonly network: Network;
  readonly secrets: StoredSecrets;
}

/** As `containerDefinitions` holds it: a part of what ECS knows. */
type ContainerDefinition = Readonly<Record<string, unknown>>;

/** Sockets, engines and files of a process, with room to spare. */
const OPEN_FILES = 65_536;

export function taskArgs({ stage, network, secrets }: TaskContext, role: Role) {
  const { cpu, memory } = stage[role];
  return {
    cluster: network.cluster,
    architecture: "arm64",
    cpu,
    memory,
    image: { context: ".", dockerfile: "Dockerfile", target: role },
    logging: { retention: stage.logRetention },
    ssm: secretsOf(role, secrets),
  } as const;
}

export function environmentOf({ stage }: TaskContext): Record<string, string> {
  return {
    STAGE: stage.name,
    NODE_ENV: "production",
    DRAIN_MS: String(TIMEOUTS.drainMs),
    METRICS_LOG_MS: String(METRICS_LOG_MS),
    DATABASE_POOL_MAX: String(DATABASE_POOL_MAX),
    KAFKA_PARTITIONS: String(stage.topic.partitions),
  };
}

/** Least rights and an orderly end, where SST has no setting of its own. */
export function taskTransforms({ secrets }: TaskContext, role: Role) {
  return {
    taskDefinition: (args: aws.ecs.TaskDefinitionArgs): undefined => {
      args.containerDefinitions = $util
        .all([$jsonParse(args.containerDefinitions), secrets.version])
        .apply(([definitions, version]: [ContainerDefinition[], string]) =>
          JSON.stringify(definitions.map((definition) => harden(definition, version))),
        );
    },
    executionRole: (args: aws.iam.RoleArgs): undefined => {
      args.inlinePolicies = [{ name: "secrets", policy: readOnly(Object.values(secretsOf(role, secrets))) }];
    },
    taskRole: (args: aws.iam.RoleArgs): undefined => {
      // The processes call nothing of AWS.
      args.inlinePolicies = [];
    },
  };
}

export function serviceTransform(args: aws.ecs.ServiceArgs, opts: $util.CustomResourceOptions): undefined {
  // A shell in a container needs a file system that can be written.
  args.enableExecuteCommand = false;
  args.healthCheckGracePeriodSeconds = 60;
  // SST would set it back to the least at every deployment.
  opts.ignoreChanges = [...(opts.ignoreChanges ?? []), "desiredCount"];
}

function harden(definition: ContainerDefinition, version: string): ContainerDefinition {
  return {
    ...definition,
    // A terminal would end lines in its own way, and CloudWatch reads metrics from them.
    pseudoTerminal: false,
    readonlyRootFilesystem: true,
    stopTimeout: TIMEOUTS.stopSeconds,
    ulimits: [{ name: "nofile", softLimit: OPEN_FILES, hardLimit: OPEN_FILES }],
    dockerLabels: { "skat.secrets": version },
  };
}

function readOnly(arns: readonly $util.Output<string>[]): $util.Output<string> {
  return aws.iam.getPolicyDocumentOutput({
    statements: [{ actions: ["ssm:GetParameters"], resources: [...arns] }],
  }).json;
}

/** Who may come in is the nodes' business. */
function secretsOf(role: Role, { references }: StoredSecrets): Record<string, $util.Output<string>> {
  const access = variablesOf("access");
  const isFor = (variable: string) => role === "node" || !access.includes(variable);
  return Object.fromEntries(Object.entries(references).filter(([variable]) => isFor(variable)));
}
