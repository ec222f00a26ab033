/** The world of the room stream's contract on real servers of Redis: one, or the primaries of a cluster. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { RedisEngine } from "../../scripts/engines/redis.ts";
import { RedisRoomFeed } from "../adapters/room-feed-redis.ts";
import { RedisRoomStream } from "../adapters/room-stream-redis.ts";
import type { RedisServers } from "../adapters/redis-servers.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { newId } from "./events.ts";
import type { StreamConnection, StreamWorld } from "./room-stream-contract.ts";

export interface RedisSite {
  readonly primaries: readonly RedisEngine[];
  openServers(): Promise<RedisServers>;
  /** Resolves when those that were started serve. */
  settled(): Promise<void>;
}

export interface RedisWorldOptions {
  readonly roomEntriesMax?: number;
  readonly stage?: string;
}

export interface RedisConnection extends StreamConnection {
  readonly stream: RedisRoomStream;
  readonly feed: RedisRoomFeed;
}

export interface RedisWorld extends StreamWorld {
  connect(): Promise<RedisConnection>;
}

export async function tell(
  engine: RedisEngine,
  ...command: [string, ...(string | number)[]]
): Promise<unknown> {
  const client = new Redis(engine.url);
  try {
    return await client.call(command[0], ...command.slice(1));
  } finally {
    client.disconnect();
  }
}

export async function redisWorld(site: RedisSite, options: RedisWorldOptions): Promise<RedisWorld> {
  const { roomEntriesMax = 100_000, stage = newId() } = options;
  const { primaries } = site;
  const dir = mkdtempSync(join(tmpdir(), "skat-room-stream-"));
  const open: { close(): Promise<void> }[] = [];
  const onAll = (task: (engine: RedisEngine) => Promise<unknown>) => Promise.all(primaries.map(task));
  return {
    async connect() {
      const servers = await site.openServers();
      const target = { url: primaries[0]?.url ?? "", servers, stage, onError: () => undefined };
      const stream = new RedisRoomStream({ ...target, roomEntriesMax });
      const feed = new RedisRoomFeed({ ...target, runtime, publish: (...args) => stream.publish(...args) });
      open.push(stream, feed);
      // Heard at the first connections too: from then on they subscribe.
      let interruptions = 0;
      const interrupted = new Promise<void>((resolve) =>
        feed.listen({
          onEvent: () => undefined,
          onInterrupted: () => void (++interruptions === primaries.length && resolve()),
        }),
      );
      await Promise.all([stream.ready(), interrupted]);
      return { stream, feed };
    },
    flush: async () => void (await onAll((engine) => tell(engine, "FLUSHALL"))),
    cut: async () => {
      await onAll((engine) => tell(engine, "CLIENT", "KILL", "TYPE", "pubsub"));
      await onAll((engine) => tell(engine, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"));
    },
    restart: async () => {
      await onAll((engine) => engine.restart());
      await site.settled();
    },
    snapshot: async () => {
      const fileOf = (engine: RedisEngine) => join(dir, `${engine.port}-${newId()}.rdb`);
      const files = primaries.map((engine) => [engine, fileOf(engine)] as const);
      await Promise.all(files.map(([engine, file]) => engine.save(file)));
      return async () => {
        await Promise.all(files.map(([engine, file]) => engine.restore(file)));
        await site.settled();
      };
    },
    close: async () => {
      await Promise.all(open.map((each) => each.close()));
      rmSync(dir, { recursive: true });
    },
  };
}
