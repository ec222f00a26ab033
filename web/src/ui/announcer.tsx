/** Reads new messages to screen readers; the list itself draws and drops rows while it scrolls and would say too much. */
import { useEffect, useState } from "react";
import type { RoomEvent } from "../../../functions/protocol.ts";
import type { Chat } from "../client/chat.ts";
import { texts } from "../texts.ts";

const LINES_KEPT = 10;

export function Announcer({ chat, room, myId }: { chat: Chat; room: string; myId: string }) {
  const [lines, setLines] = useState<readonly RoomEvent[]>([]);
  useEffect(
    () =>
      chat.onEvent((event) => {
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
