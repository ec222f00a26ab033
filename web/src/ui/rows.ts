/** The list's rows: a room's messages, grouped by author and time. Pure. */
import type { DeliveryState, Message, OutboxEntry, RoomSnapshot } from "@skat/client";

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

const GROUP_PAUSE_MS = 5 * 60_000;

/**
 * `heads` remembers which rows were the oldest shown: they stay the head of their run when older ones come before them, so that
 * no row on the screen changes its height.
 */
export function buildRows({ view, messages }: RoomSnapshot, me: Reader, heads: Set<string>): readonly Row[] {
  if (view === undefined) return [];
  if (messages[0] !== undefined) heads.add(messages[0].id);
  return messages.map((message, index) => toRow(message, messages[index - 1], view.complete, heads, me));
}

function toRow(
  { id, user, body, at, delivery, error }: Message,
  before: Message | undefined,
  isComplete: boolean,
  heads: Set<string>,
  me: Reader,
): Row {
  const isDayStart = before === undefined ? isComplete : dayOf(before.at) !== dayOf(at);
  const isHead =
    before === undefined ||
    isDayStart ||
    heads.has(id) ||
    before.user.id !== user.id ||
    at - before.at > GROUP_PAUSE_MS;
  const isOwn = user.id === me.id;
  return { id, userId: user.id, name: user.name, body, at, isOwn, delivery, error, isHead, isDayStart };
}

function dayOf(at: number): string {
  return new Date(at).toDateString();
}
