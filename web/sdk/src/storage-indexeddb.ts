/** The outbox in the browser's IndexedDB, shared by its tabs; a broadcast tells them of each other's changes. */
import type { OutboxEntry } from "./outbox.ts";
import type { Runtime } from "./runtime.ts";
import type { ForeignChange, OutboxStorage } from "./storage.ts";
import { lease, webLock, type Lease } from "./turn.ts";

const VERSION = 1;
const OUTBOX = "outbox";
const LEASES = "leases";

type Write = (store: IDBObjectStore) => void;

/** `name` is that of the database; pages with the same name share what they keep. */
export function indexedDbStorage(name: string, runtime: Runtime): OutboxStorage {
  const database = open(name);
  database.catch(() => {}); // whoever uses it is told
  const channel = new BroadcastChannel(name);

  const write = async (change: ForeignChange, run: Write): Promise<void> => {
    // Strict: the browser answers when the message is on the disk, not when it is in the system's cache.
    const transaction = (await database).transaction(OUTBOX, "readwrite", { durability: "strict" });
    run(transaction.objectStore(OUTBOX));
    await ended(transaction);
    channel.postMessage(change);
  };

  return {
    load: async (userId) => {
      const all = await answer((await database).transaction(OUTBOX).objectStore(OUTBOX).getAll());
      return all.filter(isEntry).filter((entry) => entry.userId === userId);
    },
    put: (entry) =>
      write({ kind: "put", entry }, (store) =>
        entry.state === "saved" ? store.delete(entry.id) : store.put(entry),
      ),
    remove: (id) => write({ kind: "removed", id }, (store) => store.delete(id)),
    listen: (listener) => {
      const listening = new AbortController();
      const onMessage = ({ data }: MessageEvent) => listener(data as ForeignChange);
      channel.addEventListener("message", onMessage, { signal: listening.signal });
      return () => listening.abort();
    },
    takeTurns: (userId, onTurn) => {
      const turn = `${name}:${userId}`;
      // Only pages from https or localhost have Web Locks.
      if ("locks" in navigator) return webLock(turn, onTurn);
      return lease(turn, runtime, (change) => changeLease(database, turn, change), onTurn);
    },
    close: () => {
      channel.close();
      void database.then(
        (opened) => opened.close(),
        () => {}, // never opened
      );
    },
  };
}

async function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, VERSION);
  request.addEventListener("upgradeneeded", () => {
    request.result.createObjectStore(OUTBOX, { keyPath: "id" });
    request.result.createObjectStore(LEASES);
  });
  return answer(request);
}

/** Reads and writes a lease as one step, which no other tab can come between. */
async function changeLease(
  database: Promise<IDBDatabase>,
  name: string,
  change: (held: Lease | undefined) => Lease | undefined,
): Promise<void> {
  const transaction = (await database).transaction(LEASES, "readwrite");
  const store = transaction.objectStore(LEASES);
  const held = await answer<Lease | undefined>(store.get(name) as IDBRequest<Lease | undefined>);
  const next = change(held);
  if (next === undefined) store.delete(name);
  else store.put(next, name);
  await ended(transaction);
}

function answer<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error as Error));
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error as Error));
  });
}

/** What a browser holds was written by any earlier version of the page: only what has an entry's shape is taken. */
function isEntry(value: unknown): value is OutboxEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Record<string, unknown>;
  const texts = ["id", "room", "body", "since", "userId", "state"];
  return texts.every((name) => typeof entry[name] === "string") && typeof entry["at"] === "number";
}
