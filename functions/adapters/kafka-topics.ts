/** The topics at start: there, or created, or an error that says which one to create and how. */
import type { Admin, ITopicConfig } from "kafkajs";
import { QUARANTINE_MS } from "../core/event-log.ts";
import { CheckFault } from "../core/preflight.ts";
import { type Runtime, sleep } from "../core/runtime.ts";
import type { Logger } from "../lib/logger.ts";
import { type KafkaConfig, kafkaErrorType, openKafka } from "./kafka-client.ts";

export interface TopicsOptions {
  readonly config: KafkaConfig;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  /** Of the log; longer than the store may be away. Dead letters are kept until somebody deletes them. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

const LEADERS_DEADLINE_MS = 15_000;
const POLL_MS = 50;
/** A dead letter is its record with headers on top. */
const LETTER_EXTRA_BYTES = 65_536;

/** A broker that hung refuses what lay in its socket: nobody counts on it any more (N8). Kafka 3.6 and later know it. */
export const TIMESTAMP_BEFORE_MAX = "message.timestamp.before.max.ms";

type Entries = { name: string; value: string }[];

/** Any number of processes may do this at once. */
export async function ensureTopics(options: TopicsOptions): Promise<void> {
  const { kafka } = openKafka(options.config, options.logger, 2);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const present = new Set(await admin.listTopics());
    const wanted = plannedTopics(options);
    for (const topic of wanted.filter((each) => !present.has(each.topic))) await create(admin, topic);
    for (const { topic } of wanted) await untilLed(admin, topic, options.runtime);
  } finally {
    await admin.disconnect();
  }
}

/** As they are created. */
export function plannedTopics(options: TopicsOptions): readonly ITopicConfig[] {
  return [logTopic(options), deadLetterTopic(options)];
}

function logTopic({ config, partitions, replicationFactor, ...limits }: TopicsOptions): ITopicConfig {
  const configEntries = [
    ...settings(limits.retentionMs, limits.maxMessageBytes, replicationFactor),
    { name: TIMESTAMP_BEFORE_MAX, value: String(QUARANTINE_MS) },
  ];
  return { topic: config.topic, numPartitions: partitions, replicationFactor, configEntries };
}

function deadLetterTopic({ config, replicationFactor, maxMessageBytes }: TopicsOptions): ITopicConfig {
  const configEntries = settings(-1, maxMessageBytes + LETTER_EXTRA_BYTES, replicationFactor);
  return { topic: config.deadLetterTopic, numPartitions: 1, replicationFactor, configEntries };
}

/** Of three replicas two must have what is acknowledged, or one disk decides over what is saved. */
function settings(retentionMs: number, maxMessageBytes: number, replicas: number): Entries {
  return [
    { name: "cleanup.policy", value: "delete" },
    { name: "retention.ms", value: String(retentionMs) },
    { name: "max.message.bytes", value: String(maxMessageBytes) },
    ...(replicas >= 3 ? [{ name: "min.insync.replicas", value: "2" }] : []),
  ];
}

/** That another process was faster is fine: kafkajs then answers false. */
async function create(admin: Admin, topic: ITopicConfig): Promise<void> {
  try {
    // Waiting for leaders, kafkajs fails when several create at once.
    await admin.createTopics({ topics: [topic], waitForLeaders: false });
  } catch (cause) {
    const { message, cure } = topicFault(topic, cause);
    throw new Error(`${message} ${cure}`, { cause });
  }
}

async function untilLed(admin: Admin, topic: string, runtime: Runtime): Promise<void> {
  const deadlineMs = runtime.elapsed() + LEADERS_DEADLINE_MS;
  while (!(await isLed(admin, topic))) {
    if (runtime.elapsed() > deadlineMs)
      throw new Error(`Kafka topic "${topic}" has no leader for every partition: look at the brokers.`);
    await sleep(runtime, POLL_MS);
  }
}

const NOT_YET: ReadonlySet<string | undefined> = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "LEADER_NOT_AVAILABLE",
]);

async function isLed(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics.flatMap((each) => each.partitions);
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
  } catch (error) {
    if (NOT_YET.has(kafkaErrorType(error))) return false;
    throw error;
  }
}

/** It is missing, and these credentials may not create it. */
export function topicFault({ topic, ...plan }: ITopicConfig, cause: unknown): CheckFault {
  const replication =
    plan.replicationFactor === -1 ? "the broker's default" : String(plan.replicationFactor ?? "");
  const config = (plan.configEntries ?? []).map(({ name, value }) => `${name}=${value}`).join(", ");
  const why = kafkaErrorType(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new CheckFault(
    `Kafka topic "${topic}" is missing and could not be created (${why}).`,
    `Create it: partitions ${plan.numPartitions}, replication factor ${replication}, ${config}.`,
    { cause },
  );
}
