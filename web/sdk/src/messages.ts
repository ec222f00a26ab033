/** What a room shows: its events, and behind them this user's messages that are still on their way. Each once. Pure. */
import type { RoomEvent, User } from "../../../functions/protocol.ts";
import type { DeliveryState, OutboxEntry } from "./outbox.ts";

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

export function mergeMessages(
  events: readonly RoomEvent[],
  entries: ReadonlyMap<string, OutboxEntry>,
  me: User,
): readonly Message[] {
  const onTheWay = new Map(entries);
  const shown = events.map((event) => fromEvent(event, me, onTheWay.delete(event.id)));
  for (const entry of onTheWay.values()) shown.push(fromEntry(entry, me));
  return shown;
}

/** An own message that is shown and in no outbox is saved: entries leave it only then. */
function fromEvent(event: RoomEvent, me: User, isInOutbox: boolean): Message {
  const { id, user, body, replyTo, at, position } = event;
  const delivery = user.id !== me.id ? undefined : isInOutbox ? "sent" : "saved";
  return { id, user, body, replyTo, at, position, delivery, error: undefined };
}

function fromEntry({ id, body, replyTo, at, state, error }: OutboxEntry, user: User): Message {
  return { id, user, body, replyTo, at, position: undefined, delivery: state, error };
}
