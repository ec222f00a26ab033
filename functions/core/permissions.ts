/** Who may do what in a room: one table, asked by every verb of HTTP and socket. */
import type { Role, RoomKind } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import type { Standing } from "./room-store.ts";

/** `stranger`: signed in, and no member. */
export type Part = Role | "stranger";

interface Rule {
  readonly roles: readonly Part[];
  readonly kinds: readonly RoomKind[];
  /** Also in an archived room. */
  readonly whenArchived?: true;
}

const ALL: readonly RoomKind[] = ["public", "private", "direct"];
const GROUPS: readonly RoomKind[] = ["public", "private"];
const MEMBERS: readonly Part[] = ["owner", "moderator", "member", "read-only"];
const WRITERS: readonly Part[] = ["owner", "moderator", "member"];
const MODERATORS: readonly Part[] = ["owner", "moderator"];
const OWNERS: readonly Part[] = ["owner"];

export const PERMISSIONS = {
  /** Name, topic and kind. */
  see: { roles: [...MEMBERS, "stranger"], kinds: ALL, whenArchived: true },
  join: { roles: [...MEMBERS, "stranger"], kinds: ALL, whenArchived: true },
  leave: { roles: MEMBERS, kinds: GROUPS, whenArchived: true },
  /** Live events and history. */
  read: { roles: MEMBERS, kinds: ALL, whenArchived: true },
  listMembers: { roles: MEMBERS, kinds: ALL, whenArchived: true },
  send: { roles: WRITERS, kinds: ALL },
  invite: { roles: MODERATORS, kinds: GROUPS },
  setTopic: { roles: MODERATORS, kinds: GROUPS },
  rename: { roles: OWNERS, kinds: GROUPS },
  archive: { roles: OWNERS, kinds: GROUPS, whenArchived: true },
  remove: { roles: MODERATORS, kinds: GROUPS, whenArchived: true },
  mute: { roles: MODERATORS, kinds: GROUPS, whenArchived: true },
  ban: { roles: MODERATORS, kinds: GROUPS, whenArchived: true },
  setRole: { roles: OWNERS, kinds: GROUPS, whenArchived: true },
  audit: { roles: OWNERS, kinds: GROUPS, whenArchived: true },
} as const satisfies Record<string, Rule>;

export type Verb = keyof typeof PERMISSIONS;

const RANKS: Readonly<Record<Role, number>> = { "read-only": 0, member: 1, moderator: 2, owner: 3 };

/** Throws why the user may not; a room that it may not know of answers exactly as one that is not there. */
export function check(
  standing: Standing | undefined,
  verb: Verb,
  nowMs: number,
): asserts standing is Standing {
  const denial = denialOf(standing, verb, nowMs);
  if (denial) throw denial;
}

/** As `check`, for the path of every message. */
export function allows(standing: Standing, verb: Verb, nowMs: number): boolean {
  return denialOf(standing, verb, nowMs) === undefined;
}

function denialOf(standing: Standing | undefined, verb: Verb, nowMs: number): ChatError | undefined {
  const rule: Rule = PERMISSIONS[verb];
  const isBanned = standing !== undefined && standing.bannedUntilMs > nowMs;
  const member = isBanned ? undefined : standing?.member;
  if (!standing || (!member && standing.room.kind !== "public"))
    return new ChatError("unknown_room", "No room has this id.");
  if (isBanned && verb !== "see") return new ChatError("banned", "You are banned from this room.");
  if (!rule.roles.includes(member?.role ?? "stranger")) return member ? forbidden() : notMember();
  if (!rule.kinds.includes(standing.room.kind)) return forbidden("Rooms of this kind do not have that.");
  if (standing.room.archived && !rule.whenArchived)
    return new ChatError("room_archived", "The room is archived.");
  return verb === "send" ? silenceOf(standing, nowMs) : undefined;
}

function silenceOf({ member, blocked }: Standing, nowMs: number): ChatError | undefined {
  if (blocked) return new ChatError("blocked", "One of you has blocked the other.");
  if (member === undefined || member.mutedUntilMs <= nowMs) return undefined;
  return new ChatError("muted", `You are muted until ${new Date(member.mutedUntilMs).toISOString()}.`);
}

/** Whether a member may moderate another: owners everybody, the others those below them. */
export function outranks(role: Role, other: Role | undefined): boolean {
  return role === "owner" || other === undefined || RANKS[role] > RANKS[other];
}

export function forbidden(message = "Your role in the room does not allow this."): ChatError {
  return new ChatError("forbidden", message);
}

function notMember(): ChatError {
  return new ChatError("not_member", "Only members read or write a room: join it first.");
}
