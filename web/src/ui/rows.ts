/** The list's rows: a room's messages, grouped by author and time. Made as they are drawn, for of a long room few are. Pure. */
import type { Message, RoomSnapshot } from "@skat/client";
import { countUpTo } from "../unread.ts";

export interface Row {
  readonly message: Message;
  readonly isOwn: boolean;
  /** The first of a run of messages by one author. */
  readonly isHead: boolean;
  /** The first of its day. */
  readonly isDayStart: boolean;
  /** The first that was not seen before. */
  readonly isNewStart: boolean;
  /** The message that this one answers, where it is loaded. */
  readonly answered: Message | undefined;
}

export interface Rows {
  readonly messages: readonly Message[];
  readonly at: (message: Message, index: number) => Row;
}

export type Shown = Pick<RoomSnapshot, "view" | "messages">;

export interface Reader {
  readonly id: string;
  readonly name: string;
}

const GROUP_PAUSE_MS = 5 * 60_000;
/** The longest day has an hour more, and its last hour is another date by then. */
const DAY_MS = 25 * 60 * 60_000;

/** Remembers of a room what its rows need of each other. */
export class RowBuilder {
  /** Rows that were the oldest shown stay the head of their run when older ones come before them: no row on the screen changes its height. */
  readonly #heads = new Set<string>();
  readonly #byId = new Map<string, Message>();
  #messages: readonly Message[] = [];

  build({ view, messages }: Shown, me: Reader, newFrom?: string): Rows {
    const shown = view === undefined ? [] : messages;
    if (shown[0] !== undefined) this.#heads.add(shown[0].id);
    this.#learn(shown);
    const firstNew = findFirstNew(shown, newFrom, me);
    return {
      messages: shown,
      at: (message, index) => {
        const before = shown[index - 1];
        const isNewStart = message === firstNew;
        const isDayStart = before ? !isSameDay(before.at, message.at) : view?.complete === true;
        const isHead = isDayStart || isNewStart || this.#heads.has(message.id) || !continues(message, before);
        const answered = message.replyTo === undefined ? undefined : this.#byId.get(message.replyTo);
        return { message, isOwn: message.user.id === me.id, isHead, isDayStart, isNewStart, answered };
      },
    };
  }

  /** Of messages that were there the last time none is looked into. */
  #learn(messages: readonly Message[]): void {
    const [oldest] = this.#messages;
    const added = oldest === undefined ? -1 : messages.indexOf(oldest);
    const old = added === -1 ? [] : this.#messages;
    if (added === -1) this.#byId.clear();
    messages.forEach((message, index) => {
      if (message !== old[index - added]) this.#byId.set(message.id, message);
    });
    this.#messages = messages;
  }
}

/** What is new is at the end. */
function findFirstNew(
  messages: readonly Message[],
  newFrom: string | undefined,
  me: Reader,
): Message | undefined {
  if (newFrom === undefined) return undefined;
  const behind = messages.slice(countUpTo(messages, newFrom));
  return behind.find(({ position, user }) => position !== undefined && user.id !== me.id);
}

/** Whether the message goes on with what its author said just before. */
function continues({ user, at }: Message, before: Message | undefined): boolean {
  return before !== undefined && before.user.id === user.id && at - before.at <= GROUP_PAUSE_MS;
}

function isSameDay(one: number, other: number): boolean {
  return Math.abs(other - one) < DAY_MS && new Date(one).getDate() === new Date(other).getDate();
}
