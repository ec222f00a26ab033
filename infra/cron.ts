/**
 * What runs on a schedule. Where no consumer is always there, one is started every few minutes: it stores what the log holds, takes
 * to the log what a dead node left behind, trims the streams, and ends.
 *
 * Beside a running consumer, which does all of this every three seconds, it would only make the group share out its work anew.
 */
import { consumerEnvironment } from "./consumer.ts";
import type { Settings } from "./settings.ts";
import { taskArgs, taskTransforms, type TaskContext } from "./task.ts";

const EVERY = "rate(5 minutes)";
/** As the image starts it, and once. */
const COMMAND = ["node", "functions/consumer.mjs", "--once"];

export function createCron(context: TaskContext, settings: Settings): sst.aws.CronV2 {
  const task = new sst.aws.Task("ConsumerOnce", {
    ...taskArgs(context, "consumer"),
    environment: consumerEnvironment(context, settings),
    command: COMMAND,
    transform: taskTransforms(context, "consumer"),
  });
  return new sst.aws.CronV2("Reconcile", { task, schedule: EVERY, retries: 0 });
}
