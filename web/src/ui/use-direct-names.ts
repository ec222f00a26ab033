/** Direct rooms have no name of their own: they are called after the others in them. */
import { useEffect, useRef, useState } from "react";
import type { ListedRoom } from "@skat/client";
import { roomCalls } from "../room-calls.ts";
import type { Session } from "../session.ts";
import { texts } from "../texts.ts";

export function useDirectNames(
  { chat, kept }: Pick<Session, "chat" | "kept">,
  rooms: readonly ListedRoom[],
  myId: string,
): ReadonlyMap<string, string> {
  const [names, setNames] = useState(() => kept.names());
  const asked = useRef(new Set<string>());
  useEffect(() => {
    for (const { id, kind } of rooms) {
      if (kind !== "direct" || asked.current.has(id)) continue;
      asked.current.add(id);
      roomCalls(chat, id)
        .members()
        .then(
          (members) => {
            const others = members.filter(({ user }) => user.id !== myId).map(({ user }) => user.name);
            setNames((before) => new Map(before).set(id, others.join(", ") || texts.account.deleted));
          },
          // Asked again with the next list of rooms.
          () => asked.current.delete(id),
        );
    }
  }, [chat, rooms, myId]);
  useEffect(() => kept.saveNames(names), [kept, names]);
  return names;
}
