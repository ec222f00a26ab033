/** What of a room has not been read, going by the mark up to which it was. Pure. */
import type { ListedRoom, RoomSnapshot } from "@skat/client";

type Shown = Pick<RoomSnapshot, "read" | "view">;

/** The larger of what the socket and the list have told; none where neither has yet. */
export function markOf(shown: Shown | undefined, listed: ListedRoom | undefined): string | undefined {
  if (listed?.read === undefined) return undefined;
  return shown !== undefined && shown.read > listed.read ? shown.read : listed.read;
}

/** How many messages of others are behind the mark: as the room shows them, or as the server has counted where it shows too few. */
export function countUnread(shown: Shown | undefined, listed: ListedRoom, myId: string): number {
  const read = markOf(shown, listed);
  if (read === undefined) return 0;
  const counted = read === listed.read ? (listed.unread ?? 0) : 0;
  const view = shown?.view;
  if (view === undefined) return counted;
  // Not the whole of a long view: what is unread is at its end.
  const lastRead = view.events.findLastIndex(({ position }) => position <= read);
  const behind = view.events.slice(lastRead + 1).filter(({ user }) => user.id !== myId).length;
  const reachesMark = view.complete || view.wholeFrom <= read;
  return reachesMark ? behind : Math.max(behind, counted);
}
