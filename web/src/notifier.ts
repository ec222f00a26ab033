/**
 * Which messages are worth a notification: others' messages in rooms that are not in view. Each waits a moment, for another device of
 * this person may be showing the room; then what came meanwhile is told together.
 */
import type { RoomEvent } from "@skat/client";

export interface NotifierParts {
  readonly myId: string;
  /** What is older was missed while the page was closed: that is counted, not told. */
  readonly sinceMs: number;
  readonly isInView: (room: string) => boolean;
  /** Up to where this person has read the room, on whatever device; empty where that is not known. */
  readonly readUpTo: (room: string) => string;
  /** `count` messages have come, of which `newest` is the last. */
  readonly show: (newest: RoomEvent, count: number) => void;
}

export interface Notifier {
  readonly onMessage: (event: RoomEvent) => void;
  readonly stop: () => void;
}

export const WAIT_MS = 2_000;

export function createNotifier({ myId, sinceMs, isInView, readUpTo, show }: NotifierParts): Notifier {
  const waiting = new Map<string, RoomEvent[]>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const isNews = ({ room, user, position, at }: RoomEvent) =>
    at >= sinceMs && user.id !== myId && !isInView(room) && position > readUpTo(room);
  const tell = (room: string) => {
    const news = (waiting.get(room) ?? []).filter(isNews);
    waiting.delete(room);
    const newest = news.at(-1);
    if (newest !== undefined) show(newest, news.length);
  };
  return {
    onMessage: (event) => {
      if (!isNews(event)) return;
      const { room } = event;
      const gathered = waiting.get(room);
      if (gathered !== undefined) return void gathered.push(event);
      waiting.set(room, [event]);
      const timer = setTimeout(() => (timers.delete(timer), tell(room)), WAIT_MS);
      timers.add(timer);
    },
    stop: () => timers.forEach(clearTimeout),
  };
}
