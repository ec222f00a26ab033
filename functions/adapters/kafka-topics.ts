/** The topics at start: there, or created, or an error that says which one to create and how. */
import type { Admin, ITopicConfig } from "kafkajs";
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

/** Any number of processes may do this at once. */
export async function ensureTopics(options: TopicsOptions): Promise<void> {
  const { kafka } = openKafka(options.config, options.logger, 2);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const present = new Set(await admin.listTopics());
    const wanted = [logTopic(options), deadLetterTopic(options)];
    for (const topic of wanted.filter((each) => !present.has(each.topic))) await create(admin, topic);
    for (const { topic } of wanted) await untilLed(admin, topic, options.runtime);
  } finally {
    await admin.disconnect();
  }
}

function logTopic({ config, partitions, replicationFactor, ...limits }: TopicsOptions): ITopicConfig {
  const configEntries = settings(limits.retentionMs, limits.maxMessageBytes);
  return { topic: config.topic, numPartitions: partitions, replicationFactor, configEntries };
}

function deadLetterTopic({ config, replicationFactor, maxMessageBytes }: TopicsOptions): ITopicConfig {
  const configEntries = settings(-1, maxMessageBytes + LETTER_EXTRA_BYTES);
  return { topic: config.deadLetterTopic, numPartitions: 1, replicationFactor, configEntries };
}

function settings(retentionMs: number, maxMessageBytes: number): { name: string; value: string }[] {
  return [
    { name: "cleanup.policy", value: "delete" },
    { name: "retention.ms", value: String(retentionMs) },
    { name: "max.message.bytes", value: String(maxMessageBytes) },
  ];
}

/** That another process was faster is fine: kafkajs then answers false. */
async function create(admin: Admin, topic: ITopicConfig): Promise<void> {
  try {
    // Waiting for leaders, kafkajs fails when several create at once.
    await admin.createTopics({ topics: [topic], waitForLeaders: false });
  } catch (cause) {
    throw new Error(missingText(topic, cause), { cause });
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

function missingText({ topic, ...plan }: ITopicConfig, cause: unknown): string {
  const replication =
    plan.replicationFactor === -1 ? "the broker's default" : String(plan.replicationFactor ?? "");
  const config = (plan.configEntries ?? []).map(({ name, value }) => `${name}=${value}`).join(", ");
  const why = kafkaErrorType(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return (
    `Kafka topic "${topic}" is missing and could not be created (${why}). ` +
    `Create it: partitions ${plan.numPartitions}, replication factor ${replication}, ${config}.`
  );
}
