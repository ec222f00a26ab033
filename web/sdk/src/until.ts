/** A promise of what will be true: asked at once and after each change, until it answers, throws, or the caller gives up. */
import type { Cancel } from "./runtime.ts";

/** `ask` answers undefined while there is no answer yet, and throws when there will be none. */
export function until<Answer>(
  ask: () => Answer | undefined,
  onChange: (listener: () => void) => Cancel,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let stop: Cancel = () => {};
    const end = (finish: () => void) => {
      stop();
      signal?.removeEventListener("abort", abort);
      finish();
    };
    const abort = () => end(() => reject(signal?.reason as Error));
    const check = () => {
      try {
        const answer = ask();
        if (answer !== undefined) end(() => resolve(answer));
      } catch (error) {
        end(() => reject(error as Error));
      }
    };
    if (signal?.aborted === true) return abort();
    signal?.addEventListener("abort", abort);
    stop = onChange(check);
    check();
  });
}
