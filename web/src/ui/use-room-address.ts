/** The current room, kept in the page's address (`#/<room>`): a reload or a shared link leads to the same room. */
import { useEffect, useState } from "react";
import { LOBBY } from "@skat/client";

export function useRoomAddress(): [string, (room: string) => void] {
  const [room, setRoom] = useState(readAddress);
  useEffect(() => {
    const onChange = () => setRoom(readAddress());
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, []);
  return [room, (next) => (location.hash = next === LOBBY ? "" : `/${encodeURIComponent(next)}`)];
}

function readAddress(): string {
  const [, room = ""] = /^#\/(.+)$/.exec(location.hash) ?? [];
  try {
    return room === "" ? LOBBY : decodeURIComponent(room);
  } catch {
    // A broken address is no room; the server says so.
    return room;
  }
}
