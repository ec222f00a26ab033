/** The verbs of moderators and owners, and what people do about each other: roles, mutes, bans, invitations, blocks. */
import type { Role, User } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import { forbidden, outranks, type Verb } from "./permissions.ts";
import {
  FOREVER_MS,
  type Ban,
  type Change,
  type Invitation,
  type ListedRoom,
  type Page,
  type PageOf,
  type Standing,
} from "./room-store.ts";
import { lastOwner, type Rooms, type RoomVerbsDeps } from "./rooms.ts";

export interface NewInvitation {
  readonly role: Exclude<Role, "owner" | "moderator">;
  readonly expiresInMs?: number | undefined;
  readonly uses?: number | undefined;
}

export class Moderation {
  readonly #deps: RoomVerbsDeps;
  readonly #rooms: Rooms;

  constructor(deps: RoomVerbsDeps, rooms: Rooms) {
    this.#deps = deps;
    this.#rooms = rooms;
  }

  async setRole(room: string, user: string, role: Role, by: User): Promise<void> {
    const { member } = await this.#target(room, user, by, "setRole");
    if (!member) throw unknownUser();
    const changed = await this.#deps.store.members.setRole(room, user, role, by);
    if (!changed && member.role === "owner" && role !== "owner") throw lastOwner();
    await this.#deps.announce();
  }

  /** Absent: until it is lifted; 0 lifts it. */
  async mute(room: string, user: string, forMs: number | undefined, by: User): Promise<void> {
    const { member } = await this.#target(room, user, by, "mute");
    if (!member) throw unknownUser();
    const untilMs = forMs === 0 ? 0 : this.#untilMs(forMs);
    await this.#deps.store.members.mute(room, user, untilMs, by);
    await this.#deps.announce();
  }

  async remove(room: string, user: string, reason: string | undefined, by: User): Promise<void> {
    const { member } = await this.#target(room, user, by, "remove");
    if (!member) throw unknownUser();
    const why = { action: "remove", ...(reason === undefined ? {} : { reason }) } as const;
    const removed = await this.#deps.store.members.removeMember(room, user, by, why);
    if (!removed && member.role === "owner") throw lastOwner();
    await this.#deps.announce();
  }

  /** Also somebody who is no member. Without `forMs` until it is lifted. */
  async ban(
    room: string,
    user: string,
    { reason, forMs }: { reason: string; forMs?: number | undefined },
    by: User,
  ): Promise<void> {
    const { member } = await this.#target(room, user, by, "ban");
    const [known] = await this.#deps.store.members.people([user]);
    const ban = { user: { id: user, name: known?.name ?? "" }, reason, untilMs: this.#untilMs(forMs) };
    const banned = await this.#deps.store.moderation.ban(room, ban, by);
    if (!banned && member?.role === "owner") throw lastOwner();
    await this.#deps.announce();
  }

  async unban(room: string, user: string, by: User): Promise<void> {
    await this.#rooms.permit(room, by, "ban");
    await this.#deps.store.moderation.unban(room, user, by);
    await this.#deps.announce();
  }

  async bans(room: string, by: User, page: Page): Promise<PageOf<Ban>> {
    await this.#rooms.permit(room, by, "ban");
    return this.#deps.store.moderation.bans(room, page);
  }

  async invite(room: string, { role, expiresInMs, uses }: NewInvitation, by: User): Promise<Invitation> {
    await this.#rooms.permit(room, by, "invite");
    const code = Buffer.from(this.#deps.runtime.randomBytes(18)).toString("base64url");
    const expiresAtMs = this.#untilMs(expiresInMs);
    const invitation = { code, role, by, expiresAtMs, ...(uses === undefined ? {} : { usesLeft: uses }) };
    await this.#deps.store.moderation.invite(room, invitation);
    return invitation;
  }

  async invitations(room: string, by: User, page: Page): Promise<PageOf<Invitation>> {
    await this.#rooms.permit(room, by, "invite");
    return this.#deps.store.moderation.invitations(room, page);
  }

  async revokeInvitation(room: string, code: string, by: User): Promise<void> {
    await this.#rooms.permit(room, by, "invite");
    await this.#deps.store.moderation.revokeInvitation(room, code, by);
  }

  /** Whoever is banned is answered as if there were no such code. */
  async redeem(code: string, user: User): Promise<ListedRoom> {
    const { store, limits, access, announce } = this.#deps;
    const room = await store.moderation.roomOfInvitation(code);
    if (room === undefined) throw unknownInvitation();
    const joined = await store.moderation.redeem(code, user, limits.membersPerRoomMax);
    const standing = await access.fresh(room, user.id);
    if (!standing || standing.bannedUntilMs > 0) throw unknownInvitation();
    if (!standing.member) throw new ChatError("limit_reached", "The room or the invitation is full.");
    if (joined) await announce();
    return { ...standing.room, role: standing.member.role };
  }

  async block(user: User, blocked: string): Promise<void> {
    if (user.id === blocked) throw new ChatError("invalid_field", "`user` must be somebody else.");
    await this.#deps.store.moderation.block(user, blocked);
    await this.#deps.announce();
  }

  async unblock(user: User, blocked: string): Promise<void> {
    await this.#deps.store.moderation.unblock(user, blocked);
    await this.#deps.announce();
  }

  blocks(user: User, page: Page): Promise<PageOf<string>> {
    return this.#deps.store.moderation.blocks(user.id, page);
  }

  /** Of every room and of the server; for its owner, who was asked for before. */
  trail(page: Page): Promise<PageOf<Change>> {
    return this.#deps.store.changes.listChanges(undefined, page);
  }

  async audit(room: string, by: User, page: Page): Promise<PageOf<Change>> {
    await this.#rooms.permit(room, by, "audit");
    return this.#deps.store.changes.listChanges(room, page);
  }

  /** How the one to be moderated stands to the room; throws when the other may not, or not with this one. */
  async #target(room: string, user: string, by: User, verb: Verb): Promise<Partial<Standing>> {
    const actor = await this.#rooms.permit(room, by, verb);
    const standing = await this.#deps.access.fresh(room, user);
    if (actor.member && !outranks(actor.member.role, standing?.member?.role))
      throw forbidden("You may moderate only those whose role is below yours.");
    return standing ?? {};
  }

  #untilMs(forMs: number | undefined): number {
    return forMs === undefined ? FOREVER_MS : Math.min(this.#deps.runtime.now() + forMs, FOREVER_MS);
  }
}

function unknownUser(): ChatError {
  return new ChatError("unknown_user", "The room has no such member.");
}

function unknownInvitation(): ChatError {
  return new ChatError("unknown_invitation", "No invitation has this code, or it is over.");
}
