/** How many messages came in rooms that are joined but not looked at. */
import { useEffect, useState } from "react";
import type { Client } from "@skat/client";

export function useUnread(chat: Client, current: string): ReadonlyMap<string, number> {
  const [unread, setUnread] = useState<ReadonlyMap<string, number>>(new Map());
  useEffect(() => {
    setUnread((before) => new Map([...before].filter(([room]) => room !== current)));
    return chat.on("message", ({ room }) => {
      if (room !== current) setUnread((before) => new Map(before).set(room, (before.get(room) ?? 0) + 1));
    });
  }, [chat, current]);
  return unread;
}
