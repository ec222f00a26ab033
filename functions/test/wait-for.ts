/** Waits for a condition instead of for time, with a deadline that says what did not come. */
import { setTimeout as sleep } from "node:timers/promises";

/** The condition's first truthy value. */
export async function waitFor<T>(
  condition: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  what: string,
  deadlineMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await sleep(10);
  }
}

const BACK_MS = 60_000;

/** The first answer that is not that an engine is away: a client asks again. */
export function answered<Answer extends { readonly status: number }>(
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const answer = async () => {
    const each = await ask();
    return each.status === 503 ? undefined : each;
  };
  return waitFor(answer, "an engine to be back", BACK_MS);
}
