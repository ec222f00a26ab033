/** Messages as nodes would have left them: in the log, and in the streams of their rooms too where a row asks for that. */
import { randomBytes } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { KafkaEventLog } from "../functions/adapters/event-log-kafka.ts";
import { RedisRoomStream } from "../functions/adapters/room-stream-redis.ts";
import { systemRuntime } from "../functions/adapters/runtime-system.ts";
import { encodeAt, encodeDraft, encodeEvent } from "../functions/core/event.ts";
import { fromMs, next, toMs, ZERO, type Position } from "../functions/core/position.ts";
import { partitionOf } from "../functions/core/room-stream.ts";
import { uuidV7 } from "../functions/core/uuid.ts";
import { silentLogger } from "../functions/lib/logger.ts";
import type { RoomEvent } from "../functions/protocol.ts";
import type { BenchEngines } from "./engines.ts";
import type { Stage } from "./stage.ts";

const ROOMS = 20;
const AT_ONCE = 1_000;
const BODY = "x".repeat(150);

/** Messages of a few rooms, in the order of their positions. */
export function makeEvents(count: number): RoomEvent[] {
  const heads = new Map<string, Position>();
  let position = fromMs(Date.now());
  return Array.from({ length: count }, (_, index) => {
    const message = draftOf(index);
    const prev = heads.get(message.room) ?? ZERO;
    position = next(position);
    heads.set(message.room, position);
    return { type: "event", kind: "message", position, prev, at: toMs(position), ...message };
  });
}

function draftOf(index: number) {
  const room = `room-${index % ROOMS}`;
  return { room, id: uuidV7(systemRuntime), user: { id: "bench", name: "bench" }, body: BODY };
}

export async function fillLog(stage: Stage, count: number): Promise<number> {
  await appendAll(
    stage,
    makeEvents(count).map((event) => ({ room: event.room, value: encodeEvent(event) })),
  );
  return count;
}

export async function fillStreamsAndLog(stage: Stage, count: number): Promise<number> {
  const records = await appendToStreams(stage, count);
  await appendAll(stage, records);
  return count;
}

async function appendToStreams({ name, redis }: Stage, count: number) {
  const stream = new RedisRoomStream({ ...redis, stage: name, roomEntriesMax: count, onError: fail });
  await stream.ready();
  const fences = new Map<string, Awaited<ReturnType<RedisRoomStream["open"]>>>();
  const records: { room: string; value: string }[] = [];
  const append = async (index: number) => {
    const draft = encodeDraft(draftOf(index));
    const fence = fences.get(draft.room);
    if (!fence) throw new Error("the room's partition was not opened");
    const { position, prev } = await stream.append(draft, fence, ZERO);
    return { room: draft.room, value: encodeAt(draft, position, prev) };
  };
  for (let index = 0; index < ROOMS; index++) {
    const { room } = draftOf(index);
    const opening = { nowMs: Date.now(), floor: ZERO };
    fences.set(room, await stream.open(partitionOf(room), opening));
  }
  for (let start = 0; start < count; start += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, index) => start + index);
    records.push(...(await Promise.all(some.map(append))));
  }
  await stream.close();
  return records;
}

async function appendAll(
  { kafka }: Stage,
  records: readonly { room: string; value: string }[],
): Promise<void> {
  const log = new KafkaEventLog({ config: kafka, logger: silentLogger });
  for (let start = 0; start < records.length; start += AT_ONCE) {
    await log.append(records.slice(start, start + AT_ONCE));
  }
  await log.close();
}

/** As the baseline's server would have produced them; answers the topic. */
export async function fillBaselineLog({ brokers }: BenchEngines, count: number): Promise<string> {
  const topic = `baseline-${randomBytes(4).toString("hex")}`;
  const kafka = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic, numPartitions: 6 }] });
  const messages = Array.from({ length: count }, (_, index) => ({
    key: draftOf(index).room,
    value: JSON.stringify({ message: BODY }),
  }));
  await producer.send({ topic, acks: -1, messages });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
  return topic;
}

function fail(error: Error): never {
  throw error;
}
