/** The list's rows: a room's events and this client's unsent messages, grouped by author and time. Pure. */
import type { RoomEvent } from "../../../functions/protocol.ts";
import type { RoomSnapshot } from "../client/chat.ts";
import type { DeliveryState, OutboxEntry } from "../client/outbox.ts";

export interface Row {
  /** The message's id: the row stays the same from writing to `saved`. */
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly body: string;
  readonly at: number;
  readonly isOwn: boolean;
  /** Of own messages only. */
  readonly delivery: DeliveryState | undefined;
  readonly error: OutboxEntry["error"];
  /** The first of a run of messages by one author. */
  readonly isHead: boolean;
  /** The first of its day. */
  readonly isDayStart: boolean;
}

export interface Reader {
  readonly id: string;
  readonly name: string;
}

type Message = Omit<Row, "isHead" | "isDayStart">;

const GROUP_PAUSE_MS = 5 * 60_000;

/**
 * `heads` remembers which rows were the oldest shown: they stay the head of their run when older ones come before them, so that
 * no row on the screen changes its height.
 */
export function buildRows({ view, entries }: RoomSnapshot, me: Reader, heads: Set<string>): readonly Row[] {
  if (view === undefined) return [];
  const shown = view.events.map((event) => fromEvent(event, me, entries.get(event.id)));
  const ids = new Set(view.events.map(({ id }) => id));
  const outgoing = [...entries.values()]
    .filter(({ id }) => !ids.has(id))
    .map((entry) => fromEntry(entry, me));
  const messages = [...shown, ...outgoing];
  if (messages[0] !== undefined) heads.add(messages[0].id);
  return messages.map((message, index) => toRow(message, messages[index - 1], view.complete, heads));
}

function toRow(message: Message, before: Message | undefined, isComplete: boolean, heads: Set<string>): Row {
  const isDayStart = before === undefined ? isComplete : dayOf(before.at) !== dayOf(message.at);
  const isHead =
    before === undefined ||
    isDayStart ||
    heads.has(message.id) ||
    before.userId !== message.userId ||
    message.at - before.at > GROUP_PAUSE_MS;
  return { ...message, isHead, isDayStart };
}

/** An own message that is shown and in no outbox of this browser is saved: entries leave it only then. */
function fromEvent({ id, user, body, at }: RoomEvent, me: Reader, entry: OutboxEntry | undefined): Message {
  const isOwn = user.id === me.id;
  const delivery = !isOwn ? undefined : entry === undefined ? "saved" : "sent";
  return { id, userId: user.id, name: user.name, body, at, isOwn, delivery, error: undefined };
}

function fromEntry({ id, body, at, state, error }: OutboxEntry, me: Reader): Message {
  return { id, userId: me.id, name: me.name, body, at, isOwn: true, delivery: state, error };
}

function dayOf(at: number): string {
  return new Date(at).toDateString();
}
