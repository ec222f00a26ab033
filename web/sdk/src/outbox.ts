/** Messages of this user that are not known to be saved: kept with their id and `since`, also over a reload (K3). */
import type { ErrorBody } from "../../../functions/protocol.ts";
import type { Cancel } from "./runtime.ts";
import { memoryStorage, type ForeignChange, type OutboxStorage } from "./storage.ts";

/** `saved` entries stay only until the room's view shows their event. */
export type DeliveryState = "waiting" | "sent" | "saved" | "failed";

export interface OutboxEntry {
  readonly id: string;
  readonly room: string;
  readonly body: string;
  readonly replyTo?: string;
  /** The position that the client held when the message was written; the same in every retry. */
  readonly since: string;
  /** Whose message it is. */
  readonly userId: string;
  /** It was written under an identity that this user had before, so the server may know it as another's. */
  readonly isInherited?: boolean;
  /** When it was written, in milliseconds since 1970 on the server's clock. */
  readonly at: number;
  readonly state: DeliveryState;
  /** Why it failed. */
  readonly error?: Pick<ErrorBody, "code" | "message">;
}

export interface OutboxOptions {
  readonly storage: OutboxStorage;
  /** An entry is new, changed, or gone. */
  readonly onChange: (entry: OutboxEntry, isGone: boolean) => void;
  /** This page may send now, and all entries are here; or it may no longer. */
  readonly onTurn: (isMine: boolean) => void;
  /** An entry may be sent that is kept now, or that another page wants to be sent. */
  readonly onDue: (entry: OutboxEntry) => void;
  /** The storage failed; the outbox goes on in memory. */
  readonly onStorageFailed: (error: unknown) => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, OutboxEntry>();
  /** Entries whose last change is not known to be kept. */
  readonly #unkept = new Set<string>();
  #storage: OutboxStorage;
  #stopListening: Cancel;
  #endTurns: Cancel = () => {};
  #userId: string | undefined;
  #isMyTurn = false;
  /** What other pages did while this one was reading. */
  #held: ForeignChange[] | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#storage = options.storage;
    this.#stopListening = this.#storage.listen((change) => this.#onForeign(change));
  }

  get userId(): string | undefined {
    return this.#userId;
  }

  /** Whether it is this page that sends. */
  get isMyTurn(): boolean {
    return this.#isMyTurn;
  }

  /** Says whose messages these are. An earlier identity's messages become this one's. */
  use(userId: string): void {
    if (userId === this.#userId) return;
    this.#endTurns();
    this.#setTurn(false);
    this.#userId = userId;
    for (const entry of this.all()) this.put({ ...entry, userId, isInherited: true });
    this.#load(() => this.#takeTurns(userId));
  }

  close(): void {
    this.#endTurns();
    this.#stopListening();
    this.#storage.close();
  }

  get(id: string): OutboxEntry | undefined {
    return this.#entries.get(id);
  }

  /** Every entry, in the order in which they were written. */
  all(): readonly OutboxEntry[] {
    return [...this.#entries.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  ofRoom(room: string): readonly OutboxEntry[] {
    return this.all().filter((entry) => entry.room === room);
  }

  /** Takes a message that is to be sent, and calls `onDue` when it is kept. */
  add(entry: OutboxEntry): void {
    this.put(entry, () => this.#options.onDue(entry));
  }

  put(entry: OutboxEntry, onKept: () => void = () => {}): void {
    this.#entries.set(entry.id, entry);
    this.#unkept.add(entry.id);
    this.#options.onChange(entry, false);
    this.#write(this.#storage.put(entry), () => {
      if (this.#entries.get(entry.id) === entry) this.#unkept.delete(entry.id);
      onKept();
    });
  }

  remove(id: string): void {
    if (!this.#entries.has(id)) return;
    this.#write(this.#storage.remove(id));
    this.forget(id);
  }

  /** Drops an entry here, and leaves what is kept as it is. */
  forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#unkept.delete(id);
    this.#options.onChange(entry, true);
  }

  setState(id: string, state: Exclude<DeliveryState, "failed">): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state === state) return;
    const { error: _, ...rest } = entry;
    this.put({ ...rest, state });
  }

  setFailed(id: string, { code, message }: Pick<ErrorBody, "code" | "message">): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.put({ ...entry, state: "failed", error: { code, message } });
  }

  /** Who gets the turn reads again: what the page before it did may not have been heard here. */
  #takeTurns(userId: string): void {
    this.#endTurns = this.#storage.takeTurns(userId, (isMine) => {
      if (isMine) this.#load(() => this.#setTurn(true));
      else this.#setTurn(false);
    });
  }

  #setTurn(isMine: boolean): void {
    if (this.#isMyTurn === isMine) return;
    this.#isMyTurn = isMine;
    this.#options.onTurn(isMine);
  }

  #load(then: () => void): void {
    const userId = this.#userId ?? "";
    this.#held ??= [];
    const storage = this.#storage;
    const loaded = storage.load(userId);
    const take = (entries: readonly OutboxEntry[]) => {
      if (userId !== this.#userId || storage !== this.#storage) return;
      this.#take(entries);
      then();
    };
    if (!(loaded instanceof Promise)) take(loaded);
    else loaded.then(take, (error: unknown) => this.#onStorageFailed(storage, error));
  }

  #take(kept: readonly OutboxEntry[]): void {
    const ids = new Set(kept.map(({ id }) => id));
    for (const { id, state } of this.all())
      if (!ids.has(id) && !this.#unkept.has(id) && state !== "saved") this.forget(id);
    for (const entry of kept) if (!this.#unkept.has(entry.id)) this.#show(entry);
    const held = this.#held ?? [];
    this.#held = undefined;
    held.forEach((change) => this.#onForeign(change));
  }

  #write(done: Promise<void> | void, then: () => void = () => {}): void {
    if (done === undefined) return then();
    const storage = this.#storage;
    done.then(then, (error: unknown) => {
      this.#onStorageFailed(storage, error);
      then(); // sent all the same, from memory
    });
  }

  /** Without a storage each page sends what it holds. */
  #onStorageFailed(storage: OutboxStorage, error: unknown): void {
    if (storage !== this.#storage) return;
    this.#options.onStorageFailed(error);
    this.#endTurns();
    this.#stopListening();
    this.#storage.close();
    this.#storage = memoryStorage();
    this.#stopListening = () => {};
    for (const entry of this.#entries.values()) void this.#storage.put(entry);
    if (this.#userId !== undefined) this.#load(() => this.#setTurn(true));
  }

  #onForeign(change: ForeignChange): void {
    if (this.#held !== undefined) this.#held.push(change);
    else if (change.kind === "removed") this.forget(change.id);
    else if (change.entry.userId === this.#userId) this.#onForeignEntry(change.entry);
  }

  #onForeignEntry(entry: OutboxEntry): void {
    this.#show(entry);
    if (entry.state === "waiting") this.#options.onDue(entry);
  }

  #show(entry: OutboxEntry): void {
    this.#entries.set(entry.id, entry);
    this.#options.onChange(entry, false);
  }
}
