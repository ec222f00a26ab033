/** Every kind of fault, as a table: what it does to the world, and for how long at most. Each one is over by the end of its time. */
import { MODERATION_FAULTS } from "./moderation-faults.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface FaultSpec {
  readonly durationMsMax: number;
  /** Nodes may not learn meanwhile what the store says, and go by what they know. */
  readonly keepsFromStore?: true;
  /** Does it, and answers how to end it. */
  readonly begin: (world: World, random: Random, durationMs: number) => (() => void) | undefined;
}

/** More than a socket's buffer holds. */
const FLOOD = 180;
const LARGE = "x".repeat(7_900);

const BROKEN = ["not json", "{}", JSON.stringify({ type: "event" })];
const NUL_BODY = (room: string): string =>
  JSON.stringify({
    type: "event",
    room,
    position: "1882735690000000001",
    prev: "1882735690000000000",
    kind: "message",
    id: "019a0000-0000-7000-8000-000000000000",
    user: { id: "poison", name: "poison" },
    body: "a\0b",
  });

export const FAULTS = {
  node_crash: {
    durationMsMax: 8_000,
    begin: ({ cluster }, random) => {
      random.pick(cluster.nodes).host.kill();
      return () => cluster.fill();
    },
  },
  /** Stopped and woken: it acts on what it knew. */
  node_paused: {
    durationMsMax: 15_000,
    keepsFromStore: true,
    begin: ({ cluster }, random) => {
      const { host } = random.pick(cluster.nodes);
      host.pause();
      return () => host.wake();
    },
  },
  node_deployed: {
    durationMsMax: 6_000,
    begin: ({ cluster }, random) => {
      const ended = random.pick(cluster.nodes).stop();
      return () => void ended.then(() => cluster.fill());
    },
  },
  node_cut_off: {
    durationMsMax: 10_000,
    keepsFromStore: true,
    begin: ({ cluster }, random) => {
      const links = random.pick(cluster.nodes).connections.links;
      for (const link of links) link.isBlocked = true;
      return () => links.forEach((link) => (link.isBlocked = false));
    },
  },
  /** What holds a message that is not saved yet: its node, its client, and, one time in two, Redis's memory. */
  disaster: {
    durationMsMax: 6_000,
    begin: (world, random, durationMs) => {
      const { cluster, kafka, redis } = world;
      const isWiped = random.happens(0.5);
      kafka.crash();
      world.time.after(durationMs / 2, () => {
        for (const client of random.some(world.people(), 3)) client.vanish();
        for (const { host } of cluster.nodes) host.kill();
        if (isWiped) redis.crash();
      });
      return () => {
        if (isWiped) world.redisLoses(() => redis.restart());
        kafka.isDown = false;
        cluster.fill();
      };
    },
  },
  /** Everything that could hold a message which is on the log but not stored: the consumers in mid-batch, and Redis's memory. */
  consumer_disaster: {
    durationMsMax: 8_000,
    keepsFromStore: true,
    begin: (world, _, durationMs) => {
      const { cluster, postgres, redis } = world;
      postgres.refusals = 1;
      world.time.after(durationMs / 2, () => {
        for (const { host } of cluster.consumers) host.kill();
        redis.crash();
      });
      return () => {
        world.redisLoses(() => redis.restart());
        postgres.refusals = 0;
        cluster.fill();
      };
    },
  },
  consumer_crash: {
    durationMsMax: 10_000,
    begin: ({ cluster }, random) => {
      random.pick(cluster.consumers).host.kill();
      return () => cluster.fill();
    },
  },
  consumer_paused: {
    durationMsMax: 15_000,
    begin: ({ cluster }, random) => {
      const { host } = random.pick(cluster.consumers);
      host.pause();
      return () => host.wake();
    },
  },
  consumer_deployed: {
    durationMsMax: 4_000,
    begin: ({ cluster }, random) => {
      const ended = random.pick(cluster.consumers).stop();
      return () => void ended.then(() => cluster.fill());
    },
  },
  client_crash: {
    durationMsMax: 200,
    begin: ({ people }, random) => {
      for (const client of random.some(people(), 4)) client.crash();
      return undefined;
    },
  },
  client_gone: {
    durationMsMax: 200,
    begin: ({ people }, random) => {
      for (const client of random.some(people(), 2)) client.vanish();
      return undefined;
    },
  },
  client_away: {
    durationMsMax: 25_000,
    begin: ({ people }, random) => {
      const some = random.some(people(), 4);
      for (const client of some) client.leave();
      return () => some.forEach((client) => client.comeBack());
    },
  },
  /** More than a resume may carry is missed. */
  client_away_from_flood: {
    durationMsMax: 25_000,
    begin: ({ people }, random) => {
      const [writer, ...others] = random.some(people(), 5);
      writer?.flood(FLOOD, LARGE);
      for (const client of others) client.leave();
      return () => others.forEach((client) => client.comeBack());
    },
  },
  client_cut: {
    durationMsMax: 200,
    begin: ({ people }) => {
      for (const { socket } of people()) socket?.cut();
      return undefined;
    },
  },
  client_half_open: {
    durationMsMax: 200,
    begin: ({ people }, random) => {
      for (const { socket } of random.some(people(), 4)) if (socket) socket.isSilent = true;
      return undefined;
    },
  },
  /** Some don't read while much is written. */
  slow_reader: {
    durationMsMax: 25_000,
    begin: ({ people }, random) => {
      const [writer, ...others] = random.some(people(), 7);
      const sockets = others.flatMap(({ socket }) => socket ?? []);
      for (const socket of sockets) socket.isStuck = true;
      writer?.flood(FLOOD, LARGE);
      return () => sockets.forEach((socket) => socket.unstick());
    },
  },
  /** Many messages at once. */
  flood: {
    durationMsMax: 200,
    begin: ({ people }, random) => {
      for (const client of random.some(people(), 1)) client.flood(random.integer(60, 160), "flood");
      return undefined;
    },
  },
  network_slow: {
    durationMsMax: 15_000,
    begin: (world, random) => {
      world.slowMs = random.between(50, 800);
      return () => (world.slowMs = 0);
    },
  },
  redis_crash: {
    durationMsMax: 8_000,
    begin: ({ redis }) => {
      redis.crash();
      return () => redis.restart(redis.memory.contents);
    },
  },
  redis_wiped: {
    durationMsMax: 8_000,
    begin: (world) => {
      world.redis.crash();
      return () => world.redisLoses(() => world.redis.restart());
    },
  },
  redis_flushed: {
    durationMsMax: 200,
    begin: (world) => {
      world.redisLoses(() => world.redis.memory.flush());
      return undefined;
    },
  },
  redis_restored: {
    durationMsMax: 8_000,
    begin: (world, random) => {
      const older = random.pick(world.snapshots);
      world.redis.crash();
      return () => {
        world.redis.memory.clockOffsetMs = -random.between(0, 3_000);
        world.redisLoses(() => world.redis.restart(older));
      };
    },
  },
  redis_clock_back: {
    durationMsMax: 30_000,
    begin: ({ redis }, random) => {
      redis.memory.clockOffsetMs = -random.between(100, 20_000);
      return () => (redis.memory.clockOffsetMs = 0);
    },
  },
  redis_frozen: {
    durationMsMax: 6_000,
    begin: ({ redis }) => {
      redis.freeze();
      return () => redis.thaw();
    },
  },
  redis_replies_lost: {
    durationMsMax: 8_000,
    begin: ({ redis }, random) => {
      redis.lostReplies = random.between(0.005, 0.1);
      return () => (redis.lostReplies = 0);
    },
  },
  redis_half_open: {
    durationMsMax: 5_000,
    begin: ({ cluster }, random) => {
      const link = random.pick(random.pick(cluster.nodes).connections.redis.links);
      link.isBlocked = true;
      return () => (link.isBlocked = false);
    },
  },
  redis_cut: {
    durationMsMax: 200,
    begin: ({ redis }) => {
      for (const link of [...redis.links]) link.cut();
      return undefined;
    },
  },
  published_dropped: {
    durationMsMax: 10_000,
    begin: ({ cluster }, random) => {
      const [, feed] = random.pick(cluster.nodes).connections.redis.links;
      feed.dropChance = random.between(0.05, 0.6);
      return () => (feed.dropChance = 0);
    },
  },
  subscriber_deaf: {
    durationMsMax: 200,
    begin: ({ cluster }, random) => {
      const [, feed] = random.pick(cluster.nodes).connections.redis.links;
      feed.isDeaf = true; // until the canary finds it
      return undefined;
    },
  },
  kafka_down: {
    durationMsMax: 15_000,
    begin: ({ kafka }) => {
      kafka.crash();
      return () => (kafka.isDown = false);
    },
  },
  kafka_frozen: {
    durationMsMax: 15_000,
    begin: ({ kafka }) => {
      kafka.freeze();
      return () => kafka.thaw();
    },
  },
  /** What nodes have on the way to the log arrives after they gave it up; Redis loses its memory meanwhile, and consumers go on. */
  kafka_requests_held: {
    durationMsMax: 14_000,
    begin: (world, _, durationMs) => {
      const links = world.cluster.nodes.map(({ connections }) => connections.kafka.link);
      for (const link of links) link.hold();
      world.time.after(Math.min(1_000, durationMs / 2), () =>
        world.redisLoses(() => world.redis.memory.flush()),
      );
      return () => links.forEach((link) => link.release());
    },
  },
  kafka_slow: {
    durationMsMax: 10_000,
    begin: ({ kafka }, random) => {
      kafka.slowMs = random.between(200, 3_000);
      return () => (kafka.slowMs = 0);
    },
  },
  kafka_acks_lost: {
    durationMsMax: 8_000,
    begin: ({ kafka }, random) => {
      kafka.lostReplies = random.between(0.02, 0.3);
      return () => (kafka.lostReplies = 0);
    },
  },
  kafka_leader_change: {
    durationMsMax: 6_000,
    begin: ({ kafka }, random) => {
      const partition = random.pick(kafka.partitions);
      partition.hasLeader = false;
      return () => (partition.hasLeader = true);
    },
  },
  kafka_rebalance: {
    durationMsMax: 200,
    begin: ({ kafka }) => {
      kafka.rebalance();
      return undefined;
    },
  },
  kafka_redelivery: {
    durationMsMax: 200,
    begin: ({ kafka }, random) => {
      kafka.rewind(random.integer(1, 300));
      return undefined;
    },
  },
  kafka_poison: {
    durationMsMax: 200,
    begin: ({ kafka, rooms }, random) => {
      const key = `simulated/${random.pick(rooms)}`;
      const partition = kafka.partitionOf(key);
      kafka.write(partition, key, random.pick(BROKEN));
      kafka.write(partition, key, NUL_BODY(random.pick(rooms)));
      kafka.write(partition, key, "of another stage", "another");
      return undefined;
    },
  },
  postgres_down: {
    durationMsMax: 15_000,
    keepsFromStore: true,
    begin: ({ postgres }) => {
      postgres.refusals = 1;
      return () => (postgres.refusals = 0);
    },
  },
  postgres_slow: {
    durationMsMax: 10_000,
    keepsFromStore: true,
    begin: ({ postgres }, random) => {
      postgres.slowMs = random.between(500, 6_000);
      return () => (postgres.slowMs = 0);
    },
  },
  postgres_frozen: {
    durationMsMax: 10_000,
    keepsFromStore: true,
    begin: ({ postgres }) => {
      postgres.freeze();
      return () => postgres.thaw();
    },
  },
  /** The commit was done, or will be, and nobody is told. */
  postgres_commits_unknown: {
    durationMsMax: 10_000,
    keepsFromStore: true,
    begin: ({ postgres }, random) => {
      postgres.lostReplies = random.between(0.05, 0.4);
      return () => (postgres.lostReplies = 0);
    },
  },
  postgres_deadlocks: {
    durationMsMax: 10_000,
    keepsFromStore: true,
    begin: ({ postgres }, random) => {
      postgres.refusals = random.between(0.1, 0.6);
      return () => (postgres.refusals = 0);
    },
  },
  ...MODERATION_FAULTS,
} as const satisfies Record<string, FaultSpec>;

export type FaultKind = keyof typeof FAULTS;
