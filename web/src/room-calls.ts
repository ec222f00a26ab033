/** What can be done to rooms and in them, as calls of the HTTP side. All reject with `ClientError`. */
import type { Client, ListedRoom, Role, RoomKind, User } from "@skat/client";

export interface Member {
  readonly user: User;
  readonly role: Role;
  readonly mutedUntilMs?: number;
}

export function isMuted(mutedUntilMs: number | undefined): boolean {
  return mutedUntilMs !== undefined && mutedUntilMs > Date.now();
}

export interface Invitation {
  readonly code: string;
  readonly by: User;
  readonly expiresAtMs?: number;
  readonly usesLeft?: number;
}

export interface Ban {
  readonly user: User;
  readonly reason: string;
  readonly untilMs?: number;
}

export interface NewRoom {
  readonly name: string;
  readonly kind: Exclude<RoomKind, "direct">;
  readonly topic: string;
}

export type RoomChanges = Partial<Pick<ListedRoom, "name" | "topic" | "archived">>;

export type RoomCalls = ReturnType<typeof roomCalls>;

/** A list longer than this is read in part; the page says so. */
export const LISTED_MAX = 200;
const PAGE = `limit=${LISTED_MAX}`;

export function roomCalls(chat: Client, room: string) {
  const path = `/rooms/${encodeURIComponent(room)}`;
  return {
    members: async () =>
      (await chat.request<{ members: Member[] }>("GET", `${path}/members?${PAGE}`)).members,
    update: (changes: RoomChanges) => chat.request<ListedRoom>("PATCH", path, changes),
    leave: () => chat.request("POST", `${path}/leave`),
    setRole: (user: string, role: Role) => chat.request("PATCH", `${path}/members/${user}`, { role }),
    remove: (user: string) => chat.request("DELETE", `${path}/members/${user}`),
    mute: (user: string, forMs: number) => chat.request("PUT", `${path}/members/${user}/mute`, { forMs }),
    unmute: (user: string) => chat.request("DELETE", `${path}/members/${user}/mute`),
    bans: async () => (await chat.request<{ bans: Ban[] }>("GET", `${path}/bans?${PAGE}`)).bans,
    ban: (user: string) => chat.request("PUT", `${path}/bans/${user}`, {}),
    unban: (user: string) => chat.request("DELETE", `${path}/bans/${user}`),
    invitations: async () =>
      (await chat.request<{ invitations: Invitation[] }>("GET", `${path}/invitations?${PAGE}`)).invitations,
    invite: (expiresInMs: number) => chat.request<Invitation>("POST", `${path}/invitations`, { expiresInMs }),
    revoke: (code: string) => chat.request("DELETE", `${path}/invitations/${code}`),
  };
}

export function createRoom(chat: Client, room: NewRoom): Promise<ListedRoom> {
  return chat.request("POST", "/rooms", room);
}

export function openDirect(chat: Client, user: string): Promise<ListedRoom> {
  return chat.request("POST", "/direct", { users: [user] });
}

export function redeem(chat: Client, code: string): Promise<ListedRoom> {
  return chat.request("POST", `/invitations/${encodeURIComponent(code)}`);
}

export async function listBlocked(chat: Client): Promise<readonly string[]> {
  return (await chat.request<{ users: string[] }>("GET", `/blocks?${PAGE}`)).users;
}

export function setBlocked(chat: Client, user: string, isBlocked: boolean): Promise<unknown> {
  return chat.request(isBlocked ? "PUT" : "DELETE", `/blocks/${user}`);
}
