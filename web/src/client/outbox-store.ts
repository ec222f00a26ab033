/** The outbox in the browser's local storage: one key for each entry, so that tabs never overwrite each other's. */
import type { OutboxEntry, OutboxStore } from "./outbox.ts";

const PREFIX = "skat.outbox.";

export function createOutboxStore(storage: Storage, tab: Window): OutboxStore {
  return {
    load: () =>
      Object.keys(storage)
        .filter((key) => key.startsWith(PREFIX))
        .flatMap((key) => parseEntry(storage.getItem(key))),
    put: (entry) => {
      try {
        storage.setItem(PREFIX + entry.id, JSON.stringify(entry));
      } catch (error) {
        // Full or forbidden storage: the entry still lives in memory, it only won't outlive the page.
        console.warn("A message could not be kept for a reload.", error);
      }
    },
    remove: (id) => storage.removeItem(PREFIX + id),
    onForeignChange: (listener) =>
      tab.addEventListener("storage", ({ key, newValue }) => {
        if (key === null || !key.startsWith(PREFIX)) return;
        if (newValue === null) listener(key.slice(PREFIX.length));
        else parseEntry(newValue).forEach(listener);
      }),
  };
}

/** What a browser holds was written by any earlier version of the page: only what has an entry's shape is taken. */
function parseEntry(text: string | null): readonly OutboxEntry[] {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return isEntry(value) ? [value] : [];
  } catch (error) {
    console.warn("A kept message could not be read.", error);
    return [];
  }
}

function isEntry(value: unknown): value is OutboxEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Record<string, unknown>;
  const texts = ["id", "room", "body", "since", "userId", "state"];
  return texts.every((name) => typeof entry[name] === "string") && typeof entry["at"] === "number";
}
