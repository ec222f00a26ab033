/** What a stage would be made of: the stack, evaluated once per stage and setting, and questions to ask of it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe } from "vitest";

export const root = resolve(import.meta.dirname, "../..");

export interface Resource {
  readonly type: string;
  readonly name: string;
  /** Of one that is there already and only read; else empty. */
  readonly id: string;
  readonly custom?: boolean;
  // Inputs are as manifold as the cloud: tests read them by path.
  readonly inputs: Inputs;
}
export type Inputs = Readonly<Record<string, unknown>>;

export interface Container {
  readonly name: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly healthCheck?: { readonly command: readonly string[] };
  readonly command?: readonly string[];
  readonly stopTimeout: number;
  readonly readonlyRootFilesystem: boolean;
  readonly pseudoTerminal: boolean;
  readonly ulimits: readonly { readonly name: string; readonly softLimit: number }[];
  readonly dockerLabels: Readonly<Record<string, string>>;
}

/** In every secret, so that it can be searched for. */
export const SECRET_MARK = "s3cr3t";
export const SECRETS = {
  SST_SECRET_RedisUrl: `rediss://u:${SECRET_MARK}@redis.example:1`,
  SST_SECRET_KafkaBrokers: `${SECRET_MARK}.kafka.example:2`,
  SST_SECRET_DatabaseUrl: `postgres://u:${SECRET_MARK}@postgres.example:3/db?sslmode=require`,
  SST_SECRET_AuthSecret: `${SECRET_MARK}-that-is-long-enough-to-sign-with`,
} as const;

const lockFile = join(root, ".sst/provider-lock.json");

/** `describe` for a suite that needs SST's components. Where they are not installed it is left out by name, or with CI=true fails. */
export function describeStack(title: string, options: { timeout: number }, body: () => void): void {
  if (existsSync(lockFile) || process.env["CI"] === "true") describe(title, options, body);
  else describe.skip(`${title} (left out, no SST components: npm run infra)`, body);
}

export class Stack {
  readonly app: Inputs;
  /** All that would be made, or only read. */
  readonly resources: readonly Resource[];

  constructor({ app, resources }: { app: Inputs; resources: readonly Resource[] }) {
    this.app = app;
    this.resources = resources;
  }

  /** What is made, in the words of the providers; SST's own bookkeeping is left out. */
  get made(): readonly Resource[] {
    return this.resources.filter(({ type, id }) => id === "" && /^(aws|aiven|docker-build):/.test(type));
  }

  of(kind: string): readonly Resource[] {
    return this.made.filter(({ type }) => type === kind);
  }

  /** The only one of its kind, or of that name. Throws for none and for several. */
  one(kind: string, name?: string): Inputs {
    const all = this.of(kind).filter((each) => name === undefined || each.name === name);
    const [first] = all;
    if (first === undefined || all.length > 1) throw new Error(`${all.length} of ${kind} ${name ?? ""}`);
    return first.inputs;
  }

  container(task: string): Container {
    const { containerDefinitions } = this.one("aws:ecs/taskDefinition:TaskDefinition", task);
    const text = (containerDefinitions as { secret: string }).secret;
    const [container] = JSON.parse(text) as Container[];
    if (container === undefined) throw new Error(`${task} has no container`);
    return container;
  }

  get tasks(): readonly Container[] {
    return this.of("aws:ecs/taskDefinition:TaskDefinition").map(({ name }) => this.container(name));
  }
}

/** Runs in a process of its own. Rejects with what it said when the stack can't be evaluated. */
export async function evaluate(
  stage: string,
  env: Readonly<Record<string, string>> = SECRETS,
  { dev = false } = {},
): Promise<Stack> {
  const dir = mkdtempSync(join(tmpdir(), "skat-stack-"));
  const file = join(dir, "stack.json");
  try {
    await run(["--import", "tsx", "infra/test/evaluate.ts", stage, file, ...(dev ? ["--dev"] : [])], {
      AWS_EC2_METADATA_DISABLED: "true",
      ...env,
    });
    return new Stack(JSON.parse(readFileSync(file, "utf8")) as ConstructorParameters<typeof Stack>[0]);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Node, with nothing of our environment but where programs are. Resolves with what it printed, rejects with the same. */
export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, args, { cwd: root, env: { PATH, HOME, ...env } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => (code === 0 ? done(said) : fail(new Error(said))));
  });
}
