/** The simulated engines keep the contracts that the real ones keep: else what runs on them proves nothing. */
import { systemRuntime } from "../../adapters/runtime-system.ts";
import { describeDurableLog, describeEventLog, type LogWorld } from "../event-log-contract.ts";
import { describeRoomStream, type StreamWorld, type StreamWorldOptions } from "../room-stream-contract.ts";
import { describeRoomStore } from "../room-store-contract.ts";
import { describeStore } from "../store-contract.ts";
import { SimulatedKafka } from "./kafka.ts";
import type { Link } from "./link.ts";
import { SimulatedPostgres } from "./postgres.ts";
import { SimulatedRedis, type RedisConnection } from "./redis.ts";

const world = systemRuntime;

describeRoomStream("simulated", async (options?: StreamWorldOptions): Promise<StreamWorld> => {
  const redis = new SimulatedRedis({ world, latencyMs: 0, ...options });
  const connections: RedisConnection[] = [];
  return {
    connect: async () => {
      const connection = redis.connect(systemRuntime);
      connections.push(connection);
      return connection;
    },
    flush: async () => redis.memory.flush(),
    cut: async () => [...redis.links].forEach((link) => link.cut()),
    restart: async () => redis.restart(),
    snapshot: async () => {
      const contents = redis.memory.snapshot();
      return async () => redis.restart(contents);
    },
    close: async () => connections.forEach((connection) => connection.close()),
  };
});

async function createLogWorld(): Promise<LogWorld> {
  const kafka = new SimulatedKafka({ world, latencyMs: 0, stage: "test" });
  const closes: (() => Promise<void>)[] = [];
  const links: Link[] = [];
  const connect = () => {
    const connection = kafka.connect(systemRuntime, `member ${links.length}`);
    links.push(connection.link);
    return connection;
  };
  return {
    stage: "test",
    openLog: () => connect().log,
    openConsumer: () => {
      const { consumer } = connect();
      closes.push(() => consumer.close());
      return consumer;
    },
    openDeadLetters: () => connect().deadLetters,
    close: async () => {
      await Promise.all(closes.map((close) => close()));
      for (const link of links) link.close();
    },
  };
}

describeEventLog("simulated", createLogWorld);
describeDurableLog("simulated", createLogWorld);

const openStore = async () => new SimulatedPostgres({ world, latencyMs: 0 }).connect(systemRuntime).store;
describeStore("simulated", openStore);
describeRoomStore("simulated", openStore);
