/** Everything on a Redis Cluster but the stream itself: its map, the preflight, stages, notices and rate limits. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedisCluster, type RedisCluster } from "../../scripts/engines/redis-cluster.ts";
import type { RedisEngine } from "../../scripts/engines/redis.ts";
import { FlexibleRateLimiter } from "../adapters/rate-limiter.ts";
import { openCluster } from "../adapters/redis-cluster.ts";
import { redisNames, COMMON_PARTITION } from "../adapters/redis-names.ts";
import type { RedisServers } from "../adapters/redis-servers.ts";
import { SLOT_OF } from "../adapters/redis-slots.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { keepRedisStage } from "../adapters/stage-redis.ts";
import { loadConfig } from "../config.ts";
import { lineOf } from "../core/preflight.ts";
import type { StageKeeper } from "../core/stages.ts";
import { PARTITIONS } from "../core/room-stream.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { DEFAULT_LIMITS } from "../protocol.ts";
import { examine } from "../preflight.ts";
import { createAuthority } from "./authority.ts";
import { describeEngine } from "./engines.ts";
import { newId } from "./events.ts";
import type { Env } from "./harness.ts";
import { moveSlot, serversOf } from "./redis-cluster-tools.ts";
import { redisWorld, tell } from "./redis-world.ts";
import { waitFor } from "./wait-for.ts";

const PASSWORD = "p".repeat(20);

describeEngine(["redis", "control", "secure"], "beside the stream on a Redis Cluster", () => {
  let cluster: RedisCluster;
  const primaries = () => cluster.members.slice(0, 3) as [RedisEngine, RedisEngine, RedisEngine];
  beforeAll(async () => void (cluster = await startRedisCluster()), 60_000);
  afterAll(() => cluster?.dispose());

  async function lines(env: Env, outcomes: readonly string[]): Promise<string[]> {
    const findings = await examine(loadConfig({ STAGE: "one", ...env }, "operator"), { brief: true });
    return findings.filter(({ outcome }) => outcomes.includes(outcome)).map(lineOf);
  }
  const faults = (env: Env) => lines(env, ["failed", "warning"]);

  describe("the map", () => {
    it("counts the slots as the servers do", async () => {
      const client = new Redis(cluster.url);
      const keys = Array.from({ length: PARTITIONS }, (_, partition) => redisNames("one").fence(partition));
      const slots = await Promise.all(keys.map((key) => client.cluster("KEYSLOT", key)));
      client.disconnect();
      expect(SLOT_OF).toEqual(slots);
    });

    it("has a primary for every partition, and the same from every member", async () => {
      const maps = await Promise.all(
        cluster.members.map(({ url }) => openCluster({ url, runtime, onError: () => undefined })),
      );
      const urls = maps.map((map) => SLOT_OF.map((_, partition) => map.of(partition)?.url));
      expect(new Set(urls[0])).toEqual(new Set(primaries().map(({ url }) => url)));
      for (const each of urls) expect(each).toEqual(urls[0]);
    });

    it("means the server that was asked, where that names no host", async () => {
      const [first] = primaries();
      await tell(first, "CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint");
      try {
        const map = await serversOf(cluster);
        expect(map.of(COMMON_PARTITION)?.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
      } finally {
        await tell(first, "CONFIG", "SET", "cluster-preferred-endpoint-type", "ip");
      }
    });

    it("is not taken from a member that is cut off from the others, and had from those as soon as one of them is asked", async () => {
      const small = await startRedisCluster({ replicas: 0 });
      try {
        const [lone, ...others] = small.members;
        const map = await openCluster({ url: small.url, runtime, onError: () => undefined });
        const heard: (readonly number[])[] = [];
        const unwatch = map.watch((moved) => heard.push(moved));
        for (const other of others)
          await tell(lone as RedisEngine, "CLUSTER", "FORGET", String(await tell(other, "CLUSTER", "MYID")));
        await expect(openCluster({ url: small.url, runtime, onError: () => undefined })).rejects.toThrow(
          /state is fail/,
        );
        const [from, to] = others as [RedisEngine, RedisEngine];
        const partition = SLOT_OF.findIndex((_, one) => map.of(one)?.url === from.url);
        await moveSlot({ ...small, members: others }, SLOT_OF[partition] ?? -1, from, to);
        await waitFor(() => {
          map.suspect();
          return heard.length > 0;
        }, "the map to be read anew");
        expect(heard).toEqual([[partition]]);
        expect(map.of(partition)?.url).toBe(to.url);
        unwatch();
      } finally {
        await small.dispose();
      }
    }, 60_000);
  });

  describe("the preflight", () => {
    it("finds nothing wrong, with one line for all primaries", async () => {
      expect(await lines(cluster.env, ["ok"])).toEqual([
        "redis.connect: connected",
        expect.stringMatching(/^redis.version: (Redis|Valkey) \S+$/),
        "redis.role: 3 primaries of a cluster that serves every slot",
        "redis.eviction: noeviction",
        expect.stringMatching(/^redis.clock: \d+ ms apart/),
        expect.stringMatching(/^redis.rights: /),
      ]);
    });

    it("says that a switch is missing", async () => {
      expect((await faults({ REDIS_URL: cluster.url }))[0]).toMatch(
        /redis.role: The server is part of a cluster. Cure: set REDIS_CLUSTER=true/,
      );
    });

    it("names the primary that would evict", async () => {
      const [, second] = primaries();
      await tell(second, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
      try {
        expect(await faults(cluster.env)).toEqual([
          expect.stringMatching(
            new RegExp(
              `^redis.eviction: At 127.0.0.1:${second.port}: maxmemory-policy is allkeys-lru.* Cure: `,
            ),
          ),
        ]);
      } finally {
        await tell(second, "CONFIG", "SET", "maxmemory-policy", "noeviction");
      }
    });

    it("counts the slots that nobody serves", async () => {
      const [first] = primaries();
      const unused = [...Array(5_000).keys()].find((slot) => !SLOT_OF.includes(slot)) ?? -1;
      await tell(first, "CLUSTER", "DELSLOTS", unused);
      try {
        expect((await faults(cluster.env))[0]).toMatch(
          /^redis.role: Nobody serves 1 of .* 16384 slots. Cure: /,
        );
      } finally {
        await tell(first, "CLUSTER", "ADDSLOTS", unused);
        await cluster.settled();
      }
    });

    it("names a primary that is away", async () => {
      const small = await startRedisCluster({ replicas: 0 });
      try {
        const away = small.members[2];
        await away?.kill();
        expect((await faults(small.env))[0]).toMatch(
          new RegExp(`^redis.connect: At 127.0.0.1:${away?.port}: .* Cure: `),
        );
      } finally {
        await small.dispose();
      }
    }, 60_000);
  });

  it("takes no port, nor bus port, of those that outgoing connections get", async () => {
    const nodes = String(await tell(primaries()[0], "CLUSTER", "NODES"));
    const ports = [...nodes.matchAll(/ 127\.0\.0\.1:(\d+)@(\d+)/g)].flatMap(([, port, bus]) => [port, bus]);
    expect(ports).toHaveLength(12);
    expect(Math.max(...ports.map(Number))).toBeLessThan(32_768);
  });

  it("is reached over TLS with a private authority", async () => {
    const authority = createAuthority();
    const small = await startRedisCluster({ replicas: 0, tls: authority.sign("server") });
    const url = `rediss://127.0.0.1:${small.members[0]?.tlsPort}`;
    try {
      expect(await faults({ REDIS_URL: url, REDIS_CA: authority.ca, REDIS_CLUSTER: "true" })).toEqual([]);
      const map = await openCluster({ url, ca: authority.ca, runtime, onError: () => undefined });
      const urls = new Set(SLOT_OF.map((_, partition) => map.of(partition)?.url));
      expect(urls).toEqual(new Set(small.members.map(({ tlsPort }) => `rediss://127.0.0.1:${tlsPort}`)));
    } finally {
      await small.dispose();
    }
  }, 60_000);

  it("a stage has its user on every member, and leaves nothing on any", async () => {
    const withKeeper = async <T>(task: (keeper: StageKeeper) => Promise<T>): Promise<T> => {
      const keeper = keepRedisStage({ url: cluster.url, cluster: true }, "one");
      return task(keeper).finally(() => keeper.close());
    };
    const servers = await serversOf(cluster);
    for (let partition = 0; partition < PARTITIONS; partition++)
      await onHolder(servers, partition, (client) => client.set(redisNames("one").fence(partition), "1"));
    const create = () => withKeeper((keeper) => keeper.create(PASSWORD));
    await waitFor(async () => (await create()).includes("user skat-one of 6 servers"), "every replica");
    for (const member of cluster.members)
      expect(await tell(member, "ACL", "USERS")).toEqual(expect.arrayContaining(["skat-one"]));
    const { port } = primaries()[0];
    const env = { ...cluster.env, REDIS_URL: `redis://skat-one:${PASSWORD}@127.0.0.1:${port}` };
    expect(await faults(env)).toEqual([]);
    expect((await faults({ ...env, STAGE: "two" }))[0]).toMatch(
      /redis.rights: At .*NOPERM.* Cure: .*set STAGE/,
    );
    await withKeeper(async (keeper) => {
      expect(await keeper.list()).toContain("one");
      expect(await keeper.remove()).toBe(`${PARTITIONS} keys skat:one:*, user skat-one`);
      expect(await keeper.list()).not.toContain("one");
    });
    for (const member of cluster.members)
      expect(await tell(member, "ACL", "USERS")).not.toEqual(expect.arrayContaining(["skat-one"]));
  }, 60_000);

  it("notices and rate limits are common to all nodes, wherever their slot is", async () => {
    const map = await serversOf(cluster);
    const site = { primaries: primaries(), openServers: async () => map, settled: () => cluster.settled() };
    const world = await redisWorld(site, {});
    const [here, there] = [await world.connect(), await world.connect()];
    let notices = 0;
    there.feed.onNotice(() => notices++);
    const rates = { ...DEFAULT_LIMITS.rates, joins: "3/60" };
    const redis = { url: cluster.url, stage: "common", servers: map };
    const limiter = () => new FlexibleRateLimiter({ rates, runtime, logger, redis });
    const limiters = [limiter(), limiter()];
    try {
      for (const _ of ["as it is", "moved"]) {
        await waitFor(
          () =>
            here.feed.announce().then(
              () => notices > 0,
              () => false,
            ),
          "the notice",
        );
        await waitFor(async () => (await takeAll(limiters)) === 3, "both to count together");
        await moveCommon();
        notices = 0;
      }
    } finally {
      limiters.forEach((one) => one.close());
      await world.close();
    }
  }, 60_000);

  async function takeAll(limiters: readonly FlexibleRateLimiter[]): Promise<number> {
    const key = newId();
    let taken = 0;
    for (const limiter of limiters)
      for (let tries = 0; tries < 4; tries++)
        await limiter.take("joins", key).then(
          () => taken++,
          () => {},
        );
    return taken;
  }

  async function moveCommon(): Promise<void> {
    const url = (await serversOf(cluster)).of(COMMON_PARTITION)?.url;
    const from = primaries().find((one) => one.url === url);
    const to = primaries().find((one) => one.url !== url);
    if (from && to) await moveSlot(cluster, SLOT_OF[COMMON_PARTITION] ?? -1, from, to);
  }
});

async function onHolder(
  servers: RedisServers,
  partition: number,
  task: (client: Redis) => Promise<unknown>,
): Promise<void> {
  const client = new Redis(servers.of(partition)?.url ?? "");
  await task(client);
  client.disconnect();
}
