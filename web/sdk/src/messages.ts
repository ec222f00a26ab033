/** What a room shows: its events, and behind them this user's messages that are still on their way. Each once. Pure. */
import type { RoomEvent, User } from "../../../functions/protocol.ts";
import type { DeliveryState, OutboxEntry } from "./outbox.ts";
import { countBefore, type RoomView } from "./view.ts";

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
  readonly entries: ReadonlyMap<string, OutboxEntry>;
  readonly messages: readonly Message[];
}

/** Messages of `before` stay the same objects where nothing about them has changed; most of a long list is not even looked at. */
export function mergeMessages(
  events: readonly RoomEvent[],
  entries: ReadonlyMap<string, OutboxEntry>,
  me: User,
  before: Merged = NOTHING,
): readonly Message[] {
  const onTheWay = new Map(entries);
  const old = before.view?.events ?? [];
  if (events === old && entries.size + before.entries.size === 0) return before.messages;
  const added = Math.max(0, old[0] ? events.indexOf(old[0]) : 0);
  const messageOf = (event: RoomEvent, index: number) => {
    const delivery = deliveryOf(event, me, onTheWay.delete(event.id));
    const known = before.messages[index - added];
    const isKept = old[index - added] === event && known?.delivery === delivery;
    return known && isKept ? known : fromEvent(event, delivery);
  };
  const settled = countSettled(events, [...entries.values(), ...before.entries.values()]);
  let end = added;
  while (end < settled && events[end] === old[end - added]) end += 1;
  return events
    .slice(0, added)
    .map(messageOf)
    .concat(
      before.messages.slice(0, end - added),
      events.slice(end).map((event, index) => messageOf(event, end + index)),
      [...onTheWay.values()].map((entry) => fromEntry(entry, me)),
    );
}

const NOTHING: Merged = { view: undefined, entries: new Map(), messages: [] };

/** What is written comes after all that its writer saw: up to there the delivery is what it was. */
function countSettled(events: readonly RoomEvent[], entries: readonly OutboxEntry[]): number {
  const [since] = entries.map((entry) => entry.since).sort();
  return since === undefined ? events.length : countBefore(events, since);
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
