/**
 * Port: a word to every node that rooms or members have changed, so that each looks at once.
 *
 * At most once, and empty: what changed is in the store, and a node that hears nothing looks there by itself in time.
 */
export interface Notices {
  /** Reaches every node, also this one. Rejects with `unavailable` when it was not sent. */
  announce(): Promise<void>;
  /** Called once. */
  onNotice(listener: () => void): void;
}
