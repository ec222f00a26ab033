/**
 * What Socket.IO's client library remembers and gives back when it comes again: as `offset` the place up to which it has everything, as
 * `pid` who it was.
 *
 * An offset speaks for one room. A client that has joined several is given none: what it holds of the others can't be said in it.
 */
import { isPosition, type Position } from "../core/position.ts";

export interface Place {
  readonly room: string;
  readonly after: Position;
}

export function toOffset(room: string, position: Position): string {
  return `${room}:${position}`;
}

export function readOffset(offset: unknown): Place | undefined {
  if (typeof offset !== "string") return undefined;
  const end = offset.lastIndexOf(":");
  const [room, after] = [offset.slice(0, Math.max(0, end)), offset.slice(end + 1)];
  return room !== "" && isPosition(after) ? { room, after } : undefined;
}

/** The library takes a connection for recovered when its `pid` comes back, so each has one of its own. It carries the token of a guest. */
export function toPid(unique: string, guestToken: string | undefined): string {
  return `${unique}:${guestToken ?? ""}`;
}

export function guestTokenOf(pid: unknown): string | undefined {
  if (typeof pid !== "string") return undefined;
  return pid.slice(pid.indexOf(":") + 1) || undefined;
}
