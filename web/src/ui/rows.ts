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
  /** The first that was not seen before. */
  readonly isNewStart: boolean;
  /** The message that this one answers: without a text where it is not shown. */
  readonly replied: Replied | undefined;
}

export interface Replied {
  readonly name: string | undefined;
  readonly body: string | undefined;
}

export interface Reader {
  readonly id: string;
  readonly name: string;
}

const GROUP_PAUSE_MS = 5 * 60_000;
/** The longest day has an hour more, and its last hour is another date by then. */
const DAY_MS = 25 * 60 * 60_000;

/**
 * `heads` remembers which rows were the oldest shown: they stay the head of their run when older ones come before them, so that
 * no row on the screen changes its height. Of a hundred thousand messages all are looked at each time, so little is done for each.
 */
export function buildRows(
  { view, messages }: RoomSnapshot,
  me: Reader,
  heads: Set<string>,
  newFrom?: string,
): readonly Row[] {
  if (view === undefined) return [];
  if (messages[0] !== undefined) heads.add(messages[0].id);
  const firstNew =
    newFrom === undefined ? undefined : messages.find((message) => isNew(message, newFrom, me));
  let byId: ReadonlyMap<string, Message> | undefined;
  const answeredBy = ({ replyTo }: Message): Replied | undefined => {
    if (replyTo === undefined) return undefined;
    byId ??= new Map(messages.map((message) => [message.id, message]));
    const answered = byId.get(replyTo);
    return { name: answered?.user.name, body: answered?.body };
  };
  return messages.map((message, index): Row => {
    const before = messages[index - 1];
    const isNewStart = message === firstNew;
    const isDayStart = before === undefined ? view.complete : !isSameDay(before.at, message.at);
    const { id, user, body, at, delivery, error } = message;
    return {
      id,
      userId: user.id,
      name: user.name,
      body,
      at,
      isOwn: user.id === me.id,
      delivery,
      error,
      isHead: isDayStart || isNewStart || heads.has(id) || !continues(message, before),
      isDayStart,
      isNewStart,
      replied: answeredBy(message),
    };
  });
}

function isNew({ position = "", user }: Message, newFrom: string, me: Reader): boolean {
  return position > newFrom && user.id !== me.id;
}

/** Whether the message goes on with what its author said just before. */
function continues({ user, at }: Message, before: Message | undefined): boolean {
  return before !== undefined && before.user.id === user.id && at - before.at <= GROUP_PAUSE_MS;
}

function isSameDay(one: number, other: number): boolean {
  return Math.abs(other - one) < DAY_MS && new Date(one).getDate() === new Date(other).getDate();
}
