/** Brings dead letters back: appended to the log once more, for a consumer that may know better by now. */
import type { DeadLetters, EventLog, KeptLetter } from "./event-log.ts";

/**
 * One after the other, each removed once the log has it; the first that fails ends it. One that dies in between is
 * appended twice, which the store's key by message id makes harmless (G2).
 */
export async function replayLetters(
  letters: readonly KeptLetter[],
  deadLetters: DeadLetters,
  log: EventLog,
): Promise<void> {
  for (const { id, key, value } of letters) {
    await log.append([{ room: roomOf(key), value }]);
    await deadLetters.remove([id], "replayed");
  }
}

/** A key is `<stage>/<room>`, or the room alone. */
export function roomOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}
