/** A stage in Kafka: its topics, its consumer groups, and what its user may do with them. */
import kafkajs, { type AclEntry, type Admin } from "kafkajs";
import { userOf, type StageKeeper } from "../core/stages.ts";
import { kafkaErrorType, openKafka } from "./kafka-client.ts";
import { removeGroup } from "./kafka-groups.ts";
import { KeptClient } from "./kafka-kept-client.ts";
import { ensureTopics, type TopicsOptions } from "./kafka-topics.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
/** A member that was cut off stays in its group until its session ends. */
const GROUP_DEADLINE_MS = 30_000;

export function keepKafkaStage(options: TopicsOptions, stage: string): StageKeeper {
  const { config, runtime, logger } = options;
  const prefix = `skat.${stage}.`;
  const topics = [config.topic, config.deadLetterTopic];
  const kept = new KeptClient(
    () => openKafka(config, logger, 2),
    (kafka) => kafka.admin(),
  );
  return {
    engine: "kafka",
    async create(password) {
      await ensureTopics(options);
      const made = `topics ${topics.join(", ")}, groups ${prefix}*`;
      if (password === undefined) return made;
      const principal = `User:${userOf(stage)}`;
      const isKept = await kept.use((admin) => grant(admin, principal, topics, prefix));
      return isKept ? `${made}, rights of ${principal}` : `${made}; the brokers check no rights`;
    },
    remove: () =>
      kept.use(async (admin) => {
        await revoke(admin, `User:${userOf(stage)}`);
        const groups = (await groupsOf(admin)).filter((group) => group.startsWith(prefix));
        await removeGroups(admin, groups);
        // A topic that stages share is not this stage's to remove.
        const own = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
        if (own.length > 0) await admin.deleteTopics({ topics: own });
        return `${own.length} topics and ${groups.length} groups ${prefix}*, rights of ${userOf(stage)}`;
      }),
    list: () =>
      kept.use(async (admin) => {
        const names = [...(await admin.listTopics()), ...(await groupsOf(admin))];
        const stages = names.flatMap((name) => /^skat\.([a-z0-9-]+)\./.exec(name)?.[1] ?? []);
        return [...new Set(stages)];
      }),
    close: () => kept.close(),
  };

  async function removeGroups(admin: Admin, groups: readonly string[]): Promise<void> {
    const deadlineMs = runtime.elapsed() + GROUP_DEADLINE_MS;
    for (const group of groups) {
      if (!(await removeGroup(admin, group, runtime, deadlineMs)))
        throw new Error(
          `The consumer group ${group} has members: end the nodes and consumers of ${stage} first.`,
        );
    }
  }
}

async function groupsOf(admin: Admin): Promise<string[]> {
  return (await admin.listGroups()).groups.map(({ groupId }) => groupId);
}

/** False where the brokers have no authorizer. */
async function grant(
  admin: Admin,
  principal: string,
  topics: readonly string[],
  prefix: string,
): Promise<boolean> {
  const { READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS, DELETE } = AclOperationTypes;
  const entry = { principal, host: "*", permissionType: AclPermissionTypes.ALLOW };
  const onTopics = topics.flatMap((resourceName) =>
    [READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS].map((operation): AclEntry => {
      const resource = {
        resourceType: AclResourceTypes.TOPIC,
        resourcePatternType: ResourcePatternTypes.LITERAL,
      };
      return { ...entry, ...resource, resourceName, operation };
    }),
  );
  const onGroups = [READ, DESCRIBE, DELETE].map((operation): AclEntry => {
    const resource = {
      resourceType: AclResourceTypes.GROUP,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
    };
    return { ...entry, ...resource, resourceName: prefix, operation };
  });
  return unlessOpen(admin.createAcls({ acl: [...onTopics, ...onGroups] }));
}

async function revoke(admin: Admin, principal: string): Promise<void> {
  const anything = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
  await unlessOpen(admin.deleteAcls({ filters: [{ principal, ...anything }] }));
}

async function unlessOpen(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (kafkaErrorType(error) === "SECURITY_DISABLED") return false;
    throw error;
  }
}
