/** Real nodes and a consumer on the shared engines in a stage of their own, behind one address whose node can be changed. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { WebSocket } from "ws";
import type { TestEngines } from "../../../scripts/engines/acquire.ts";
import { startConsumer, startNode, type Running } from "../../../functions/test/harness.ts";
import { startTcpProxy } from "../../../functions/test/tcp-proxy.ts";
import { createApi, createClient, type Client, type ClientOptions, type HistoryPage } from "../src/index.ts";

export type NodeWorld = Awaited<ReturnType<typeof startNodeWorld>>;

export async function startNodeWorld({ redisUrl, kafkaBrokers, databaseUrl }: Required<TestEngines>) {
  const env = {
    STAGE: `sdk-${randomBytes(4).toString("hex")}`,
    AUTH_SECRET: randomBytes(32).toString("hex"),
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers,
    DATABASE_URL: databaseUrl,
    HEARTBEAT_MS: "1000",
  };
  const starting = [startNode(env), startNode(env), startConsumer(env)] as const;
  const [first, second, consumer] = await Promise.all(starting);
  const nodes: Running[] = [first, second];
  let turn = 0;
  const current = () => Number(new URL(nodes[turn]?.url ?? "").port);
  const proxy = await startTcpProxy(current);
  const url = `http://127.0.0.1:${proxy.port}`;
  const clients: Client[] = [];
  return {
    url,
    proxy,
    get node(): Running {
      const node = nodes[turn];
      if (node === undefined) throw new Error("No node is left.");
      return node;
    },
    /** The next connection goes to the next node. */
    turnToNext: () => void turn++,
    addNode: async () => void nodes.push(await startNode(env)),
    guest: (name: string) => createApi(url).guest(name),
    /** A connected guest. `at` is the address that it uses. */
    async client(name: string, at = url, options: Partial<ClientOptions> = {}): Promise<Client> {
      const { token, user } = await createApi(at).guest(name);
      const client = createClient({ url: at, token, user, WebSocket, ...options }).connect();
      clients.push(client);
      return client;
    },
    /** Redis forgets this stage, as if it had lost its memory. */
    async forget(): Promise<void> {
      const redis = new Redis(redisUrl);
      const keys = await redis.keys(`skat:${env.STAGE}:*`);
      if (keys.length > 0) await redis.del(keys);
      redis.disconnect();
    },
    async close(): Promise<void> {
      clients.forEach((client) => client.close());
      await proxy.close();
      await Promise.all([...nodes, consumer].map((one) => one.kill()));
    },
  };
}

/** Everything the room holds, by its history. */
export async function historyOf(client: Client, room: string): Promise<string[]> {
  const bodies: string[] = [];
  let before: string | undefined;
  for (;;) {
    const page: HistoryPage = await client.history(room, {
      limit: 200,
      ...(before === undefined ? {} : { before }),
    });
    bodies.unshift(...page.events.map(({ body }) => body));
    before = page.events[0]?.position;
    if (page.complete || before === undefined) return bodies;
  }
}

export function shown(client: Client, room: string): string[] {
  return (client.getSnapshot().rooms.get(room)?.messages ?? []).map(({ body }) => body);
}
