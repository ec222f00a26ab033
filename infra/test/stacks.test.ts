/** The stack of each kind of stage, made of SST's real components without any cloud: what it creates, and what must hold of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import {
  CLOUDWATCH_METRICS,
  CLOUDWATCH_NAMESPACE,
  type CloudwatchService,
} from "../../functions/adapters/metrics-cloudwatch.ts";
import { RIGHTS } from "../../functions/adapters/stage-redis.ts";
import { VARIABLES } from "../../functions/config/variables.ts";
import { ConfigError, loadConfig, type Role } from "../../functions/config.ts";
import { createOps } from "../../functions/http/ops.ts";
import { clientAddress } from "../../functions/lib/client-address.ts";
import { createMetrics, METRICS } from "../../functions/lib/metrics.ts";
import { readImage } from "../../scripts/dockerfile.ts";
import { HEALTH_PATH, PORTS, stageOf, TIMEOUTS } from "../stage.ts";
import { SHARED_VPC_ID } from "./mocks.ts";
import {
  describeStack,
  evaluate,
  root,
  SECRET_MARK,
  SECRETS,
  type Container,
  type Inputs,
  type Stack,
} from "./stack.ts";
import { tableOf } from "./table.ts";

const PREVIEW = { ...SECRETS, SKAT_VPC_ID: SHARED_VPC_ID };
const PRODUCTION = { ...SECRETS, SKAT_DOMAIN: "chat.example.org", SKAT_ALARM_EMAIL: "ops@example.org" };
const { SST_SECRET_AuthSecret, SST_SECRET_DatabaseUrl } = SECRETS;
const AIVEN = {
  SST_SECRET_AuthSecret,
  SST_SECRET_DatabaseUrl,
  AIVEN_TOKEN: `${SECRET_MARK}-token`,
  AIVEN_PROJECT: "project",
  AIVEN_KAFKA: "kafka",
  AIVEN_VALKEY: "valkey",
};

/** CloudFront's own cache policies: one that follows `Cache-Control`, and one that keeps nothing. */
const AS_FILES_SAY = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const NOTHING_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
interface CacheBehavior {
  readonly cachePolicyId: string;
}
interface WebFile {
  readonly key: string;
  readonly cacheControl: string;
}

const stacks = new Map<string, Stack>();
const stack = (name: string): Stack => {
  const found = stacks.get(name);
  if (found === undefined) throw new Error(`no stack ${name}`);
  return found;
};
const NAMES = ["production", "pr-12", "pr-9999", "personal, scheduled, on Aiven"] as const;

