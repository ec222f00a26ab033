/** The room stream on a real Redis of its own: the contract, and what only a server can do: freeze, be shared by stages. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startRedis, type RedisEngine } from "../../scripts/engines/redis.ts";
import { RedisRoomFeed } from "../adapters/room-feed-redis.ts";
import { RedisRoomStream } from "../adapters/room-stream-redis.ts";
import { oneServer } from "../adapters/redis-servers.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { partitionOf, type StreamEvent } from "../core/room-stream.ts";
import { ZERO } from "../core/position.ts";
import { describeEngine } from "./engines.ts";
import { newId } from "./events.ts";
import { redisWorld, type RedisWorldOptions } from "./redis-world.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import { waitFor } from "./wait-for.ts";
import { appendMany, describeRoomStream, draftOf, opened, ROOM } from "./room-stream-contract.ts";

describeEngine(["redis", "control"], "Redis", () => {
  let engine: RedisEngine;
  beforeAll(async () => void (engine = await startRedis()));
  afterAll(() => engine.dispose());

  const createWorld = (options: RedisWorldOptions = {}) =>
    redisWorld(
      { primaries: [engine], openServers: async () => oneServer(engine), settled: async () => {} },
      options,
    );

  describeRoomStream("Redis", createWorld);

  it("[N3] a subscriber that has gone deaf on an open connection is found by its canary and hears again", async () => {
    const proxy = await startTcpProxy(() => engine.port);
    const target = { stage: newId(), onError: () => undefined };
    const stream = new RedisRoomStream({ ...target, url: engine.url, roomEntriesMax: 100 });
    const publish: typeof stream.publish = (...args) => stream.publish(...args);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const feed = new RedisRoomFeed({ ...target, url, runtime: systemRuntime, publish });
    const heard: string[] = [];
    let interruptions = 0;
    feed.listen({
      onEvent: (_, __, { position }) => heard.push(position),
      onInterrupted: () => interruptions++,
    });
    await waitFor(() => interruptions === 1, "the first connection");
    await feed.subscribe(ROOM);
    const fence = await opened(stream);
    proxy.silence();
    await stream.append(draftOf("unheard"), fence, ZERO);
    await feed.probe();
    await waitFor(() => interruptions === 2, "the connection to be replaced");
    const { position } = await stream.append(draftOf("heard"), fence, ZERO);
    await waitFor(() => heard.includes(position), "the next event");
    expect(heard).toEqual([position]);
    await Promise.all([stream.close(), feed.close(), proxy.close()]);
  });

  it("[N1] what waits behind an answer that never comes is not sent on the next connection, whose fence nobody has found", async () => {
    const proxy = await startTcpProxy(() => engine.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const stream = new RedisRoomStream({
      url,
      stage: newId(),
      onError: () => undefined,
      roomEntriesMax: 100,
    });
    await stream.ready();
    const fence = await opened(stream);
    const [first, second] = [draftOf("first"), draftOf("second")];
    proxy.silence();
    const answered = stream.append(first, fence, ZERO).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = stream.append(second, fence, ZERO).catch((error: unknown) => error);
    proxy.cut();
    expect(await answered).toMatchObject({ code: "unavailable" });
    expect(await waiting).toMatchObject({ code: "unavailable" });
    const again = await waitFor(() => opened(stream).catch(() => undefined), "the next connection");
    expect(await stream.find(ROOM, again, second.id)).toBeUndefined();
    await Promise.all([stream.close(), proxy.close()]);
  });

  it("answers unavailable within three seconds while Redis is frozen, and works again after", async () => {
    const world = await createWorld();
    try {
      const { stream } = await world.connect();
      const fence = await opened(stream);
      await engine.pause();
      const startMs = performance.now();
      try {
        await expect(stream.append(draftOf("x"), fence, ZERO)).rejects.toMatchObject({ code: "unavailable" });
        expect(performance.now() - startMs).toBeLessThan(3_000);
      } finally {
        await engine.resume();
      }
      const [appended] = await appendMany(stream, await opened(stream, fence), 1);
      expect(appended?.repeated).toBe(false);
    } finally {
      await world.close();
    }
  });

  it("seals stages on one Redis from each other", async () => {
    const [one, two] = [await createWorld(), await createWorld()];
    try {
      const [a, b] = [await one.connect(), await two.connect()];
      const heard: StreamEvent[] = [];
      b.feed.listen({ onEvent: (_room, _fence, event) => heard.push(event), onInterrupted: () => undefined });
      await b.feed.subscribe(ROOM);
      const [fence] = [await opened(a.stream), await opened(b.stream)];
      await appendMany(a.stream, fence, 3);
      expect(await b.stream.entries(ROOM, ZERO, 10)).toEqual({ events: [], length: 0 });
      expect(await b.stream.activeRooms(partitionOf(ROOM))).toEqual([]);
      const own = await b.stream.append(draftOf("own"), await opened(b.stream), ZERO);
      await expect
        .poll(() => heard.map(({ position }) => position), { timeout: 5_000 })
        .toEqual([own.position]);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });
});
