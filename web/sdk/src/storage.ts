/**
 * Port: where messages outlive their page until they are saved, and which of several pages sends them.
 *
 * All pages of one user share one storage. Writes of one page take effect in the order of their calls. A storage that
 * answers at once does so without a promise, so that a simulation stays in step; a rejected promise means that nothing
 * was kept.
 */
import type { OutboxEntry } from "./outbox.ts";
import type { Cancel } from "./runtime.ts";

/** What another page did to an entry. */
export type ForeignChange =
  { readonly kind: "put"; readonly entry: OutboxEntry } | { readonly kind: "removed"; readonly id: string };

export interface OutboxStorage {
  /** The entries that this user wrote, in any order. */
  load(userId: string): Promise<readonly OutboxEntry[]> | readonly OutboxEntry[];
  /** Keeps the entry and tells the other pages. One that is `saved` is told of and kept no longer. */
  put(entry: OutboxEntry): Promise<void> | void;
  remove(id: string): Promise<void> | void;
  /** Tells what other pages do, each change after it was kept. */
  listen(listener: (change: ForeignChange) => void): Cancel;
  /**
   * Asks for the turn to send what the user wrote: `onTurn(true)` when this page has it, `onTurn(false)` when it lost it.
   * Of all pages one has it; when that ends or crashes, another gets it.
   */
  takeTurns(userId: string, onTurn: (isMine: boolean) => void): Cancel;
  close(): void;
}

/** Keeps nothing beyond the process, which is alone. */
export function memoryStorage(): OutboxStorage {
  const kept = new Map<string, OutboxEntry>();
  return {
    load: (userId) => [...kept.values()].filter((entry) => entry.userId === userId),
    put: (entry) => {
      if (entry.state === "saved") kept.delete(entry.id);
      else kept.set(entry.id, entry);
    },
    remove: (id) => void kept.delete(id),
    listen: () => () => {},
    takeTurns: (_userId, onTurn) => {
      onTurn(true);
      return () => {};
    },
    close: () => {},
  };
}
