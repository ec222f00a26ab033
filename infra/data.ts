/**
 * Optional: what a stage owns on Aiven's services and only Aiven's interface can make, by its provider: topics, and users who reach their
 * own topics and keys alone. The services themselves are not made here.
 *
 * Not so for PostgreSQL: a role gets its schema by SQL, which the provider does not speak. `npm run stage` does.
 */
import type { Secrets } from "./secrets.ts";
import type { AivenSettings } from "./settings.ts";
import type { Stage } from "./stage.ts";

export function createData(stage: Stage, settings: AivenSettings): Secrets {
  return { ...createKafka(stage, settings), ...createValkey(stage, settings) };
}

/** As SST would not keep them: it keeps buckets and tables, and knows nothing of topics. */
function keep({ isKept }: Stage): $util.CustomResourceOptions {
  return { protect: isKept, retainOnDelete: isKept };
}

function createKafka(stage: Stage, { project, kafka: serviceName }: AivenSettings): Secrets {
  const { name, topic, isKept } = stage;
  const own = { project, serviceName };
  const common = { ...own, replication: topic.replication, terminationProtection: isKept };
  new aiven.KafkaTopic(
    "Events",
    {
      ...common,
      topicName: `skat.${name}.events`,
      partitions: topic.partitions,
      config: {
        retentionMs: String(topic.retentionMs),
        cleanupPolicy: "delete",
        minInsyncReplicas: String(topic.replication - 1),
      },
    },
    keep(stage),
  );
  new aiven.KafkaTopic(
    "DeadLetters",
    {
      ...common,
      topicName: `skat.${name}.dead-letters`,
      partitions: 1,
      config: { retentionMs: "-1", cleanupPolicy: "delete" },
    },
    keep(stage),
  );
  const user = new aiven.KafkaUser("KafkaUser", { ...own, username: `skat-${name}` });
  new aiven.KafkaAcl("KafkaAcl", {
    ...own,
    username: user.username,
    topic: `skat.${name}.*`,
    permission: "readwrite",
  });
  const sasl = aiven
    .getKafkaOutput(own)
    .components.apply((all) =>
      all.find((each) => each.component === "kafka" && each.kafkaAuthenticationMethod === "sasl"),
    );
  return {
    KAFKA_BROKERS: $interpolate`${sasl.apply((at) => at?.host ?? "")}:${sasl.apply((at) => at?.port ?? 0)}`,
    KAFKA_USERNAME: user.username,
    KAFKA_PASSWORD: user.password,
    KAFKA_CA: aiven.getProjectOutput({ project }).caCert,
  };
}

/** As `npm run stage` gives them where a server lets it: without what tells or changes anything beyond the stage's names. */
const RIGHTS = {
  valkeyAclCategories: [
    ..."+@read +@write +@pubsub +@scripting +@connection +@transaction -@dangerous -@admin".split(" "),
  ],
  valkeyAclCommands: [
    ..."-scan -randomkey -dbsize -pubsub -function -script +script|load +info +time".split(" "),
    ..."+cluster|slots +cluster|info".split(" "),
  ],
};

function createValkey({ name }: Stage, { project, valkey: serviceName }: AivenSettings): Secrets {
  const user = new aiven.ValkeyUser("ValkeyUser", {
    project,
    serviceName,
    username: `skat-${name}`,
    valkeyAclKeys: [`skat:${name}:*`],
    valkeyAclChannels: [`skat:${name}:*`],
    ...RIGHTS,
  });
  const { serviceHost, servicePort } = aiven.getValkeyOutput({ project, serviceName });
  return {
    REDIS_URL: $interpolate`valkeys://${user.username}:${user.password}@${serviceHost}:${servicePort}`,
  };
}
