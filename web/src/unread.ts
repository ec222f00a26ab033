/** What of a room has not been seen, going by the position up to which it was. Pure. */
import { NO_POSITION, type ListedRoom, type RoomSnapshot } from "@skat/client";

/** How many messages of others the room shows behind what was seen. */
export function countUnread(room: RoomSnapshot | undefined, seen: string | undefined, myId: string): number {
  if (room?.view === undefined || seen === undefined) return 0;
  let count = 0;
  for (const { position, user } of room.view.events) if (position > seen && user.id !== myId) count += 1;
  return count;
}

/** What counts as seen in a room that this device has never shown: all of a public one, nothing of one that was made for this user. */
export function firstMark(kind: ListedRoom["kind"], room: RoomSnapshot | undefined): string | undefined {
  return kind === "public" ? room?.view?.cursor : NO_POSITION;
}
