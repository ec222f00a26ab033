/** Notifications of rooms that are not in view: shown while this person wants them, and taken away when the room is read. */
import { useEffect, useRef, useState } from "react";
import type { Client, ListedRoom, RoomEvent } from "@skat/client";
import { plainText } from "../markdown.ts";
import {
  closeNotices,
  notificationState,
  showNotice,
  turnNotifications,
  type NotificationState,
} from "../notifications.ts";
import { createNotifier } from "../notifier.ts";
import { texts } from "../texts.ts";
import { markOf } from "../unread.ts";
import { useVisible } from "./use-visible.ts";

const openedMs = Date.now();

export interface Notifications {
  readonly state: NotificationState;
  readonly onTurn: (isOn: boolean) => void;
}

export interface NotificationsOptions {
  readonly chat: Client;
  readonly myId: string;
  readonly rooms: readonly ListedRoom[];
  readonly nameOf: (room: ListedRoom) => string;
  readonly current: string;
  /** Of the rooms that have any. */
  readonly unread: ReadonlyMap<string, number>;
}

export function useNotifications(options: NotificationsOptions): Notifications {
  const { chat, myId, unread } = options;
  const [state, setState] = useState(notificationState);
  const isVisible = useVisible();
  const latest = useRef({ ...options, isVisible });
  latest.current = { ...options, isVisible };
  const shown = useRef(new Set<string>());

  useEffect(() => {
    if (state !== "on") return;
    const notifier = createNotifier({
      myId,
      sinceMs: openedMs,
      isInView: (room) => latest.current.isVisible && latest.current.current === room,
      readUpTo: (room) => {
        const listed = latest.current.rooms.find(({ id }) => id === room);
        return markOf(chat.getSnapshot().rooms.get(room), listed) ?? "";
      },
      show: (newest, count) => {
        const listed = latest.current.rooms.find(({ id }) => id === newest.room);
        if (listed === undefined) return;
        shown.current.add(newest.room);
        showNotice(toNotice(newest, count, listed, latest.current.nameOf(listed))).catch(warn);
      },
    });
    const stop = chat.on("message", notifier.onMessage);
    return () => (stop(), notifier.stop());
  }, [chat, myId, state]);

  useEffect(() => {
    for (const room of shown.current) {
      if (unread.has(room)) continue;
      shown.current.delete(room);
      closeNotices(room).catch(warn);
    }
  });

  const onTurn = (isOn: boolean) => void turnNotifications(isOn).then(setState, warn);
  return { state, onTurn };
}

function toNotice({ room, user, body }: RoomEvent, count: number, listed: ListedRoom, roomName: string) {
  const title = listed.kind === "direct" ? user.name : texts.notifications.title(user.name, roomName);
  const text = plainText(body);
  return { room, title, body: count === 1 ? text : texts.notifications.many(text, count - 1) };
}

function warn(error: unknown): void {
  console.warn("notifications", error);
}
