/** How far each room was seen on this device, and how much of it was not. What is in sight counts as seen. */
import { useEffect, useMemo, useState } from "react";
import type { ClientSnapshot, ListedRoom } from "@skat/client";
import { createKeptMap } from "../kept-map.ts";
import { countUnread, firstMark } from "../unread.ts";

export interface Unread {
  readonly counts: ReadonlyMap<string, number>;
  readonly total: number;
  /** Where the current room's new messages began when it came into sight. */
  readonly newFrom: string | undefined;
}

export function useUnread(snapshot: ClientSnapshot, rooms: readonly ListedRoom[], current: string): Unread {
  const myId = snapshot.user.id;
  const marks = useMemo(() => createKeptMap(`skat.seen.${myId}`), [myId]);
  const isVisible = useVisible();
  const sight = `${current} ${isVisible}`;
  const [opened, setOpened] = useState({ sight: "", newFrom: undefined as string | undefined });
  if (opened.sight !== sight) setOpened({ sight, newFrom: marks.get(current) });

  useEffect(() => {
    for (const { id, kind } of rooms) {
      const first = marks.get(id) === undefined && firstMark(kind, snapshot.rooms.get(id));
      if (first) marks.set(id, first);
    }
    const cursor = snapshot.rooms.get(current)?.view?.cursor;
    if (isVisible && cursor !== undefined && marks.get(current) !== cursor) marks.set(current, cursor);
  }, [marks, snapshot, rooms, current, isVisible]);

  const counts = new Map<string, number>();
  for (const { id } of rooms) {
    const isInSight = id === current && isVisible;
    const count = isInSight ? 0 : countUnread(snapshot.rooms.get(id), marks.get(id), myId);
    if (count > 0) counts.set(id, count);
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { counts, total, newFrom: opened.newFrom };
}

function useVisible(): boolean {
  const [isVisible, setVisible] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const onChange = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", onChange);
    return () => document.removeEventListener("visibilitychange", onChange);
  }, []);
  return isVisible;
}
