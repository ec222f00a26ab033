/** The consumer as a service that always runs: it stores the log and looks after the streams. */
import { PORTS } from "./stage.ts";
import { healthOf } from "./realtime.ts";
import type { Settings } from "./settings.ts";
import { environmentOf, serviceTransform, taskArgs, taskTransforms, type TaskContext } from "./task.ts";

export function createConsumer(context: TaskContext, settings: Settings): sst.aws.Service {
  const { count } = context.stage.consumer;
  return new sst.aws.Service("Consumer", {
    ...taskArgs(context, "consumer"),
    environment: consumerEnvironment(context, settings),
    capacity: context.stage.isSpot ? "spot" : { fargate: { weight: 1 } },
    // How many share the work is a matter of the topic's partitions, not of their load.
    scaling: { min: count, max: count, cpuUtilization: false, memoryUtilization: false },
    health: healthOf(PORTS.consumer),
    wait: true,
    transform: {
      ...taskTransforms(context, "consumer"),
      service: (args, opts) => {
        serviceTransform(args, opts);
        // Nothing in front of it asks for its health.
        delete args.healthCheckGracePeriodSeconds;
      },
    },
  });
}

export function consumerEnvironment(context: TaskContext, { keeping }: Settings): Record<string, string> {
  return { ...environmentOf(context), CONSUMER_PORT: String(PORTS.consumer), ...keeping };
}
