/** What became of this client's messages, remembered beyond their time in the outbox. */
import { ClientError } from "./errors.ts";
import type { DeliveryState, OutboxEntry } from "./outbox.ts";

/** How far an own message came. */
export interface Delivery {
  readonly id: string;
  readonly room: string;
  readonly state: DeliveryState | "cancelled";
  readonly error: OutboxEntry["error"];
}

/** Of so many messages that have left the outbox it is still known how they left. */
const REMEMBERED = 1_000;

export class Deliveries {
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #known = new Map<string, Delivery>();
  /** Messages that were given another id. */
  readonly #renamed = new Map<string, string>();

  constructor(onDelivery: (delivery: Delivery) => void) {
    this.#onDelivery = onDelivery;
  }

  rename(id: string, newId: string): void {
    this.#renamed.set(id, newId);
  }

  note({ id, room, state, error }: OutboxEntry, isGone: boolean): void {
    const known = this.#known.get(id);
    const next = isGone && state !== "saved" ? "cancelled" : state;
    if (known?.state === next || known?.state === "saved" || this.#renamed.has(id)) return;
    const delivery: Delivery = { id, room, state: next, error };
    this.#known.delete(id);
    this.#known.set(id, delivery);
    this.#trim();
    this.#onDelivery(delivery);
  }

  /** The message's delivery once it is saved, undefined while it is on its way. Throws when it will not be. */
  saved(id: string): Delivery | undefined {
    const delivery = this.#known.get(this.#newestId(id));
    if (delivery === undefined) throw new ClientError("no_message");
    const { state, error } = delivery;
    if (state === "cancelled") throw new ClientError("cancelled");
    if (state === "failed")
      throw new ClientError(error?.code ?? "internal", error?.message, { retriable: false });
    return state === "saved" ? delivery : undefined;
  }

  #newestId(id: string): string {
    const newId = this.#renamed.get(id);
    return newId === undefined ? id : this.#newestId(newId);
  }

  #trim(): void {
    const ended = [...this.#known.values()].filter(({ state }) => state === "saved" || state === "cancelled");
    for (const { id } of ended.slice(0, Math.max(0, ended.length - REMEMBERED))) this.#known.delete(id);
  }
}
