/** The realtime nodes: a service behind the load balancer that grows with the connections it holds. */
import type { Balancer } from "./balancer.ts";
import { metricOf } from "./metrics.ts";
import { HEALTH_PATH, PORTS, PROXY_HOPS, TIMEOUTS, type Stage } from "./stage.ts";
import { environmentOf, serviceTransform, taskArgs, taskTransforms, type TaskContext } from "./task.ts";
import type { Settings } from "./settings.ts";
import { nodePaths } from "./web.ts";

/** Of a node's connections: the rest is for the minutes until another one has started. */
const FULL = 0.6;

export function createRealtime(
  context: TaskContext,
  balancer: Balancer,
  web: sst.aws.StaticSite,
  settings: Settings,
): sst.aws.Service {
  const { stage } = context;
  const service = new sst.aws.Service("Node", {
    ...taskArgs(context, "node"),
    environment: {
      ...environmentOf(context),
      PORT: String(PORTS.node),
      HEARTBEAT_MS: String(TIMEOUTS.heartbeatMs),
      CONNECTIONS_MAX: String(stage.node.connectionsMax),
      ALLOWED_ORIGINS: web.url,
      TRUSTED_PROXY_HOPS: String(PROXY_HOPS),
      ...socketIoEnvironment(settings),
    },
    capacity: stage.isSpot ? "spot" : { fargate: { weight: 1 } },
    // Memory is not given back when connections end, so that it could only ever scale out.
    scaling: { min: stage.node.min, max: stage.node.max, cpuUtilization: 60, memoryUtilization: false },
    health: healthOf(PORTS.node),
    loadBalancer: balance(balancer, settings),
    wait: true,
    transform: {
      ...taskTransforms(context, "node"),
      service: serviceTransform,
      target: (args) => {
        args.deregistrationDelay = TIMEOUTS.deregistrationSeconds;
        if (settings.socketIo === "polling") args.stickiness = { type: "lb_cookie", enabled: true };
      },
    },
  });
  if (stage.node.max > stage.node.min) scaleWithConnections(stage, service);
  return service;
}

function socketIoEnvironment({ socketIo }: Settings): Record<string, string> {
  if (socketIo === undefined) return {};
  return { SOCKETIO: "true", SOCKETIO_POLLING: String(socketIo === "polling") };
}

/** The container's own check. The images have no shell tools, but they have Node. */
export function healthOf(port: number) {
  const check = `fetch("http://127.0.0.1:${port}${HEALTH_PATH}").then(({ ok }) => process.exit(ok ? 0 : 1))`;
  return {
    command: ["CMD", "node", "-e", check],
    startPeriod: "60 seconds",
    interval: "10 seconds",
    timeout: "5 seconds",
    retries: 3,
  } satisfies sst.aws.ServiceArgs["health"];
}

function balance({ alb, listen }: Balancer, settings: Settings) {
  const forward = `${PORTS.node}/http` as const;
  return {
    instance: alb,
    rules: nodePaths(settings).map((path, index) => ({
      listen,
      forward,
      conditions: { path },
      priority: index + 1,
    })),
    health: {
      [forward]: {
        path: HEALTH_PATH,
        interval: "10 seconds",
        timeout: "5 seconds",
        healthyThreshold: 2,
        unhealthyThreshold: 3,
      },
    },
  } as const;
}

function scaleWithConnections(stage: Stage, service: sst.aws.Service): void {
  const target = service.nodes.autoScalingTarget;
  const { namespace, metricName, dimensions } = metricOf(stage, "node", "skat_node_connections");
  new aws.appautoscaling.Policy("NodeConnectionsPolicy", {
    serviceNamespace: target.serviceNamespace,
    scalableDimension: target.scalableDimension,
    resourceId: target.resourceId,
    policyType: "TargetTrackingScaling",
    targetTrackingScalingPolicyConfiguration: {
      customizedMetricSpecification: {
        namespace,
        metricName,
        statistic: "Average",
        dimensions: Object.entries(dimensions).map(([name, value]) => ({ name, value })),
      },
      targetValue: FULL * stage.node.connectionsMax,
      scaleOutCooldown: 60,
      scaleInCooldown: 600,
    },
  });
}
