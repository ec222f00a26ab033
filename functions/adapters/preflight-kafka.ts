/** What must hold of Kafka before a process uses it. */
import kafkajs, { type Admin, type ITopicMetadata } from "kafkajs";
import { CheckFault, examination, type Check, type Examine } from "../core/preflight.ts";
import { sleep } from "../core/runtime.ts";
import { connectionFault } from "./connection-fault.ts";
import { kafkaErrorType, openKafka, type KafkaConfig, type KafkaConnection } from "./kafka-client.ts";
import { removeGroup } from "./kafka-groups.ts";
import { plannedTopics, TIMESTAMP_BEFORE_MAX, topicFault, type TopicsOptions } from "./kafka-topics.ts";

interface Session extends TopicsOptions {
  readonly connection: KafkaConnection;
  readonly admin: Admin;
}

const CHECKS: readonly Check<Session>[] = [
  { name: "topics", isBrief: true, run: checkTopics },
  { name: "settings", isBrief: true, run: checkSettings },
  { name: "write", isBrief: true, run: checkWriting },
  { name: "group", isBrief: true, run: checkGroup },
  { name: "read", isBrief: false, run: checkReading },
];

export function examineKafka(options: TopicsOptions): Examine {
  return examination<Session>({
    engine: "kafka",
    checks: CHECKS,
    connect: async () => {
      const connection = openKafka(options.config, options.logger, 1);
      const admin = connection.kafka.admin();
      await admin.connect().catch((error: unknown) => (connection.cut(), Promise.reject(error)));
      return { ...options, connection, admin };
    },
    close: async ({ admin, connection }) => {
      await admin.disconnect();
      connection.cut();
    },
    explain: (error) => explain(error, options.config),
  });
}

/** There, or such that the start may create them. */
async function checkTopics(session: Session): Promise<string> {
  const found: string[] = [];
  for (const plan of plannedTopics(session)) {
    const topic = await metadata(session.admin, plan.topic);
    if (topic) found.push(`${plan.topic} with ${topic.partitions.length} partitions`);
    else {
      await session.admin
        .createTopics({ topics: [plan], validateOnly: true, waitForLeaders: false })
        .catch((error: unknown) => {
          throw topicFault(plan, error);
        });
      found.push(`${plan.topic} is missing, the start creates it`);
    }
  }
  return found.join("; ");
}

async function checkSettings({ admin, ...options }: Session): Promise<string> {
  const found: string[] = [];
  for (const plan of plannedTopics(options)) {
    const topic = await metadata(admin, plan.topic);
    if (!topic) continue;
    const present = await settingsOf(admin, plan.topic);
    const replicas = Math.min(...topic.partitions.map((partition) => partition.replicas.length));
    checkReplicas(plan.topic, replicas, Number(present.get("min.insync.replicas")));
    for (const { name, value } of plan.configEntries ?? [])
      checkSetting(plan.topic, name, value, present.get(name) ?? "");
    found.push(
      `${plan.topic}: ${replicas} replicas, of which ${present.get("min.insync.replicas")} must have what is saved`,
    );
  }
  return found.join("; ") || "no topics yet";
}

function checkReplicas(topic: string, replicas: number, inSync: number): void {
  if (inSync > replicas)
    throw new CheckFault(
      `Topic ${topic} has ${replicas} replicas, and min.insync.replicas is ${inSync}: nothing can be saved.`,
      "give the topic more replicas, or lower the setting.",
    );
  if (replicas < 3 || inSync >= 2) return;
  throw new CheckFault(
    `Topic ${topic} has ${replicas} replicas, but what one of them has counts as saved.`,
    "set the topic's min.insync.replicas to 2.",
    { isWarning: true },
  );
}

function checkSetting(topic: string, name: string, planned: string, present: string): void {
  const cure = `set the topic's ${name} to ${planned}.`;
  if (name === "cleanup.policy" && present !== planned)
    throw new CheckFault(
      `Topic ${topic} has ${name}=${present}: it drops messages that are not stored.`,
      cure,
    );
  if (name === TIMESTAMP_BEFORE_MAX && Number(present) > Number(planned))
    throw new CheckFault(
      `Topic ${topic} has ${name}=${present}: a broker that hangs may take messages after their time.`,
      cure,
      { isWarning: true },
    );
  const isLess = Number(present) !== -1 && (Number(planned) === -1 || Number(present) < Number(planned));
  if (isLess) throw new CheckFault(`Topic ${topic} has ${name}=${present}.`, cure, { isWarning: true });
}

/**
 * The broker looks at the right to write first and at the request second: one that it can't take is refused with
 * another error by those who let us write, and nothing is written.
 */
async function checkWriting({ connection, admin, config }: Session): Promise<string> {
  const producer = connection.kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
  await producer.connect();
  try {
    for (const topic of topicsOf(config)) {
      if (!(await metadata(admin, topic))) continue;
      await producer
        .send({ topic, acks: IMPOSSIBLE_ACKS, messages: [{ value: "" }] })
        .catch((error: unknown) => {
          if (kafkaErrorType(error) !== "INVALID_REQUIRED_ACKS") throw error;
        });
    }
    return "may write to the topics";
  } finally {
    await producer.disconnect();
  }
}

const IMPOSSIBLE_ACKS = 2;

/**
 * A broker that has just started may need a moment to know its groups; to one that may not know them, kafkajs says the same:
 * the coordinator was not found.
 */
