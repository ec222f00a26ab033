/**
 * Port: the store of rooms, their members, what moderators did, and the trail of it all.
 *
 * Every write is one statement, and in the same statement leaves its `Change`: the audit trail has each change exactly
 * once, and one that changes nothing leaves none. Whoever may do it has been asked before; the store only keeps what would
 * break the data: a banned user is not joined, an invitation is not used too often, a room with an owner keeps one. Pages are in the order of
 * their keys; `after` is the last key of the page before. Errors as in `store.ts`.
 */
import type { LeftReason, Role, RoomInfo, User } from "../protocol.ts";
import type { Position } from "./position.ts";

/** Of a mute, ban or invitation that does not end by itself. */
export const FOREVER_MS = Date.UTC(9999, 11, 31);

export interface Membership {
  readonly name: string;
  readonly role: Role;
  /** Until then the member may not write; 0 for most. */
  readonly mutedUntilMs: number;
}

/** How a user stands to a room that is there. */
export interface Standing {
  readonly room: RoomInfo;
  readonly member?: Membership;
  /** 0 for most. A ban outweighs a membership. */
  readonly bannedUntilMs: number;
  /** In a direct room of two: one of them has blocked the other. */
  readonly blocked: boolean;
  /** Was a member once: may have sent messages whose answer was lost. */
  readonly wasMember: boolean;
}

export interface Member extends Membership {
  readonly id: string;
}

export interface Ban {
  readonly user: User;
  readonly reason: string;
  readonly untilMs: number;
}

export interface Invitation {
  readonly code: string;
  readonly role: Role;
  readonly by: User;
  readonly expiresAtMs: number;
  /** Absent: any number. */
  readonly usesLeft?: number;
}

export interface ListedRoom extends RoomInfo {
  /** Of the user who asked; absent for a public room that it is no member of. */
  readonly role?: Role;
  /** Of a member: up to where it has read. Without a mark that is what was there when it joined. */
  readonly read?: Position;
  /** Of a member: how many of the next `UNREAD_EVENTS_MAX` events are others'. */
  readonly unread?: number;
}

/** Looked at behind a read mark: who is further behind than that need not know how far. */
export const UNREAD_EVENTS_MAX = 100;

export const ACTIONS = [
  "create",
  "update",
  "join",
  "leave",
  "remove",
  "role",
  "mute",
  "ban",
  "unban",
  "invite",
  "revoke",
  "block",
  "unblock",
  // Of the whole server, so in no room.
  "sign-out",
  "bar",
  "revoke-token",
  "delete-account",
  "owner",
] as const;

export type Action = (typeof ACTIONS)[number];

export interface Change {
  readonly id: string;
  readonly atMs: number;
  readonly room?: string;
  /** Whom it was done to. */
  readonly user?: User;
  readonly by: User;
  readonly action: Action;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface RoomChanges {
  readonly name?: string;
  readonly topic?: string;
  readonly archived?: boolean;
}

export type Pair = readonly [room: string, user: string];

export interface Page {
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface PageOf<Item> {
  readonly items: readonly Item[];
  /** `after` of the next page; absent at the end. */
  readonly next?: string;
}

export interface RoomStore {
  /** `by` becomes the owner. False when the slug belongs to another room; a room whose id is there already stays as it is. */
  createRoom(room: RoomInfo, by: User): Promise<boolean>;
  /** The direct room of exactly these people, made where it is not. */
  openDirect(room: RoomInfo, people: readonly User[], by: User): Promise<RoomInfo>;
  updateRoom(room: string, changes: RoomChanges, by: User): Promise<void>;
  /** The id of the room with this slug. */
  idOfSlug(slug: string): Promise<string | undefined>;
  /** The user's own and, unless `mine`, the public ones that are not archived, in the order of their making. */
  listRooms(user: string, mine: boolean, page: Page): Promise<PageOf<ListedRoom>>;
  /** Every room of the stage, whoever is in it, in the order of their making: for the one in charge. */
  allRooms(page: Page): Promise<PageOf<RoomInfo>>;
  /** One answer for each pair, in that order; undefined where the room is not there. */
  standings(pairs: readonly Pair[]): Promise<readonly (Standing | undefined)[]>;
  /** Rooms of which the user is the owner. */
  ownedRooms(user: string): Promise<number>;
}

export interface MemberStore {
  /** Does nothing for a member, a banned user, and in a room of `membersMax`. */
  addMember(room: string, user: User, membersMax: number): Promise<void>;
  /** False when nothing was changed: there is no such member, or it is the last owner. */
  removeMember(
    room: string,
    user: string,
    by: User,
    why: { action: "leave" | "remove"; reason?: string },
  ): Promise<boolean>;
  /** False when nothing was changed, as above. */
  setRole(room: string, user: string, role: Role, by: User): Promise<boolean>;
  mute(room: string, user: string, untilMs: number, by: User): Promise<void>;
  /** By user id. */
  members(room: string, page: Page): Promise<PageOf<Member>>;
  /** Users by their last known name; those never seen in a room are left out. */
  people(ids: readonly string[]): Promise<readonly User[]>;
}

export interface ModerationStore {
  /** Ends the membership as well. A ban that is there is replaced. False when nothing was changed, as above. */
  ban(room: string, ban: Ban, by: User): Promise<boolean>;
  unban(room: string, user: string, by: User): Promise<void>;
  /** Those in force, by user id. */
  bans(room: string, page: Page): Promise<PageOf<Ban>>;
  invite(room: string, invitation: Invitation): Promise<void>;
  /** Those in force, by code. */
  invitations(room: string, page: Page): Promise<PageOf<Invitation>>;
  revokeInvitation(room: string, code: string, by: User): Promise<void>;
  /** The room of an invitation in force; undefined for any other code. */
  roomOfInvitation(code: string): Promise<string | undefined>;
  /** Uses it up by one and makes the user a member of its role; false when it could not. */
  redeem(code: string, user: User, membersMax: number): Promise<boolean>;
  block(user: User, blocked: string): Promise<void>;
  unblock(user: User, blocked: string): Promise<void>;
  /** Ids of those whom the user has blocked, in their order. */
  blocks(user: string, page: Page): Promise<PageOf<string>>;
  /** Whether one of the two has blocked the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
}

export interface ChangeStore {
  /** Everything that was changed within the last so many milliseconds by the store's clock, oldest first. */
  recentChanges(withinMs: number): Promise<readonly Change[]>;
  /** Of a room, or of all, newest first. */
  listChanges(room: string | undefined, page: Page): Promise<PageOf<Change>>;
}

/** `action` is the last that was done to the user; none where only the outcome is known. */
export function leftReasonOf(action: Action | undefined, standing: Standing | undefined): LeftReason {
  if (action === "ban" || (standing && standing.bannedUntilMs > 0)) return "banned";
  return action === "leave" ? "left" : "removed";
}

/** What a direct room is found by. */
export function directKeyOf(users: readonly string[]): string {
  return [...new Set(users)].sort().join(" ");
}
