/** What a room shows: its events, and behind them this user's messages that are still on their way. Each once. Pure. */
import type { RoomEvent, User } from "../../../functions/protocol.ts";
import type { DeliveryState, OutboxEntry } from "./outbox.ts";
import type { RoomView } from "./view.ts";

export interface Message {
  readonly id: string;
  readonly user: User;
  readonly body: string;
  readonly replyTo: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its place in the room; none while it is on its way. */
  readonly position: string | undefined;
  /** How far an own message came; none for those of others. */
  readonly delivery: DeliveryState | undefined;
  /** Why it failed. */
  readonly error: OutboxEntry["error"];
}

/** A list as it was before. */
export interface Merged {
  readonly view: Pick<RoomView, "events"> | undefined;
  readonly messages: readonly Message[];
}

/** Messages of `before` stay the same objects where nothing about them has changed. */
export function mergeMessages(
  events: readonly RoomEvent[],
  entries: ReadonlyMap<string, OutboxEntry>,
  me: User,
  before?: Merged,
): readonly Message[] {
  const onTheWay = new Map(entries);
  const old = before?.view?.events ?? [];
  const added = old[0] ? events.indexOf(old[0]) : 0;
  const shown = events.map((event, index) => {
    const isInOutbox = onTheWay.size > 0 && onTheWay.delete(event.id);
    const delivery = deliveryOf(event, me, isInOutbox);
    const known = before?.messages[index - added];
    const isKept = old[index - added] === event && known?.delivery === delivery;
    return known && isKept ? known : fromEvent(event, delivery);
  });
  for (const entry of onTheWay.values()) shown.push(fromEntry(entry, me));
  return shown;
}

/** An own message that is shown and in no outbox is saved: entries leave it only then. */
function deliveryOf({ user }: RoomEvent, me: User, isInOutbox: boolean): Message["delivery"] {
  if (user.id !== me.id) return undefined;
  return isInOutbox ? "sent" : "saved";
}

function fromEvent(event: RoomEvent, delivery: Message["delivery"]): Message {
  const { id, user, body, replyTo, at, position } = event;
  return { id, user, body, replyTo, at, position, delivery, error: undefined };
}

function fromEntry({ id, body, replyTo, at, state, error }: OutboxEntry, user: User): Message {
  return { id, user, body, replyTo, at, position: undefined, delivery: state, error };
}
