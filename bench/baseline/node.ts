/**
 * The baseline's server: Socket.IO, its Redis adapter, and one Kafka record per message by one `send`.
 *
 * What a team would glue together with today's versions, without its usual mistakes: only the server that took a message produces
 * it, keyed by room, and an error ends nothing. There are no positions, no retries and no resume, which is what this saves.
 */
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Kafka, logLevel } from "kafkajs";
import { Server } from "socket.io";

interface Options {
  readonly port: number;
  readonly redisUrl: string;
  readonly brokers: string;
  readonly topic: string;
  /** Keeps what was missed for clients that come back. */
  readonly withRecovery: boolean;
}

const ROOM = "room";
const RECOVERY_MS = 120_000;

async function serve({ port, redisUrl, brokers, topic, withRecovery }: Options): Promise<void> {
  const http = createServer();
  const kafka = new Kafka({ brokers: brokers.split(","), clientId: "baseline", logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  const io = new Server(http, {
    transports: ["websocket"],
    ...(withRecovery
      ? recovering(redisUrl)
      : { adapter: createAdapter(new Redis(redisUrl), new Redis(redisUrl)) }),
  });
  // Sessions are noted in Redis when their connections end, for the server where they come back.
  process.once("SIGTERM", () => void io.close());
  io.on("connection", (socket) => {
    void socket.join(ROOM);
    socket.on("event:message", ({ message }: { message: string }) => {
      const value = JSON.stringify({ message });
      io.to(ROOM).emit("message", value);
      producer
        .send({ topic, acks: -1, messages: [{ key: ROOM, value }] })
        .catch((error: unknown) => console.error(error));
    });
  });
  http.listen(port, "127.0.0.1", () => console.log("listening"));
}

/** Of the adapters for Redis only the one on streams can recover on another server. */
function recovering(redisUrl: string) {
  return {
    adapter: createStreamsAdapter(new Redis(redisUrl)),
    connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS },
  };
}

await serve(JSON.parse(process.argv[2] ?? "") as Options);