describeStack("infra: stacks", { timeout: 300_000 }, () => {
  beforeAll(async () => {
    // Two at a time: each has a process of its own.
    const [production, preview] = await Promise.all([
      evaluate("production", PRODUCTION),
      evaluate("pr-12", PREVIEW),
    ]);
    const [last, personal] = await Promise.all([
      evaluate("pr-9999", {
        ...PREVIEW,
        SST_SECRET_RedisCa: `${SECRET_MARK}-ca`,
        SST_SECRET_Guests: "false",
        SKAT_SOCKETIO: "polling",
      }),
      evaluate("ann", { ...AIVEN, SKAT_CONSUMER: "schedule", SKAT_RETENTION_DAYS: "90" }),
    ]);
    [production, preview, last, personal].forEach((each, index) => stacks.set(NAMES[index] ?? "", each));
  }, 600_000);

  it.each(["production", "pr-12", "personal, scheduled, on Aiven"])(
    "%s creates what its table says",
    async (name) => {
      await expect(tableOf(stack(name))).toMatchFileSnapshot(`stacks/${name.split(",")[0]}.txt`);
    },
  );

  it("clients of Socket.IO by polling: the path, the switches, and a load balancer that keeps each to one node", () => {
    const [sticky, plain] = [stack("pr-9999"), stack("pr-12")].map(({ resources }) =>
      JSON.stringify(resources),
    );
    for (const sign of ["/socket.io/*", "SOCKETIO_POLLING", "lb_cookie"]) {
      expect(sticky).toContain(sign);
      expect(plain).not.toContain(sign);
    }
  });

  it("how long events are kept reaches the consumer alone", () => {
    const { tasks } = stack("personal, scheduled, on Aiven");
    expect(tasks).toHaveLength(2);
    for (const task of tasks)
      expect(valuesOf(task)["RETENTION_DAYS"]).toBe(task.name === "Node" ? undefined : "90");
  });

  it("sst dev creates nothing", async () => {
    const dev = await evaluate("ann", {}, { dev: true });
    expect(dev.made).toEqual([]);
  });

  it("a stage without a secret that it needs is refused, and the secret is named", async () => {
    const { SST_SECRET_RedisUrl: _, ...without } = PREVIEW;
    await expect(evaluate("pr-12", without)).rejects.toThrow(/Set a value for RedisUrl/);
  });

  it.each(NAMES)("%s: secrets are in SSM, encrypted, and nowhere in plain text", (name) => {
    const plain = JSON.stringify(stack(name).resources, (_, value: Inputs) =>
      typeof value === "object" && value !== null && "secret" in value ? "(secret)" : value,
    );
    expect(plain).not.toContain(SECRET_MARK);
    expect(plain).not.toContain("made-by-aiven");
    for (const { inputs } of stack(name).of("aws:ssm/parameter:Parameter")) {
      expect(inputs).toMatchObject({ type: "SecureString", value: { secret: expect.anything() } });
    }
    for (const { environment } of stack(name).tasks) {
      const secret = environment.filter((each) => VARIABLES[each.name]?.secret);
      expect(secret).toEqual([]);
      expect(JSON.stringify(environment)).not.toMatch(new RegExp(`${SECRET_MARK}|made-by-aiven`));
    }
  });

  it.each(NAMES)("%s: a changed secret changes the task definition, so that the service rolls", (name) => {
    for (const { secrets, dockerLabels } of stack(name).tasks) {
      for (const secret of secrets) expect(dockerLabels["skat.secrets"]).toContain(`${secret.name}.7`);
    }
  });

  it.each(NAMES)("%s: a task reads its own secrets and has no other right", (name) => {
    for (const { name: role, inputs } of stack(name).of("aws:iam/role:Role")) {
      if (role.endsWith("TaskRole")) expect(inputs["inlinePolicies"]).toEqual([]);
      if (!role.endsWith("ExecutionRole")) continue;
      const task = stack(name).container(role.replace("ExecutionRole", "Task"));
      const [policy] = inputs["inlinePolicies"] as { policy: string }[];
      const { statements } = JSON.parse(policy?.policy ?? "") as {
        statements: { actions: string[]; resources: string[] }[];
      };
      expect(statements.flatMap(({ actions }) => actions)).toEqual(["ssm:GetParameters"]);
      expect(new Set(statements.flatMap(({ resources }) => resources))).toEqual(
        new Set(task.secrets.map(({ valueFrom }) => valueFrom)),
      );
    }
  });

  it.each(NAMES)("%s: nothing is open to the world but 443 and 80, and those to CloudFront alone", (name) => {
    const kinds = [
      "aws:ec2/securityGroup:SecurityGroup",
      "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    ];
    const rules = kinds
      .flatMap((kind) => stack(name).of(kind))
      .flatMap(
        ({ inputs }) =>
          inputs["ingress"] as { fromPort: number; cidrBlocks?: string[]; prefixListIds?: string[] }[],
      );
    expect(
      rules.filter(({ cidrBlocks = [] }) => cidrBlocks.some((block) => !block.startsWith("10."))),
    ).toEqual([]);
    const open = rules.filter(({ prefixListIds = [] }) => prefixListIds.length > 0);
    expect(open.map(({ fromPort }) => fromPort)).toEqual([name === "production" ? 443 : 80]);
    expect(open[0]?.prefixListIds?.[0]).toContain("cloudfront.origin-facing");
    for (const { inputs } of stack(name).of("aws:lb/listener:Listener")) {
      expect([443, 80]).toContain(inputs["port"]);
      expect(inputs["defaultActions"]).toMatchObject([{ type: "fixed-response" }]);
    }
  });

  it.each(NAMES)(
    "%s: tasks have no address of their own and hear the balancer alone, on the node's port",
    (name) => {
      const { ingress } = stack(name).one("aws:ec2/securityGroup:SecurityGroup", "Tasks");
      expect(ingress).toEqual([
        { protocol: "tcp", fromPort: PORTS.node, toPort: PORTS.node, securityGroups: ["Door-id"] },
      ]);
      for (const { inputs } of stack(name).of("aws:ecs/service:Service")) {
        expect(inputs["networkConfiguration"]).toMatchObject({
          assignPublicIp: false,
          securityGroups: ["Tasks-id"],
        });
      }
    },
  );

  it("production is encrypted all the way to the balancer", () => {
    expect(stack("production").one("aws:lb/listener:Listener")).toMatchObject({
      protocol: "HTTPS",
      port: 443,
    });
    expect(originOf(stack("production"), "/ws")).toMatchObject({
      domainName: "origin.chat.example.org",
      customOriginConfig: { originProtocolPolicy: "https-only" },
    });
  });

  it.each(NAMES)("%s: page, API and sockets have one origin, by https only", (name) => {
    const cdn = stack(name).one("aws:cloudfront/distribution:Distribution");
    expect(cdn["defaultCacheBehavior"]).toMatchObject({ viewerProtocolPolicy: "redirect-to-https" });
    const ways = cdn["orderedCacheBehaviors"] as { pathPattern: string; viewerProtocolPolicy: string }[];
    const paths = ways.map(({ pathPattern }) => pathPattern);
    expect(paths).toEqual(["/ws", "/api/*", ...(name === "pr-9999" ? ["/socket.io/*"] : [])]);
    expect(new Set(ways.map(({ viewerProtocolPolicy }) => viewerProtocolPolicy))).toEqual(
      new Set(["https-only"]),
    );
    const rules = stack(name)
      .of("aws:lb/listenerRule:ListenerRule")
      .map(({ inputs }) => inputs["conditions"]);
    expect(rules).toEqual(ways.map(({ pathPattern }) => [{ pathPattern: { values: [pathPattern] } }]));
    const aliases = cdn["aliases"] as string[];
    const origin = `https://${aliases[0] ?? "d1.cloudfront.example"}`;
    expect(valuesOf(stack(name).container("NodeTask"))["ALLOWED_ORIGINS"]).toBe(origin);
  });

  it.each(NAMES)(
    "%s: hashed files are cached for good, the document and the service worker asked for each time",
    (name) => {
      const files = filesOf(stack(name));
      const cachedBy = (pattern: RegExp) => [
        ...new Set(files.filter(({ key }) => pattern.test(key)).map(({ cacheControl }) => cacheControl)),
      ];
      expect(cachedBy(/^assets\/.+-[\w-]{8}\.(js|css)$/)).toEqual(["public, max-age=31536000, immutable"]);
      for (const file of [/^index\.html$/, /^sw\.js$/]) expect(cachedBy(file)).toEqual(["no-cache"]);
      expect(cachedBy(/^(?!assets\/)/)).toEqual(["no-cache"]);
      const cdn = stack(name).one("aws:cloudfront/distribution:Distribution") as Record<
        string,
        CacheBehavior
      > & {
        orderedCacheBehaviors: CacheBehavior[];
      };
      expect(cdn["defaultCacheBehavior"]?.cachePolicyId).toBe(AS_FILES_SAY);
      expect(new Set(cdn.orderedCacheBehaviors.map(({ cachePolicyId }) => cachePolicyId))).toEqual(
        new Set([NOTHING_CACHED]),
      );
    },
  );

  it.each(NAMES)("%s: a node knows clients by the address that CloudFront saw", (name) => {
    const { TRUSTED_PROXY_HOPS } = valuesOf(stack(name).container("NodeTask"));
    const told = "forged by the client, client, CloudFront";
    expect(clientAddress("load balancer", told, Number(TRUSTED_PROXY_HOPS))).toBe("client");
  });

  it.each(NAMES)("%s: timeouts are those that fit together", (name) => {
    expect(stack(name).one("aws:lb/loadBalancer:LoadBalancer")["idleTimeout"]).toBe(
      TIMEOUTS.balancerIdleSeconds,
    );
    expect(stack(name).one("aws:lb/targetGroup:TargetGroup")["deregistrationDelay"]).toBe(
      TIMEOUTS.deregistrationSeconds,
    );
    expect(originOf(stack(name), "/ws")["customOriginConfig"]).toMatchObject({
      originKeepaliveTimeout: TIMEOUTS.cdnKeepAliveSeconds,
    });
    for (const task of stack(name).tasks) {
      expect(task.stopTimeout).toBe(TIMEOUTS.stopSeconds);
      expect(valuesOf(task)["DRAIN_MS"]).toBe(String(TIMEOUTS.drainMs));
    }
    expect(valuesOf(stack(name).container("NodeTask"))["HEARTBEAT_MS"]).toBe(String(TIMEOUTS.heartbeatMs));
  });

  it.each(NAMES)("%s: ports and health paths are those on which the processes answer", async (name) => {
    const target = stack(name).one("aws:lb/targetGroup:TargetGroup");
    const node = stack(name).container("NodeTask");
    expect(String(target["port"])).toBe(valuesOf(node)["PORT"]);
    expect(target["healthCheck"]).toMatchObject({ path: HEALTH_PATH });
    expect(node.healthCheck?.command[3]).toContain(`:${valuesOf(node)["PORT"]}${HEALTH_PATH}"`);
    const consumer = stack(name).tasks.find((task) => task.name === "Consumer");
    if (consumer)
      expect(consumer.healthCheck?.command[3]).toContain(
        `:${valuesOf(consumer)["CONSUMER_PORT"]}${HEALTH_PATH}"`,
      );
    const answer = await createOps(createMetrics(), () => ["without Redis"]).request(HEALTH_PATH);
    expect(answer.status).toBe(200);
  });

  it.each(NAMES)("%s: a process gets the variables that it reads, all it needs and none besides", (name) => {
    for (const task of stack(name).tasks) {
      const role = task.name === "Node" ? "node" : "consumer";
      const env = { ...valuesOf(task), ...secretsOf(task) };
      const { SST_RESOURCE_App, ...own } = env;
      expect(loadConfig(env, role).stage).toBe(
        (JSON.parse(SST_RESOURCE_App ?? "") as { stage: string }).stage,
      );
      expect(Object.keys(own).filter((each) => !(each in VARIABLES))).toEqual([]);
      const other = role === "node" ? "CONSUMER_PORT" : "PORT";
      expect(own).not.toHaveProperty(other);
      expect(needed(role, own)).toEqual(NEEDED[role]);
    }
  });

  it.each(NAMES)("%s: containers write nowhere, and take as many sockets as the node accepts", (name) => {
    for (const task of stack(name).tasks) {
      expect(task).toMatchObject({ readonlyRootFilesystem: true, pseudoTerminal: false });
      const { CONNECTIONS_MAX = "0" } = valuesOf(task);
      expect(task.ulimits[0]?.softLimit).toBeGreaterThan(2 * Number(CONNECTIONS_MAX));
    }
    const images = stack(name)
      .of("docker-build:index:Image")
      .map(({ inputs }) => inputs);
    expect(new Set(images.map(({ target }) => target))).toEqual(new Set(["consumer", "node"]));
    for (const { platforms } of images) expect(platforms).toEqual(["linux/arm64"]);
  });

  it.each(NAMES)(
    "%s: a deployment that does not get well is rolled back, and counts stay what scaling made them",
    (name) => {
      for (const { inputs } of stack(name).of("aws:ecs/service:Service")) {
        expect(inputs).toMatchObject({
          deploymentCircuitBreaker: { enable: true, rollback: true },
          waitForSteadyState: true,
        });
      }
    },
  );

  it("nodes grow with their connections, by a metric that they tell", () => {
    const policy = stack("production").one("aws:appautoscaling/policy:Policy", "NodeConnectionsPolicy");
    const { customizedMetricSpecification: metric, targetValue } = policy[
      "targetTrackingScalingPolicyConfiguration"
    ] as {
      customizedMetricSpecification: Metric & { dimensions: { name: string; value: string }[] };
      targetValue: number;
    };
    const dimensions = Object.fromEntries(metric.dimensions.map((each) => [each.name, each.value]));
    expect(isTold({ ...metric, dimensions })).toBe(true);
    expect(targetValue).toBeLessThan(stageOf("production").node.connectionsMax);
    expect(
      stack("production").one("aws:appautoscaling/target:Target", "NodeAutoScalingTarget"),
    ).toMatchObject({
      minCapacity: 2,
      maxCapacity: 8,
    });
    expect(Number(valuesOf(stack("production").container("NodeTask"))["METRICS_LOG_MS"])).toBe(60_000);
  });

  it("alarms are on metrics that are told, and call somebody", () => {
    const alarms = stack("production")
      .of("aws:cloudwatch/metricAlarm:MetricAlarm")
      .map(({ inputs }) => inputs);
    const own = alarms.filter(({ namespace }) => namespace !== "AWS/ApplicationELB");
    expect(own.length).toBeGreaterThan(3);
    expect(own.filter((alarm) => !isTold(alarm as unknown as Metric))).toEqual([]);
    for (const { alarmActions } of alarms) expect(alarmActions).toHaveLength(1);
    expect(stack("production").one("aws:sns/topicSubscription:TopicSubscription")["endpoint"]).toBe(
      "ops@example.org",
    );
  });

  it("what runs on a schedule is the image's own program, with a flag that it knows", () => {
    const task = stack("personal, scheduled, on Aiven").container("ConsumerOnceTask");
    expect(task.command).toEqual([...readImage("consumer").command, "--once"]);
    expect(readFileSync(join(root, "functions/consumer.ts"), "utf8")).toContain('includes("--once")');
    const schedule = stack("personal, scheduled, on Aiven").one("aws:scheduler/schedule:Schedule");
    expect(schedule).toMatchObject({ state: "ENABLED", scheduleExpression: "rate(5 minutes)" });
  });

  it("a preview owns no network, no address and no service of Aiven", () => {
    const kinds = stack("pr-12").made.map(({ type }) => type);
    expect(
      kinds.filter((kind) =>
        /vpc|subnet|nat|eip|instance|gateway|route|^aiven/i.test(kind.split(":")[1] ?? ""),
      ),
    ).toEqual([]);
    const { resources } = stack("personal, scheduled, on Aiven");
    expect(resources.filter(({ type }) => /^aiven:index\/(kafka|pg|valkey):/.test(type))).toEqual([]);
  });

  it("production can't be removed by mistake, and previews go with all they have", () => {
    expect(stack("production").app).toMatchObject({
      protect: true,
      removal: "retain",
      state: { purge: false },
    });
    for (const name of ["pr-12", "pr-9999"])
      expect(stack(name).app).toMatchObject({ protect: false, removal: "remove", state: { purge: true } });
  });

  it("[G12] two previews share no name, and none is too long", () => {
    const namesOf = (name: string) =>
      stack(name).made.flatMap(({ type, inputs }) =>
        ["name", "bucket", "topicName", "username", "family"].flatMap((key) =>
          typeof inputs[key] === "string" && !type.includes("ecs/service")
            ? [[type, inputs[key]] as const]
            : [],
        ),
      );
    const [first, last] = [namesOf("pr-12"), namesOf("pr-9999")];
    expect(first.length).toBeGreaterThan(10);
    expect(first.map(String).filter((each) => last.map(String).includes(each))).toEqual([]);
    const tooLong = last.filter(([type, text]) => text.length > (MAX_LENGTHS[type] ?? 255));
    expect(tooLong).toEqual([]);
  });

  it("[G12] on Aiven a stage has rights on its own topics and keys, and on no others", () => {
    const aiven = stack("personal, scheduled, on Aiven");
    const topics = aiven
      .of("aiven:index/kafkaTopic:KafkaTopic")
      .map(({ inputs }) => inputs["topicName"] as string);
    const config = loadConfig(
      { ...valuesOf(aiven.container("NodeTask")), ...secretsOf(aiven.container("NodeTask")) },
      "node",
    );
    expect(topics.sort()).toEqual([config.kafka.deadLetterTopic, config.kafka.topic].sort());
    expect(aiven.one("aiven:index/kafkaAcl:KafkaAcl")["topic"]).toBe("skat.ann.*");
    expect(aiven.one("aiven:index/valkeyUser:ValkeyUser")).toMatchObject({
      valkeyAclKeys: ["skat:ann:*"],
      valkeyAclChannels: ["skat:ann:*"],
    });
    const { valkeyAclCategories, valkeyAclCommands } = aiven.one("aiven:index/valkeyUser:ValkeyUser");
    expect([...(valkeyAclCategories as string[]), ...(valkeyAclCommands as string[])]).toEqual(RIGHTS);
  });
});

interface Metric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Whether production's processes write this metric to their log. */
function isTold({ namespace, metricName, dimensions }: Metric): boolean {
  const service = dimensions["service"] as CloudwatchService;
  const told: readonly string[] = CLOUDWATCH_METRICS[service].map((name) => METRICS[name].name);
  return (
    namespace === CLOUDWATCH_NAMESPACE && dimensions["stage"] === "production" && told.includes(metricName)
  );
}

/** AWS's limits, where they are short. */
const MAX_LENGTHS: Readonly<Record<string, number>> = {
  "aws:lb/loadBalancer:LoadBalancer": 32,
  "aws:iam/role:Role": 64,
  "aws:s3/bucket:Bucket": 63,
};

/** Without these the process refuses to start. */
const NEEDED = {
  node: ["ALLOWED_ORIGINS", "AUTH_SECRET", "DATABASE_URL", "KAFKA_BROKERS", "REDIS_URL"],
  consumer: ["DATABASE_URL", "KAFKA_BROKERS", "REDIS_URL"],
} as const;

/** The engines and what a role can't be without, each found by leaving it out. */
function needed(role: Exclude<Role, "all" | "migrate">, env: Record<string, string | undefined>): string[] {
  const candidates = ["ALLOWED_ORIGINS", "AUTH_SECRET", "DATABASE_URL", "KAFKA_BROKERS", "REDIS_URL"];
  return candidates.filter((name) => {
    if (!(name in env)) return false;
    try {
      loadConfig({ ...env, [name]: undefined }, role as "node");
      return false;
    } catch (error) {
      if (error instanceof ConfigError) return true;
      throw error;
    }
  });
}

function valuesOf({ environment }: Container): Record<string, string> {
  return Object.fromEntries(environment.map(({ name, value }) => [name, value]));
}

/** Examples of what SSM would hand over. */
function secretsOf({ secrets }: Container): Record<string, string> {
  const examples: Readonly<Record<string, string>> = {
    REDIS_URL: "rediss://redis.example:1",
    KAFKA_BROKERS: "kafka.example:2",
    KAFKA_USERNAME: "skat",
    KAFKA_PASSWORD: "password",
    DATABASE_URL: "postgres://postgres.example/db?sslmode=require",
    AUTH_SECRET: "a-secret-that-is-long-enough-to-sign-with",
  };
  const known = secrets.filter(({ name }) => !name.endsWith("_CA"));
  return Object.fromEntries(known.map(({ name }) => [name, examples[name] ?? ""]));
}

function originOf(of: Stack, path: string): Inputs {
  const { origins, orderedCacheBehaviors } = of.one("aws:cloudfront/distribution:Distribution") as {
    origins: { originId: string }[];
    orderedCacheBehaviors: { pathPattern: string; targetOriginId: string }[];
  };
  const way = orderedCacheBehaviors.find(({ pathPattern }) => pathPattern === path);
  const origin = origins.find(({ originId }) => originId === way?.targetOriginId);
  if (origin === undefined) throw new Error(`${path} leads nowhere`);
  return { ...origin };
}

/** What is put into the page's bucket. */
function filesOf({ resources }: Stack): readonly WebFile[] {
  const put = resources.find(({ name }) => name === "WebAssetFiles.sst.aws.BucketFiles");
  if (put === undefined) throw new Error("The page has no files");
  return put.inputs["files"] as WebFile[];
}
