/** Private engines with two nodes and a consumer on them, as deployed, and their end. */
import { randomBytes } from "node:crypto";
import { startKafka } from "../../../scripts/engines/kafka.ts";
import { startPostgres } from "../../../scripts/engines/postgres.ts";
import { startRedis } from "../../../scripts/engines/redis.ts";
import { startConsumer, startNode, makeRooms, type Env, type Running } from "../harness.ts";
import { TestClient } from "../test-client.ts";

export type World = Awaited<ReturnType<typeof startWorld>>;

export async function startWorld(stage: string, more: Env = {}) {
  const [redis, kafka, postgres] = await Promise.all([
    startRedis({ persistence: "aof" }),
    startKafka(),
    startPostgres(),
  ]);
  const secret = randomBytes(32).toString("hex");
  const env: Env = {
    STAGE: stage,
    AUTH_SECRET: secret,
    ...redis.env,
    ...kafka.env,
    ...postgres.env,
    ...more,
  };
  const running: Running[] = [];
  const keep = async (started: Promise<Running>) => {
    const one = await started;
    running.push(one);
    return one;
  };
  return {
    redis,
    kafka,
    postgres,
    env,
    node: (extra: Env = {}) => keep(startNode({ ...env, ...extra })),
    consumer: (extra: Env = {}) => keep(startConsumer({ ...env, ...extra })),
    async close(): Promise<void> {
      await Promise.all(running.map((one) => one.kill()));
      await Promise.all([redis.dispose(), kafka.dispose(), postgres.dispose()]);
    },
  };
}

/** Clients over all nodes in new rooms, their views settled. */
export async function joinAll(nodes: readonly Running[], clientCount: number, roomCount: number) {
  const urls = nodes.map(({ url }) => url);
  const rooms = await makeRooms(urls[0] ?? "", roomCount);
  const clients = await Promise.all(
    Array.from({ length: clientCount }, (_, index) =>
      new TestClient(`c${index}`, urls, rooms, index).start(),
    ),
  );
  return { rooms, clients };
}
