/** The list of rooms from the server, loaded at the start, after each reconnect, and when the reader comes back to the page. */
import { useCallback, useEffect, useState } from "react";
import type { Api, RoomInfo } from "../client/api.ts";
import { toFault, type Fault } from "./fault.ts";

export interface Rooms {
  readonly rooms: readonly RoomInfo[];
  readonly fault: Fault | undefined;
  readonly reload: () => void;
  readonly create: (name: string) => Promise<RoomInfo>;
}

export function useRooms(api: Api, token: string, isOnline: boolean): Rooms {
  const [rooms, setRooms] = useState<readonly RoomInfo[]>([]);
  const [fault, setFault] = useState<Fault>();

  const load = useCallback(async () => {
    try {
      setRooms(await api.rooms(token));
      setFault(undefined);
    } catch (error) {
      setFault(toFault(error));
    }
  }, [api, token]);

  useEffect(() => {
    if (!isOnline) return;
    const reload = () => void load();
    reload();
    window.addEventListener("focus", reload);
    return () => window.removeEventListener("focus", reload);
  }, [load, isOnline]);

  const create = async (name: string) => {
    const room = await api.createRoom(token, name);
    setRooms((before) => [...before.filter(({ id }) => id !== room.id), room]);
    return room;
  };

  return { rooms, fault, reload: () => void load(), create };
}
