/** How much of each room is unread, by the marks that a person's devices share. What is in sight is read. */
import { useEffect, useState } from "react";
import type { Client, ClientSnapshot } from "@skat/client";
import { countUnread, markOf } from "../unread.ts";
import type { Rooms } from "./use-rooms.ts";
import { useVisible } from "./use-visible.ts";

export interface Unread {
  readonly counts: ReadonlyMap<string, number>;
  readonly total: number;
  /** Where the current room's new messages began when it came into sight. */
  readonly newFrom: string | undefined;
}

export function useUnread(
  chat: Client,
  snapshot: ClientSnapshot,
  { own: rooms, isFresh }: Rooms,
  current: string,
): Unread {
  const isVisible = useVisible();
  const sight = `${current} ${isVisible}`;
  const shown = snapshot.rooms.get(current);
  const cursor = shown?.view?.cursor;
  const listed = rooms.find(({ id }) => id === current);
  const read = markOf(shown, listed);
  const [opened, setOpened] = useState({ sight: "", newFrom: "" });
  const isOpened = opened.sight === sight;
  // Not before the server has said what was read until now.
  if (!isOpened && isFresh && read !== undefined) setOpened({ sight, newFrom: read });

  useEffect(() => {
    if (isVisible && isOpened && cursor !== undefined) chat.markRead(current, cursor);
  }, [chat, current, cursor, isVisible, isOpened]);

  const counts = new Map<string, number>();
  for (const room of rooms) {
    const isInSight = room.id === current && isVisible;
    const count = isInSight ? 0 : countUnread(snapshot.rooms.get(room.id), room, snapshot.user.id);
    if (count > 0) counts.set(room.id, count);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { counts, total, newFrom: isOpened ? opened.newFrom : undefined };
}
