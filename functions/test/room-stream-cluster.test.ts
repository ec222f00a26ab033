/** The room stream on a Redis Cluster of its own: the contract, and what only a cluster can do: move slots, and let replicas take over. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedisCluster, type RedisCluster } from "../../scripts/engines/redis-cluster.ts";
import type { RedisEngine } from "../../scripts/engines/redis.ts";
import { partitionOf, StaleFenceError, type Fence, type StreamEvent } from "../core/room-stream.ts";
import { ZERO } from "../core/position.ts";
import { ChatError } from "../lib/errors.ts";
import { describeEngine } from "./engines.ts";
import {
  beginMove,
  failOver,
  holderOf,
  moveSlot,
  replicaOf,
  replicated,
  roomOn,
  serversOf,
  slotOf,
} from "./redis-cluster-tools.ts";
import { redisWorld, type RedisConnection, type RedisWorld, type RedisWorldOptions } from "./redis-world.ts";
import { appendMany, describeRoomStream, draftOf, opened, ROOM } from "./room-stream-contract.ts";
import { waitFor } from "./wait-for.ts";

describeEngine(["redis", "control", "secure"], "Redis Cluster", () => {
  let cluster: RedisCluster;
  const createWorld = (options: RedisWorldOptions = {}): Promise<RedisWorld> =>
    redisWorld(
      {
        primaries: cluster.members.slice(0, 3),
        openServers: () => serversOf(cluster),
        settled: () => cluster.settled(),
      },
      options,
    );

  async function withWorld(task: (world: RedisWorld) => Promise<void>): Promise<void> {
    const world = await createWorld();
    await task(world).finally(() => world.close());
  }

  describe("without replicas", () => {
    beforeAll(async () => void (cluster = await startRedisCluster({ replicas: 0 })), 60_000);
    afterAll(() => cluster?.dispose());

    describeRoomStream("Redis Cluster", createWorld);

    it("[N1] a slot that moves takes everything along, and its partition gets a new fence", () =>
      withWorld(async (world) => {
        const { stream } = await world.connect();
        const fence = await opened(stream);
        const before = await appendMany(stream, fence, 250);
        await move();
        expect(await appendSoon({ stream }, fence)).toBeInstanceOf(StaleFenceError);
        const later = await opened(stream, fence);
        expect(later.position > fence.position).toBe(true);
        const { position, prev } = await stream.append(draftOf("after"), later, ZERO);
        expect(prev).toBe(later.position);
        const { events } = await stream.entries(ROOM, ZERO, 1_000);
        expect(events.map((event) => event.position)).toEqual([
          ...before.map((one) => one.position),
          position,
        ]);
      }));

    it("[N1] a fence that was opened where the slot was before does not count there when it is back", () =>
      withWorld(async (world) => {
        const { stream } = await world.connect();
        const fence = await opened(stream);
        const home = await move();
        expect(await appendSoon({ stream }, fence)).toBeInstanceOf(StaleFenceError);
        await move(home);
        await waitFor(
          () => stream.inspect(partitionOf(ROOM), []).catch(() => undefined),
          "the map to be known",
        );
        expect(await appendSoon({ stream }, fence)).toBeInstanceOf(StaleFenceError);
      }));

    it("[N3] subscriptions follow their slot without being asked, and the listener is told", () =>
      withWorld(async (world) => {
        const [here, there] = [await world.connect(), await world.connect()];
        const heard: StreamEvent[] = [];
        let interruptions = 0;
        here.feed.listen({
          onEvent: (_room, _fence, event) => heard.push(event),
          onInterrupted: () => interruptions++,
        });
        await here.feed.subscribe(ROOM);
        await move();
        // Nothing but the server's own word tells this node's feed.
        await waitFor(() => interruptions > 0, "the feed to follow");
        const [appended] = await appendMany(there.stream, await openedSoon(there), 1);
        await waitFor(() => heard.length === 1, "the event");
        expect(heard[0]?.position).toBe(appended?.position);
        await here.feed.probe();
      }));

    it("[S1] while a slot is on its way nothing is appended, and who tries is told to try again", () =>
      withWorld(async (world) => {
        const { stream } = await world.connect();
        const fence = await opened(stream);
        const before = await appendMany(stream, fence, 3);
        const from = await holderOf(cluster, ROOM);
        const to = otherThan(from);
        const moving = await beginMove(cluster, slotOf(ROOM), from, to);
        const refused = () =>
          expect(stream.append(draftOf("lost?"), fence, ZERO)).rejects.toMatchObject({ code: "unavailable" });
        await refused();
        await moving.take((await moving.left()).slice(0, 2));
        await refused();
        await moving.take(await moving.left());
        await refused();
        await moving.finish();
        await openedSoon({ stream });
        expect((await stream.entries(ROOM, ZERO, 10)).events.map(({ position }) => position)).toEqual(
          before.map(({ position }) => position),
        );
      }));

    it("answers as long as one primary does", () =>
      withWorld(async (world) => {
        const { stream } = await world.connect();
        await stream.ping();
        const [, ...others] = cluster.members;
        await Promise.all(cluster.members.map((member) => member.pause()));
        await expect(stream.ping()).rejects.toMatchObject({ code: "unavailable" });
        await Promise.all(others.map((member) => member.resume()));
        await waitFor(
          () =>
            stream.ping().then(
              () => true,
              () => false,
            ),
          "an answer",
        );
        await Promise.all(cluster.members.map((member) => member.resume()));
        await cluster.settled();
      }));

    /** Answers where the room's slot was. */
    async function move(target?: RedisEngine): Promise<RedisEngine> {
      const from = await holderOf(cluster, ROOM);
      await moveSlot(cluster, slotOf(ROOM), from, target ?? otherThan(from));
      return from;
    }
  });

  function otherThan(primary: RedisEngine): RedisEngine {
    const other = cluster.members.slice(0, 3).find((member) => member !== primary);
    if (!other) throw new Error("there are three");
    return other;
  }

  describe("with replicas", () => {
    beforeAll(async () => void (cluster = await startRedisCluster({ nodeTimeoutMs: 1_000 })), 60_000);
    afterAll(() => cluster?.dispose());

    it(
      "[N1] a primary that dies is followed by its replica, under a new fence",
      () =>
        withWorld(async (world) => {
          const primary = await holderOf(cluster, ROOM);
          const untouched = await roomOn(cluster, otherThan(primary));
          const { stream, feed } = await world.connect();
          const heard: string[] = [];
          feed.listen({
            onEvent: (_room, _fence, { position }) => heard.push(position),
            onInterrupted: () => undefined,
          });
          await feed.subscribe(ROOM);
          const opening = { nowMs: Date.now(), floor: ZERO };
          const fence = await opened(stream);
          const other = await stream.open(partitionOf(untouched), opening);
          const before = await appendMany(stream, fence, 50);
          await replicated(await replicaOf(cluster, primary), primary);
          await primary.kill();
          const later = await openedSoon({ stream }, fence);
          expect(later.position > fence.position).toBe(true);
          expect((await stream.entries(ROOM, ZERO, 100)).events).toHaveLength(before.length);
          const { position } = await waitFor(async () => {
            await feed.subscribe(ROOM);
            return stream.append(draftOf("after"), later, ZERO);
          }, "the feed");
          await waitFor(() => heard.includes(position), "the event");
          // Whoever was not concerned has kept its fence.
          expect(await stream.open(partitionOf(untouched), opening)).toEqual(other);
          await primary.start();
          await cluster.settled();
        }),
      60_000,
    );

    it(
      "[N1] a replica that took over and gave back has another memory, though its process is the same",
      () =>
        withWorld(async (world) => {
          const primary = await holderOf(cluster, ROOM);
          const replica = await replicaOf(cluster, primary);
          const { stream } = await world.connect();
          const fence = await opened(stream);
          await failOver(cluster, replica);
          await failOver(cluster, primary);
          const { stream: later } = await world.connect();
          expect((await opened(later, fence)).position > fence.position).toBe(true);
        }),
      60_000,
    );
  });

  /** What an append under this fence comes to, once the map is known. */
  async function appendSoon({ stream }: Pick<RedisConnection, "stream">, fence: Fence): Promise<unknown> {
    return waitFor(async () => {
      const outcome: unknown = await stream
        .append(draftOf("soon"), fence, ZERO)
        .catch((error: unknown) => error);
      return outcome instanceof ChatError ? undefined : outcome;
    }, "an answer");
  }

  async function openedSoon({ stream }: Pick<RedisConnection, "stream">, known?: Fence): Promise<Fence> {
    return waitFor(() => opened(stream, known).catch(() => undefined), "a fence");
  }
});
