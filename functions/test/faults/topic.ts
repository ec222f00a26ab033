/** What the log holds: every record of a topic from its beginning to its end as it is now. */
import { randomUUID } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { decodeEvent } from "../../core/event.ts";
import type { RoomEvent } from "../../protocol.ts";
import { waitFor } from "../wait-for.ts";

/** The offsets that a group has committed, partition by partition. */
export async function committedOf(broker: string, groupId: string, topic: string): Promise<string[]> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return (answer?.partitions ?? []).map(({ partition, offset }) => `${partition}: ${offset}`).sort();
}

export async function readTopic(broker: string, topic: string): Promise<RoomEvent[]> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const total = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const events: RoomEvent[] = [];
  const consumer = kafka.consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => void events.push(decodeEvent(String(message.value))),
  });
  await waitFor(() => events.length >= total, `${total} records`, 60_000);
  await consumer.disconnect();
  return events;
}
