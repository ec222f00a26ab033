/** Small steps with what kafkajs hands over: a header's text, a commit. */
import type { EachBatchPayload, KafkaMessage } from "kafkajs";

/** The first one of that name. */
export function headerOf({ headers }: KafkaMessage, name: string): string | undefined {
  const value = headers?.[name];
  return (Array.isArray(value) ? value[0] : value)?.toString();
}

/**
 * By the payload: `consumer.commitOffsets` ends the consumer for good when the group has changed. Resolved only after the
 * commit: after one that failed, the records come again and so does their commit, also when nothing new is written.
 */
export async function commitUpTo(
  { batch, commitOffsetsIfNecessary, resolveOffset }: EachBatchPayload,
  lastOffset: string,
): Promise<void> {
  const offset = String(BigInt(lastOffset) + 1n);
  const partitions = [{ partition: batch.partition, offset }];
  await commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
  resolveOffset(lastOffset);
}
