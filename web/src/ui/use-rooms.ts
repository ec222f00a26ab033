/** The rooms that there are, from the server, and before it has answered those of the last time; kept up to date by what the socket tells, and loaded anew after each reconnect. */
import { useCallback, useEffect, useRef, useState } from "react";
import { LOBBY, type ListedRoom, type Role, type RoomInfo } from "@skat/client";
import type { Session } from "../session.ts";
import { texts } from "../texts.ts";
import { toFault, type Fault } from "./fault.ts";

export interface Rooms {
  /** Those that one is in, the lobby first. */
  readonly own: readonly ListedRoom[];
  /** Public ones that one is not in. */
  readonly others: readonly ListedRoom[];
  /** The server has told of them, not only the time before. */
  readonly isFresh: boolean;
  readonly fault: Fault | undefined;
  readonly reload: () => void;
  readonly put: (room: ListedRoom) => void;
}

const THE_LOBBY: ListedRoom = {
  id: LOBBY,
  slug: LOBBY,
  kind: "public",
  name: texts.rooms.lobby,
  topic: "",
  archived: false,
  role: "member",
};

export function useRooms({ chat, kept }: Pick<Session, "chat" | "kept">, isOnline: boolean): Rooms {
  const [rooms, setRooms] = useState(() => withLobby(kept.list()));
  const [isFresh, setFresh] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const latest = useRef(rooms);
  latest.current = rooms;

  const put = useCallback((room: ListedRoom) => {
    setRooms((before) =>
      before.some(({ id }) => id === room.id)
        ? before.map((old) => (old.id === room.id ? { ...old, ...toShown(room) } : old))
        : [...before, toShown(room)],
    );
  }, []);
  const load = useCallback(async () => {
    try {
      const listed = (await chat.listRooms()).map(toShown);
      setRooms(withLobby(listed));
      setFresh(true);
      setFault(undefined);
    } catch (error) {
      setFault(toFault(error));
    }
  }, [chat]);

  useEffect(() => {
    if (!isOnline) return;
    const reload = () => void load();
    reload();
    window.addEventListener("focus", reload);
    return () => window.removeEventListener("focus", reload);
  }, [load, isOnline]);
  useEffect(() => {
    const onRoom = chat.on("room", ({ info, role }: { info: RoomInfo; role: Role }) => {
      put({ ...info, role });
      // One has just become a member: what is unread is counted from here on.
      const isNew = latest.current.find(({ id }) => id === info.id)?.read === undefined;
      if (isNew) void load();
    });
    const onLeft = chat.on("left", ({ room }) =>
      setRooms((before) => before.filter(({ id }) => id !== room)),
    );
    return () => (onRoom(), onLeft());
  }, [chat, put, load]);

  useEffect(() => {
    if (isFresh) kept.saveList(rooms.filter(({ role }) => role !== undefined));
  }, [kept, rooms, isFresh]);

  const own = rooms.filter(({ id, role }) => role !== undefined || id === LOBBY);
  const others = rooms.filter((room) => !own.includes(room));
  return { own: own.toSorted(byLobby), others, isFresh, fault, reload: () => void load(), put };
}

function withLobby(rooms: readonly ListedRoom[]): readonly ListedRoom[] {
  return rooms.some(({ id }) => id === LOBBY) ? rooms : [THE_LOBBY, ...rooms];
}

function toShown(room: ListedRoom): ListedRoom {
  return room.id === LOBBY ? { ...room, name: texts.rooms.lobby, role: room.role ?? "member" } : room;
}

function byLobby(one: ListedRoom, other: ListedRoom): number {
  return Number(other.id === LOBBY) - Number(one.id === LOBBY);
}
