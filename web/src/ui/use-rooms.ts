/** The list of rooms from the server, loaded at the start, after each reconnect, and when the reader comes back to the page. */
import { useCallback, useEffect, useState } from "react";
import type { Client, ListedRoom } from "@skat/client";
import { toFault, type Fault } from "./fault.ts";

export interface Rooms {
  readonly rooms: readonly ListedRoom[];
  readonly fault: Fault | undefined;
  readonly reload: () => void;
  readonly create: (name: string) => Promise<ListedRoom>;
}

export function useRooms(chat: Client, isOnline: boolean): Rooms {
  const [rooms, setRooms] = useState<readonly ListedRoom[]>([]);
  const [fault, setFault] = useState<Fault>();

  const load = useCallback(async () => {
    try {
      setRooms(await chat.listRooms());
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

  const create = async (name: string) => {
    const room = await chat.createRoom(name);
    setRooms((before) => [...before.filter(({ id }) => id !== room.id), room]);
    return room;
  };

  return { rooms, fault, reload: () => void load(), create };
}
