/** A log on a real broker for tests: topics of its own, and everything opened on them closed again. */
import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { KafkaDeadLetters } from "../adapters/dead-letters-kafka.ts";
import { KafkaEventLog } from "../adapters/event-log-kafka.ts";
import type { KafkaConfig } from "../adapters/kafka-client.ts";
import { ensureTopics, type TopicsOptions } from "../adapters/kafka-topics.ts";
import { KafkaLogConsumer } from "../adapters/log-consumer-kafka.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { type Logger, silentLogger } from "../lib/logger.ts";
import type { LogWorld } from "./event-log-contract.ts";

export interface KafkaWorld extends LogWorld {
  readonly config: KafkaConfig;
}

export function kafkaConfig(brokers: readonly string[], stage = "test"): KafkaConfig {
  const name = `t-${randomUUID()}`;
  return {
    brokers,
    clientId: "skat-test",
    stage,
    topic: name,
    deadLetterTopic: `${name}.dead`,
    groupId: `${name}.${stage}.store`,
  };
}

export function topicsOf(config: KafkaConfig, changes: Partial<TopicsOptions> = {}): TopicsOptions {
  return {
    config,
    partitions: 4,
    replicationFactor: -1,
    retentionMs: 3_600_000,
    maxMessageBytes: 1_048_576,
    runtime: systemRuntime,
    logger: silentLogger,
    ...changes,
  };
}

export async function createKafkaWorld(
  config: KafkaConfig,
  logger: Logger = silentLogger,
): Promise<KafkaWorld> {
  await ensureTopics(topicsOf(config));
  const opened: { close(): Promise<void> }[] = [];
  const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    opened.push(part);
    return part;
  };
  const common = { config, runtime: systemRuntime, logger };
  return {
    config,
    stage: config.stage,
    openLog: () => keep(new KafkaEventLog(common)),
    openConsumer: () => keep(new KafkaLogConsumer(common)),
    openDeadLetters: () => keep(new KafkaDeadLetters(common)),
    close: async () => {
      await Promise.all(opened.map((part) => part.close()));
      await deleteTopics(config);
    },
  };
}

/** kafkajs as anybody else would use it. */
export function plainKafka({ brokers }: KafkaConfig): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}

/** How many consumers are in the group. */
export async function membersOf(config: KafkaConfig): Promise<number> {
  const admin = plainKafka(config).admin();
  await admin.connect();
  const { groups } = await admin.describeGroups([config.groupId]);
  await admin.disconnect();
  return groups[0]?.members.length ?? 0;
}

async function deleteTopics(config: KafkaConfig): Promise<void> {
  const admin = plainKafka(config).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [config.topic, config.deadLetterTopic] });
  await admin.disconnect();
}
