/** One room as a client shows it: events sorted by position, and the cursor behind them (K1). Pure values and functions. */
import type { RoomEvent, User } from "../../../functions/protocol.ts";

export interface RoomView {
  /** Ascending by position, each id once. */
  readonly events: readonly RoomEvent[];
  /** The position that the next live event must name as its `prev`. */
  readonly cursor: string;
  /** From here to the cursor nothing is missing. Events before it are remembered from an earlier view and await confirmation. */
  readonly wholeFrom: string;
  /** Nothing is older than `wholeFrom`. */
  readonly complete: boolean;
  /** Another `reset` follows; until then the view is joined afresh, never resumed (K2). */
  readonly provisional: boolean;
}

export interface Page {
  readonly head: string;
  readonly complete: boolean;
  readonly provisional: boolean;
  readonly events: readonly RoomEvent[];
}

export interface HistoryPage {
  readonly events: readonly RoomEvent[];
  readonly complete: boolean;
  /** The one of stream and store that answered alone. The store's may lack what waits in the stream. */
  readonly source?: "stream" | "store";
}

/** What became of events offered to a view: `hole` means that the room must be joined again. */
export type Applied = { readonly view: RoomView; readonly added: readonly RoomEvent[] } | "hole";

/** The view after a fresh page. What `old` shows further back is kept for confirmation where the page reaches into it, so that nothing jumps. */
export function replaceByPage(old: RoomView | undefined, page: Page): RoomView {
  const wholeFrom = page.events[0]?.position ?? page.head;
  const reachesBack = old !== undefined && wholeFrom <= old.cursor && !page.complete;
  const known = old?.events ?? [];
  const before = countBefore(known, wholeFrom);
  const remembered = reachesBack ? known.slice(0, before) : [];
  const { head: cursor, complete, provisional } = page;
  const events = remembered.concat(keepEqual(known.slice(before), page.events));
  return { events, cursor, wholeFrom, complete, provisional };
}

/** The view after events that must link on to its cursor; those at or below it are repeats. */
export function append(view: RoomView, events: readonly RoomEvent[]): Applied {
  const added: RoomEvent[] = [];
  let { cursor } = view;
  for (const event of events) {
    if (event.position <= cursor) continue;
    if (event.prev !== cursor) return "hole";
    cursor = event.position;
    added.push(event);
  }
  if (added.length === 0) return { view, added };
  return { view: { ...view, cursor, events: view.events.concat(added) }, added };
}

/**
 * The view after the history page that ends before its `wholeFrom`. Of a long view only what is in doubt is looked at. A page of the store
 * alone is shown and in doubt; it settles nothing that was in doubt already.
 */
export function mergeOlder(view: RoomView, page: HistoryPage): RoomView {
  if (page.source === "store")
    return awaitsConfirmation(view) ? view : { ...view, events: page.events.concat(view.events) };
  const wholeFrom = page.events[0]?.position ?? view.wholeFrom;
  const inDoubt = view.events.slice(0, countBefore(view.events, view.wholeFrom));
  const remembered = page.complete ? [] : inDoubt.slice(0, countBefore(inDoubt, wholeFrom));
  const whole = view.events.slice(inDoubt.length);
  const events = remembered.concat(keepEqual(inDoubt, page.events), whole);
  return { ...view, events, wholeFrom, complete: page.complete };
}

/** The newest `count` events of a longer view, as if none before them had been loaded. */
export function newestOf(view: RoomView, count: number): RoomView {
  const events = view.events.slice(-count);
  const wholeFrom = events[0]?.position ?? "";
  return wholeFrom < view.wholeFrom ? view : { ...view, events, wholeFrom, complete: false };
}

/** The view after somebody is called otherwise, in all that is shown. */
export function rename(view: RoomView, { id, name }: User): RoomView {
  const isOld = ({ user }: RoomEvent) => user.id === id && user.name !== name;
  if (!view.events.some(isOld)) return view;
  const events = view.events.map((event) => (isOld(event) ? { ...event, user: { id, name } } : event));
  return { ...view, events };
}

/** Whether the view shows events that a `reset` left unconfirmed. */
export function awaitsConfirmation({ events, wholeFrom }: RoomView): boolean {
  const oldest = events[0];
  return oldest !== undefined && oldest.position < wholeFrom;
}

/** How many of the events lie before a position: of a long room only a few are looked at. */
export function countBefore(events: readonly RoomEvent[], before: string): number {
  let [from, to] = [0, events.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const event = events[middle];
    if (event && event.position < before) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The new events, but the very objects of the old view where they are equal: what did not change is not drawn again. */
function keepEqual(old: readonly RoomEvent[], events: readonly RoomEvent[]): readonly RoomEvent[] {
  const known = new Map(old.map((event) => [event.id, event]));
  return events.map((event) => {
    const same = known.get(event.id);
    return same && JSON.stringify(same) === JSON.stringify(event) ? same : event;
  });
}
