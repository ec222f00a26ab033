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
  const unread = view.events.slice(countUpTo(view.events, read));
  const behind = unread.filter(({ user }) => user.id !== myId).length;
  const reachesMark = view.complete || view.wholeFrom <= read;
  return reachesMark ? behind : Math.max(behind, counted);
}

/** How many of what is sorted by position stand up to there; what has none yet stands at the end. Of a long list few are looked at. */
export function countUpTo(
  sorted: readonly { readonly position: string | undefined }[],
  position: string,
): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const at = sorted[middle]?.position;
    if (at !== undefined && at <= position) from = middle + 1;
    else to = middle;
  }
  return from;
}
