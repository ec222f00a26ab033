/** What must hold of the stack, each with a patch that breaks it. */
import type { Mutation } from "./mutations.ts";

const STAGES = "infra/test/stage.test.ts";
const STACKS = "infra/test/stacks.test.ts";

type Patch = Omit<Mutation, "edits" | "noticedBy"> & { readonly edit: Mutation["edits"][number] };

/** By the suite that must notice, and by its title. */
function heldBy(suite: string, patches: Readonly<Record<string, Patch>>): Mutation[] {
  return Object.entries(patches).map(([title, { edit, ...patch }]) => ({
    ...patch,
    edits: [edit],
    noticedBy: [suite, title],
  }));
}

export const INFRA_MUTATIONS: readonly Mutation[] = [
  ...heldBy(STAGES, {
    "refuses the name": {
      name: "stage-names",
      mechanism: "a stage's name is one that all names made of it allow",
      file: "infra/stage.ts",
      edit: ["/^pr-[1-9]\\d{0,3}$/", "/^pr-\\d+$/"],
    },
    "two heartbeats pass": {
      name: "heartbeat-in-time",
      mechanism: "heartbeats come before the balancer gives up",
      file: "infra/stage.ts",
      edit: ["heartbeatMs: 25_000", "heartbeatMs: 61_000"],
    },
    "whoever sends next": {
      name: "keep-alive-order",
      mechanism: "whoever sends next on an idle connection closes it",
      file: "functions/http/server.ts",
      edit: ["KEEP_ALIVE_MS = 130_000", "KEEP_ALIVE_MS = 5_000"],
    },
    "\\[G11\\] a task is drained": {
      name: "stop-after-drain",
      mechanism: "G11 a task is stopped when it is drained",
      file: "infra/stage.ts",
      edit: ["stopSeconds: 60", "stopSeconds: 30"],
    },
    "connections to PostgreSQL fit": {
      name: "pool-fits-plan",
      mechanism: "connections to PostgreSQL fit the plan in mid-deployment",
      file: "infra/stage.ts",
      edit: ["DATABASE_POOL_MAX = 4", "DATABASE_POOL_MAX = 5"],
    },
    "a preview shares the network": {
      name: "preview-shares-network",
      mechanism: "a preview without a network to share is refused",
      file: "infra/settings.ts",
      edit: ['kind === "preview" && vpcId === undefined', "false"],
    },
  }),
  ...heldBy(STACKS, {
    "sst dev creates nothing": {
      name: "dev-creates-nothing",
      mechanism: "sst dev creates nothing",
      file: "infra/main.ts",
      edit: ["  if ($dev) return develop();\n", ""],
    },
    "secrets are in SSM": {
      name: "secrets-encrypted",
      mechanism: "secrets are encrypted",
      file: "infra/secrets.ts",
      edit: ['type: "SecureString"', 'type: "String"'],
    },
    "a changed secret": {
      name: "secret-rolls-service",
      mechanism: "a changed secret rolls the service",
      file: "infra/task.ts",
      edit: ['dockerLabels: { "skat.secrets": version },', "dockerLabels: {},"],
    },
    "a task reads its own secrets": {
      name: "least-rights",
      mechanism: "a task reads its own secrets and has no other right",
      file: "infra/task.ts",
      edit: ['actions: ["ssm:GetParameters"]', 'actions: ["ssm:*"]'],
    },
    "nothing is open to the world": {
      name: "door-closed",
      mechanism: "nothing is open to the world",
      file: "infra/balancer.ts",
      edit: ["args.ingress = [];", ""],
    },
    "tasks have no address": {
      name: "tasks-hear-balancer",
      mechanism: "tasks hear the load balancer alone",
      file: "infra/network.ts",
      edit: ["securityGroups: [door.id] }", "cidrBlocks: [VPC_CIDR] }"],
    },
    "production is encrypted": {
      name: "origin-encrypted",
      mechanism: "production is encrypted up to the load balancer",
      file: "infra/web.ts",
      edit: ['origin.isEncrypted ? "https-only" : "http-only"', '"http-only"'],
    },
    "page, API and sockets": {
      name: "origins-allowed",
      mechanism: "nodes allow the page's own origin",
      file: "infra/realtime.ts",
      edit: ["ALLOWED_ORIGINS: web.url", 'ALLOWED_ORIGINS: "https://elsewhere.example"'],
    },
    "a node knows clients": {
      name: "proxy-hops",
      mechanism: "clients are told apart behind CloudFront and the load balancer",
      file: "infra/stage.ts",
      edit: ["PROXY_HOPS = 2", "PROXY_HOPS = 1"],
    },
    "timeouts are those": {
      name: "balancer-idle",
      mechanism: "the load balancer leaves idle sockets alone",
      file: "infra/balancer.ts",
      edit: ["args.idleTimeout = TIMEOUTS.balancerIdleSeconds;", ""],
    },
    "ports and health paths": {
      name: "health-path",
      mechanism: "health is asked where the processes answer",
      file: "infra/stage.ts",
      edit: ['HEALTH_PATH = "/healthz"', 'HEALTH_PATH = "/health"'],
    },
    "a process gets the variables": {
      name: "variables-read",
      mechanism: "a process gets no variable that it does not read",
      file: "infra/task.ts",
      edit: ['NODE_ENV: "production",', 'NODE_ENV: "production",\n    NOT_READ: "1",'],
    },
    "containers write nowhere": {
      name: "read-only-root",
      mechanism: "containers write nowhere",
      file: "infra/task.ts",
      edit: ["readonlyRootFilesystem: true,", "readonlyRootFilesystem: false,"],
    },
    "nodes grow": {
      name: "scaling-metric",
      mechanism: "scaling follows a metric that nodes tell",
      file: "functions/adapters/metrics-cloudwatch.ts",
      edit: ['["connections", "backlogOldestSeconds"]', '["sessions", "backlogOldestSeconds"]'],
    },
    "what runs on a schedule": {
      name: "scheduled-command",
      mechanism: "the schedule runs a command that there is",
      file: "infra/cron.ts",
      edit: ['"--once"', '"--twice"'],
    },
    "hashed files are cached for good": {
      name: "page-cached",
      mechanism: "CloudFront asks for the document and the service worker each time",
      file: "infra/web.ts",
      edit: ['cacheControl: "no-cache"', 'cacheControl: "public, max-age=60"'],
    },
    "a preview owns no network": {
      name: "preview-owns-nothing",
      mechanism: "a preview owns no network",
      file: "infra/network.ts",
      edit: ["vpcId === undefined ? createVpc()", "vpcId !== undefined ? createVpc()"],
    },
    "production can't be removed": {
      name: "production-protected",
      mechanism: "production can't be removed by mistake",
      file: "sst.config.ts",
      edit: ["protect: isProduction", "protect: false"],
    },
    "two previews share no name": {
      name: "names-of-stages",
      mechanism: "G12 what a stage is called on AWS carries its name",
      file: "infra/secrets.ts",
      edit: ["`/skat/${stage.name}/${variable}`", "`/skat/${variable}`"],
    },
    "on Aiven a stage has rights": {
      name: "rights-of-stages",
      mechanism: "G12 a stage has rights on its own topics",
      file: "infra/data.ts",
      edit: ["topic: `skat.${name}.*`", 'topic: "*"'],
    },
  }),
  {
    name: "metric-growth",
    mechanism: "counters are told to CloudWatch by their growth",
    file: "functions/adapters/metrics-cloudwatch.ts",
    edits: [["value - (before.get(name) ?? 0)", "value"]],
    noticedBy: ["functions/test/metrics-cloudwatch.test.ts", "a counter is told"],
  },
];
