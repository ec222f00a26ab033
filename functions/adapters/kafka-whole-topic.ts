/** Reads a topic from its beginning to where it ends now, as a group of its own that commits nothing and so leaves nothing behind. */
import type { EachBatchPayload, KafkaMessage } from "kafkajs";
import type { LogProgress } from "../core/event-log.ts";
import { sleep } from "../core/runtime.ts";
import { ChatError } from "../lib/errors.ts";
import { KafkaProgress } from "./kafka-progress.ts";
import { KafkaReader, type KafkaReaderOptions } from "./kafka-reader.ts";

const POLL_MS = 20;
/** Nothing more was read for this long: longer than a group takes to form, also after a fault. */
const STALL_MS = 30_000;

/** A message can be given more than once. Rejects with `ChatError("unavailable")` where Kafka does not answer. */
export async function readWholeTopic(
  options: KafkaReaderOptions,
  take: (partition: number, message: KafkaMessage) => void,
): Promise<void> {
  const ends = await endsOf(options);
  if (ends.size === 0) return;
  const reader = new KafkaReader(options);
  const read = new Map<number, bigint>();
  reader.start(async ({ batch, resolveOffset }: EachBatchPayload) => {
    for (const message of batch.messages) take(batch.partition, message);
    resolveOffset(batch.lastOffset());
    read.set(batch.partition, BigInt(batch.lastOffset()) + 1n);
  });
  try {
    await untilRead(options, read, ends);
  } finally {
    await reader.close();
  }
}

/** Where each partition that holds something ends. */
async function endsOf({ config, topic, groupId, logger }: KafkaReaderOptions): Promise<Map<number, bigint>> {
  const progress = new KafkaProgress(config, topic, groupId, logger);
  try {
    // A group that never committed stands at the oldest record.
    const held = (await progress.read()).filter(({ end, committed }: LogProgress) => end > committed);
    return new Map(held.map(({ partition, end }) => [partition, end]));
  } finally {
    await progress.close();
  }
}

async function untilRead(
  { runtime }: KafkaReaderOptions,
  read: ReadonlyMap<number, bigint>,
  ends: ReadonlyMap<number, bigint>,
): Promise<void> {
  const total = () => [...read.values()].reduce((sum, offset) => sum + offset, 0n);
  const isDone = () => [...ends].every(([partition, end]) => (read.get(partition) ?? 0n) >= end);
  let before = total();
  for (let movedAtMs = runtime.elapsed(); !isDone(); await sleep(runtime, POLL_MS)) {
    if (total() !== before) movedAtMs = runtime.elapsed();
    before = total();
    if (runtime.elapsed() - movedAtMs > STALL_MS)
      throw new ChatError("unavailable", "The log does not answer.");
  }
}
