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

/** Makes a room's rows. Of a hundred thousand messages all are looked at each time, so a row stays the same object until something about it changes. */
export class RowBuilder {
  /** Rows that were the oldest shown stay the head of their run when older ones come before them: no row on the screen changes its height. */
  readonly #heads = new Set<string>();
  #byId = new Map<string, Message>();
  #myId = "";
  #messages: readonly Message[] = [];
  #rows: readonly Row[] = [];

  build({ view, messages }: RoomSnapshot, me: Reader, newFrom?: string): readonly Row[] {
    if (view === undefined) return [];
    if (messages[0] !== undefined) this.#heads.add(messages[0].id);
    const added = this.#countAdded(messages, me);
    this.#learn(messages, added);
    const firstNew = findFirstNew(messages, newFrom, me);
    const rows = messages.map((message, index) => {
      const isNewStart = message === firstNew;
      const replied = this.#answeredBy(message);
      const known = this.#rows[index - added];
      const isKept =
        index > 0 &&
        message === this.#messages[index - added] &&
        messages[index - 1] === this.#messages[index - added - 1] &&
        isNewStart === known?.isNewStart &&
        isSame(replied, known.replied);
      if (isKept) return known;
      const { complete } = view;
      return this.#makeRow(message, messages[index - 1], { me, complete, isNewStart, replied });
    });
    [this.#messages, this.#rows, this.#myId] = [messages, rows, me.id];
    return rows;
  }

  /** How many messages came before those of the last time; where these are gone, all is made anew. */
  #countAdded(messages: readonly Message[], me: Reader): number {
    const [oldest] = this.#messages;
    const added = oldest === undefined ? -1 : messages.indexOf(oldest);
    if (added !== -1 && me.id === this.#myId) return added;
    [this.#messages, this.#rows, this.#byId] = [[], [], new Map()];
    return 0;
  }

  #learn(messages: readonly Message[], added: number): void {
    for (const [index, message] of messages.entries())
      if (message !== this.#messages[index - added]) this.#byId.set(message.id, message);
  }

  #answeredBy({ replyTo }: Message): Replied | undefined {
    if (replyTo === undefined) return undefined;
    const answered = this.#byId.get(replyTo);
    return { name: answered?.user.name, body: answered?.body };
  }

  #makeRow(message: Message, before: Message | undefined, { me, complete, isNewStart, replied }: About): Row {
    const { id, user, body, at, delivery, error } = message;
    const isDayStart = before === undefined ? complete : !isSameDay(before.at, at);
    const isHead = isDayStart || isNewStart || this.#heads.has(id) || !continues(message, before);
    const isOwn = user.id === me.id;
    const [userId, name] = [user.id, user.name];
    return { id, userId, name, body, at, isOwn, delivery, error, isHead, isDayStart, isNewStart, replied };
  }
}

/** What a row shows besides its message. */
interface About {
  readonly me: Reader;
  readonly complete: boolean;
  readonly isNewStart: boolean;
  readonly replied: Replied | undefined;
}

function isSame(one: Replied | undefined, other: Replied | undefined): boolean {
  return one?.name === other?.name && one?.body === other?.body;
}

/** What is new is at the end. */
function findFirstNew(
  messages: readonly Message[],
  newFrom: string | undefined,
  me: Reader,
): Message | undefined {
  if (newFrom === undefined) return undefined;
  const lastRead = messages.findLastIndex(({ position }) => position !== undefined && position <= newFrom);
  return messages.slice(lastRead + 1).find((message) => isNew(message, newFrom, me));
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
