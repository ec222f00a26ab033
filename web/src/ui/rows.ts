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

/**
 * `heads` remembers which rows were the oldest shown: they stay the head of their run when older ones come before them, so that
 * no row on the screen changes its height.
 */
export function buildRows(
  { view, messages }: RoomSnapshot,
  me: Reader,
  heads: Set<string>,
  newFrom?: string,
): readonly Row[] {
  if (view === undefined) return [];
  if (messages[0] !== undefined) heads.add(messages[0].id);
  const byId = new Map(messages.map((message) => [message.id, message]));
  const isNew = ({ position = "", user }: Message) =>
    newFrom !== undefined && position > newFrom && user.id !== me.id;
  const firstNew = messages.find(isNew);
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const isNewStart = message === firstNew;
    const isDayStart = before === undefined ? view.complete : dayOf(before.at) !== dayOf(message.at);
    const isHead = isDayStart || isNewStart || heads.has(message.id) || !continues(message, before);
    return { ...toRow(message, byId, me), isDayStart, isNewStart, isHead };
  });
}

/** Whether the message goes on with what its author said just before. */
function continues({ user, at }: Message, before: Message | undefined): boolean {
  return before !== undefined && before.user.id === user.id && at - before.at <= GROUP_PAUSE_MS;
}

function toRow(message: Message, byId: ReadonlyMap<string, Message>, me: Reader) {
  const { id, user, body, at, delivery, error, replyTo } = message;
  const answered = replyTo === undefined ? undefined : byId.get(replyTo);
  const replied = replyTo === undefined ? undefined : { name: answered?.user.name, body: answered?.body };
  return {
    id,
    userId: user.id,
    name: user.name,
    body,
    at,
    isOwn: user.id === me.id,
    delivery,
    error,
    replied,
  };
}

function dayOf(at: number): string {
  return new Date(at).toDateString();
}
