/** Reads new messages to screen readers; the list itself draws and drops rows while it scrolls and would say too much. */
import { useEffect, useState } from "react";
import type { Client, RoomEvent } from "@skat/client";
import { texts } from "../texts.ts";

const LINES_KEPT = 10;

export function Announcer({ chat, room, myId }: { chat: Client; room: string; myId: string }) {
  const [lines, setLines] = useState<readonly RoomEvent[]>([]);
  useEffect(
    () =>
      chat.on("message", (event) => {
        if (event.room !== room || event.user.id === myId) return;
        setLines((before) => [...before, event].slice(-LINES_KEPT));
      }),
    [chat, room, myId],
  );
  return (
    <div className="visually-hidden" role="log" aria-live="polite">
      {lines.map(({ id, user, body }) => (
        <p key={id}>{texts.messages.announce(user.name, body)}</p>
      ))}
    </div>
  );
}
