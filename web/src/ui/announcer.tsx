/**
 * Reads new messages to screen readers; the list itself draws and drops rows while it scrolls and would say too much. What comes within a
 * moment is said together, and of many only how many they are.
 */
import { useEffect, useState } from "react";
import type { Client, RoomEvent } from "@skat/client";
import { plainText } from "../markdown.ts";
import { texts } from "../texts.ts";

const LINES_KEPT = 10;
const GATHER_MS = 1_500;
const SAID_ONE_BY_ONE = 3;

interface Line {
  readonly id: string;
  readonly text: string;
}

export function Announcer({ chat, room, myId }: { chat: Client; room: string; myId: string }) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  useEffect(() => {
    let gathered: RoomEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = () => {
      const said = toLines(gathered);
      gathered = [];
      timer = undefined;
      setLines((before) => [...before, ...said].slice(-LINES_KEPT));
    };
    const stop = chat.on("message", (event) => {
      if (event.room !== room || event.user.id === myId) return;
      gathered.push(event);
      timer ??= setTimeout(say, GATHER_MS);
    });
    return () => (stop(), clearTimeout(timer));
  }, [chat, room, myId]);
  return (
    <div className="visually-hidden" role="log" aria-live="polite">
      {lines.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}

export function toLines(events: readonly RoomEvent[]): readonly Line[] {
  const [first] = events;
  if (first !== undefined && events.length > SAID_ONE_BY_ONE)
    return [{ id: first.id, text: texts.messages.announceMany(events.length) }];
  return events.map(({ id, user, body }) => ({
    id,
    text: texts.messages.announce(user.name, plainText(body)),
  }));
}
