/** What a browser knows about the network: a laptop that wakes or a network that returns need not wait for the next attempt. */
import type { Cancel } from "./runtime.ts";

/** Calls `onHint` when the network came or went, and when the page comes back into view. Without a browser: never. */
export function watchHints(onHint: () => void): Cancel {
  const { document } = globalThis as { document?: Document };
  if (document === undefined) return () => {};
  const listening = new AbortController();
  const { signal } = listening;
  addEventListener("online", onHint, { signal });
  addEventListener("offline", onHint, { signal });
  const onVisibility = () => {
    if (document.visibilityState === "visible") onHint();
  };
  document.addEventListener("visibilitychange", onVisibility, { signal });
  return () => listening.abort();
}
