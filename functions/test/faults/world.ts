/** Private engines with nodes and consumers on them, as deployed, and their end. */
import { randomBytes } from "node:crypto";
import { startKafka } from "../../../scripts/engines/kafka.ts";
import { startPostgres } from "../../../scripts/engines/postgres.ts";
import { startRedis } from "../../../scripts/engines/redis.ts";
import { Person } from "../api-client.ts";
import { startConsumer, startNode, makeRooms, type Env, type Running } from "../harness.ts";
import { startTcpProxy } from "../tcp-proxy.ts";
import { TestClient } from "../test-client.ts";

export type World = Awaited<ReturnType<typeof startWorld>>;

/** Nodes and consumers reach each engine through a proxy of its own. */
export async function startWorld(stage: string, more: Env = {}) {
  const ports = { redis: 0, kafka: 0, postgres: 0 };
  const proxies = {
    redis: await startTcpProxy(() => ports.redis),
    kafka: await startTcpProxy(() => ports.kafka),
    postgres: await startTcpProxy(() => ports.postgres),
  };
  const brokers = `127.0.0.1:${proxies.kafka.port}`;
  const [redis, kafka, postgres] = await Promise.all([
    startRedis({ persistence: "aof" }),
    // Clients follow the address that a broker names, so it must name the proxy.
    startKafka({ properties: { "advertised.listeners": `PLAINTEXT://${brokers}` } }),
    startPostgres(),
  ]);
  Object.assign(ports, { redis: redis.port, kafka: kafka.port, postgres: postgres.port });
  const env: Env = {
    STAGE: stage,
    AUTH_SECRET: randomBytes(32).toString("hex"),
    REDIS_URL: `redis://127.0.0.1:${proxies.redis.port}`,
    KAFKA_BROKERS: brokers,
    DATABASE_URL: postgres.url.replace(`:${postgres.port}/`, `:${proxies.postgres.port}/`),
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
    proxies,
    env,
    node: (extra: Env = {}) => keep(startNode({ ...env, ...extra })),
    consumer: (extra: Env = {}) => keep(startConsumer({ ...env, ...extra })),
    async close(): Promise<void> {
      await Promise.all(running.map((one) => one.kill()));
      await Promise.all([redis.dispose(), kafka.dispose(), postgres.dispose()]);
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
    },
  };
}

/** Clients over all nodes in new rooms, their views settled. */
export async function joinAll(
  nodes: readonly Pick<Running, "url">[],
  clientCount: number,
  roomCount: number,
) {
  const urls = nodes.map(({ url }) => url);
  const owner = await Person.on(urls, "maker");
  const rooms = await makeRooms(urls[0] ?? "", roomCount, owner);
  const clients = await Promise.all(
    Array.from({ length: clientCount }, (_, index) =>
      new TestClient(`c${index}`, urls, rooms, index).start(),
    ),
  );
  return { rooms, clients, owner };
}