async function checkGroup({ admin, config, runtime }: Session): Promise<string> {
  if (!(await metadata(admin, config.topic))) return "no topic yet";
  const deadlineMs = runtime.elapsed() + COORDINATOR_MS_MAX;
  for (;;) {
    try {
      await admin.fetchOffsets({ groupId: config.groupId, topics: [config.topic] });
      return config.groupId;
    } catch (error) {
      if (!isNotYet(error)) throw error;
      if (runtime.elapsed() > deadlineMs) throw stillNotYet(error);
      await sleep(runtime, POLL_MS);
    }
  }
}

/** Within the time of one check. */
const COORDINATOR_MS_MAX = 13_000;
const POLL_MS = 200;
/** The least that brokers allow by default: a member that could not say that it leaves is missed after it. */
const SESSION_MS = 6_000;
const LEAVING_MS_MAX = SESSION_MS + 2_000;

function isNotYet(error: unknown): boolean {
  return (
    COORDINATOR_NOT_YET.has(kafkaErrorType(error)) || error instanceof kafkajs.KafkaJSGroupCoordinatorNotFound
  );
}

const COORDINATOR_NOT_YET: ReadonlySet<string | undefined> = new Set([
  "GROUP_LOAD_IN_PROGRESS",
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR_FOR_GROUP",
]);

/** Brokers that say so themselves are at work on it, and a consumer waits for them: no reason not to start. */
function stillNotYet(error: unknown): unknown {
  if (!COORDINATOR_NOT_YET.has(kafkaErrorType(error))) return error;
  const cure = "if it stays so, look at the brokers' logs.";
  return new CheckFault(`The brokers do not know their groups yet (${kafkaErrorType(error)}).`, cure, {
    cause: error,
    isWarning: true,
  });
}

/** Joins a group of its own, whose name begins as that of the consumers, fetches once and removes it. */
async function checkReading({ connection, admin, config, runtime }: Session): Promise<string> {
  if (!(await metadata(admin, config.topic))) return "no topic yet";
  const groupId = `${config.groupId}.doctor`;
  const consumer = connection.kafka.consumer({
    groupId,
    sessionTimeout: SESSION_MS,
    heartbeatInterval: SESSION_MS / 6,
    retry: { retries: 1, restartOnFailure: async () => false },
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: config.topic });
    const fetched = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.FETCH, () => resolve());
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    });
    await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    await fetched;
  } finally {
    await consumer.disconnect();
  }
  // Where it can't be removed, the broker forgets it by itself.
  const deadlineMs = runtime.elapsed() + LEAVING_MS_MAX;
  const kept = await removeGroup(admin, groupId, runtime, deadlineMs).then(
    (isGone) => (isGone ? "" : "somebody is in it"),
    (error: unknown) => kafkaErrorType(error) ?? String(error),
  );
  return `may read ${config.topic}${kept && ` (the group ${groupId} could not be removed: ${kept})`}`;
}

async function metadata(admin: Admin, topic: string): Promise<ITopicMetadata | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0];
  } catch (error) {
    if (kafkaErrorType(error) === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    throw error;
  }
}

async function settingsOf(admin: Admin, name: string): Promise<ReadonlyMap<string, string>> {
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }];
  const answer = await admin
    .describeConfigs({ includeSynonyms: false, resources })
    .catch((error: unknown) => {
      if (kafkaErrorType(error) !== "TOPIC_AUTHORIZATION_FAILED") throw error;
      throw new CheckFault(
        `The settings of topic ${name} can't be read with these credentials.`,
        "let them DescribeConfigs on the topic, or look yourself that it is not compacted.",
        { isWarning: true },
      );
    });
  const entries = answer.resources.flatMap(({ configEntries }) => configEntries);
  return new Map(entries.map((entry) => [entry.configName, entry.configValue]));
}

function topicsOf({ topic, deadLetterTopic }: KafkaConfig): readonly string[] {
  return [topic, deadLetterTopic];
}

const CREDENTIALS = "KAFKA_USERNAME and KAFKA_PASSWORD, or KAFKA_CERT and KAFKA_KEY";

function explain(error: unknown, config: KafkaConfig): CheckFault {
  const text = error instanceof Error ? error.message : String(error);
  const type = kafkaErrorType(error) ?? "";
  const fault = (found: string, cure: string) => new CheckFault(found, cure, { cause: error });
  if (type === "TOPIC_AUTHORIZATION_FAILED")
    return fault(
      `These credentials may not use the topics ${topicsOf(config).join(" and ")} (${type}).`,
      `let them Read, Write, Describe and DescribeConfigs on both, or set STAGE to the stage that ${CREDENTIALS} are for.`,
    );
  if (type === "GROUP_AUTHORIZATION_FAILED" || error instanceof kafkajs.KafkaJSGroupCoordinatorNotFound)
    return fault(
      `These credentials may not use the consumer group ${config.groupId} (${type || text}).`,
      `let them Read and Delete on groups that begin with ${config.groupId}, or set STAGE to the stage that they are for.`,
    );
  if (/SASL.*(fail|invalid)/i.test(text))
    return fault(`${text}.`, "give KAFKA_USERNAME and KAFKA_PASSWORD as the brokers have them.");
  if (/mechanism is not supported/.test(text) || type === "UNSUPPORTED_SASL_MECHANISM")
    return fault(`${text}.`, "set KAFKA_SASL_MECHANISM to one that the brokers offer.");
  if (/SASL state/.test(text))
    return fault(
      `The port takes no passwords (${text}).`,
      "take the SASL port in KAFKA_BROKERS, or leave KAFKA_USERNAME out.",
    );
  const words = {
    engine: "Kafka",
    address: "KAFKA_BROKERS",
    ca: "KAFKA_CA",
    isTls: config.ssl !== undefined,
    tls: "set KAFKA_SSL=true",
  };
  return connectionFault(error, words) ?? fault(`${text}.`, "look at the brokers' logs.");
}
