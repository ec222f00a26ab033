/** The baseline's consumer: one record at a time into one row, by Prisma's `create`. */
import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { openPostgres } from "../../functions/adapters/postgres-client.ts";

interface Options {
  readonly databaseUrl: string;
  /** With the project's tables in it. */
  readonly schema: string;
  readonly brokers: string;
  readonly topic: string;
}

async function consume({ databaseUrl, schema, brokers, topic }: Options): Promise<void> {
  const { prisma } = openPostgres({
    url: databaseUrl,
    schema,
    poolMax: 5,
    statementTimeoutMs: 10_000,
  });
  const kafka = new Kafka({ brokers: brokers.split(","), clientId: "baseline", logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: "baseline" });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let position = 0n;
  await consumer.run({
    eachMessage: async ({ message }) => {
      const { message: body } = JSON.parse(message.value?.toString() ?? "{}") as { message: string };
      position++;
      await prisma.event.create({
        data: {
          kind: "message",
          room: "baseline",
          id: randomUUID(),
          position,
          prev: position - 1n,
          userId: "u",
          userName: "u",
          body,
        },
      });
    },
  });
  console.log("consuming");
}

await consume(JSON.parse(process.argv[2] ?? "") as Options);
