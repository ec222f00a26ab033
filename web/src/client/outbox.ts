/** Messages of this client that are not known to be saved: kept with their id and `since`, also over a reload (K3). */
import type { ErrorBody } from "../../../functions/protocol.ts";

/** `saved` entries stay only until the room's view shows their event. */
export type DeliveryState = "waiting" | "sent" | "saved" | "failed";

export interface OutboxEntry {
  readonly id: string;
  readonly room: string;
  readonly body: string;
  /** The position that the client held when the message was written; the same in every retry. */
  readonly since: string;
  /** Who wrote it. */
  readonly userId: string;
  /** When it was written, in ms since 1970 on the server's clock. */
  readonly at: number;
  readonly state: DeliveryState;
  readonly error?: Pick<ErrorBody, "code" | "message">;
}

/** Where entries outlive the page. All tabs of a browser share one store. */
export interface OutboxStore {
  load(): readonly OutboxEntry[];
  put(entry: OutboxEntry): void;
  remove(id: string): void;
  /** Tells what other tabs did: an entry, or the id of a removed one. */
  onForeignChange(listener: (change: OutboxEntry | string) => void): void;
}

export class Outbox {
  readonly #store: OutboxStore;
  readonly #onChange: () => void;
  readonly #entries = new Map<string, OutboxEntry>();

  constructor(store: OutboxStore, onChange: () => void) {
    this.#store = store;
    this.#onChange = onChange;
    const byId = [...store.load()].sort((one, other) => (one.id < other.id ? -1 : 1));
    for (const entry of byId) this.#entries.set(entry.id, entry);
    store.onForeignChange((change) => this.#onForeign(change));
  }

  get(id: string): OutboxEntry | undefined {
    return this.#entries.get(id);
  }

  /** Every entry, in the order in which they were written. */
  all(): readonly OutboxEntry[] {
    return [...this.#entries.values()];
  }

  ofRoom(room: string): readonly OutboxEntry[] {
    return this.all().filter((entry) => entry.room === room);
  }

  put(entry: OutboxEntry): void {
    this.#entries.set(entry.id, entry);
    if (entry.state === "saved") this.#store.remove(entry.id);
    else this.#store.put(entry);
    this.#onChange();
  }

  remove(id: string): void {
    if (!this.#entries.delete(id)) return;
    this.#store.remove(id);
    this.#onChange();
  }

  setState(id: string, state: Exclude<DeliveryState, "failed">): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state === state) return;
    const { error: _, ...rest } = entry;
    this.put({ ...rest, state });
  }

  setFailed(id: string, { code, message }: ErrorBody): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.put({ ...entry, state: "failed", error: { code, message } });
  }

  /** What another tab removed was saved or given up there; the view tells which. */
  #onForeign(change: OutboxEntry | string): void {
    if (typeof change === "string") this.#entries.delete(change);
    else this.#entries.set(change.id, change);
    this.#onChange();
  }
}
