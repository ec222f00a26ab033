/** What a person is called for: messages that are not stored, promises that broke, and nodes that do not answer. */
import { metricOf } from "./metrics.ts";
import type { Settings } from "./settings.ts";
import type { Stage } from "./stage.ts";
import type { Role } from "./task.ts";

interface Watch {
  readonly role: Role;
  readonly metric: string;
  readonly says: string;
  /** Above it, for three minutes. */
  readonly threshold: number;
  readonly statistic: "Maximum" | "Sum";
  /** No figure at all is as bad: then nothing runs that could tell one. */
  readonly isNeeded?: true;
}

const WATCHES: Readonly<Record<string, Watch>> = {
  Unstored: {
    role: "consumer",
    metric: "skat_consumer_oldest_unstored_seconds",
    says: "Messages wait for the store.",
    threshold: 120,
    statistic: "Maximum",
    isNeeded: true,
  },
  Backlog: {
    role: "node",
    metric: "skat_log_backlog_oldest_seconds",
    says: "Messages wait for the log.",
    threshold: 60,
    statistic: "Maximum",
    isNeeded: true,
  },
  DeadLetters: {
    role: "consumer",
    metric: "skat_consumer_dead_letters_total",
    says: "Records were put aside: look at them, then replay.",
    threshold: 0,
    statistic: "Sum",
  },
  Conflicts: {
    role: "consumer",
    metric: "skat_consumer_position_conflicts_total",
    says: "A message is stored at two positions: a promise broke.",
    threshold: 0,
    statistic: "Sum",
  },
  LateStores: {
    role: "consumer",
    metric: "skat_consumer_stored_after_settled_total",
    says: "Events came behind a settled page: a promise broke.",
    threshold: 0,
    statistic: "Sum",
  },
};

export function createAlarms(stage: Stage, { alarmEmail }: Settings, alb: sst.aws.Alb): void {
  const topic = new aws.sns.Topic("Alarms");
  if (alarmEmail !== undefined) {
    new aws.sns.TopicSubscription("AlarmsEmail", {
      topic: topic.arn,
      protocol: "email",
      endpoint: alarmEmail,
    });
  }
  const common = { alarmActions: [topic.arn], okActions: [topic.arn], period: 60 };
  for (const [name, watch] of Object.entries(WATCHES)) {
    const { role, metric, says, threshold, statistic, isNeeded } = watch;
    const { namespace, metricName, dimensions } = metricOf(stage, role, metric);
    new aws.cloudwatch.MetricAlarm(`Alarm${name}`, {
      ...common,
      alarmDescription: says,
      namespace,
      metricName,
      dimensions: { ...dimensions },
      statistic,
      threshold,
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: statistic === "Sum" ? 1 : 3,
      treatMissingData: isNeeded ? "breaching" : "notBreaching",
    });
  }
  new aws.cloudwatch.MetricAlarm("AlarmErrors", {
    ...common,
    alarmDescription: "Nodes fail, or none of them answers.",
    namespace: "AWS/ApplicationELB",
    metricName: "HTTPCode_ELB_5XX_Count",
    dimensions: { LoadBalancer: alb.nodes.loadBalancer.arnSuffix },
    statistic: "Sum",
    threshold: 10,
    comparisonOperator: "GreaterThanThreshold",
    evaluationPeriods: 3,
    treatMissingData: "notBreaching",
  });
}
