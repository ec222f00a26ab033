/** Bans, invitations and blocks in simulated Postgres. */
import {
  directKeyOf,
  FOREVER_MS,
  type Ban,
  type Invitation,
  type ModerationStore,
  type Page,
  type PageOf,
} from "../../core/room-store.ts";
import type { User } from "../../protocol.ts";
import { checkTexts, pageOf, type RoomsState } from "./rooms-state.ts";

export class MemoryModeration implements ModerationStore {
  readonly #state: RoomsState;

  constructor(state: RoomsState) {
    this.#state = state;
  }

  async ban(room: string, ban: Ban, by: User): Promise<boolean> {
    const { user, reason, untilMs } = ban;
    checkTexts(room, user.id, user.name, reason, by.id, by.name);
    if (this.#state.isLastOwner(room, user.id)) return false;
    this.#state.membersOf(room).delete(user.id);
    const bans = this.#state.bansOf(room);
    const known = bans.get(user.id);
    if (known?.reason === reason && known.untilMs === untilMs) return false;
    bans.set(user.id, ban);
    const detail = { reason, ...(untilMs === FOREVER_MS ? {} : { untilMs }) };
    this.#state.note("ban", by, { room, user, detail });
    return true;
  }

  async unban(room: string, user: string, by: User): Promise<void> {
    checkTexts(room, user, by.id, by.name);
    const ban = this.#state.bansOf(room).get(user);
    if (!ban) return;
    this.#state.bansOf(room).delete(user);
    this.#state.note("unban", by, { room, user: ban.user });
  }

  async bans(room: string, page: Page): Promise<PageOf<Ban>> {
    checkTexts(room, page.after);
    const inForce = [...this.#state.bansOf(room).values()].filter(
      ({ user, untilMs }) => untilMs > this.#state.nowMs() && user.id > (page.after ?? ""),
    );
    return pageOf(
      inForce.sort((a, b) => (a.user.id < b.user.id ? -1 : 1)),
      page,
      ({ user }) => user.id,
    );
  }

  async invite(room: string, invitation: Invitation): Promise<void> {
    const { code, role, by, expiresAtMs, usesLeft = null } = invitation;
    checkTexts(room, code, by.id, by.name);
    if (this.#state.invitations.has(code)) return;
    this.#state.invitations.set(code, { room, invitation });
    this.#state.note("invite", by, { room, detail: { role, expiresAtMs, usesLeft } });
  }

  async invitations(room: string, page: Page): Promise<PageOf<Invitation>> {
    checkTexts(room, page.after);
    const inForce = [...this.#state.invitations.values()]
      .filter((row) => row.room === room && this.#isInForce(row.invitation))
      .map(({ invitation }) => invitation)
      .filter(({ code }) => code > (page.after ?? ""));
    return pageOf(
      inForce.sort((a, b) => (a.code < b.code ? -1 : 1)),
      page,
      ({ code }) => code,
    );
  }

  async revokeInvitation(room: string, code: string, by: User): Promise<void> {
    checkTexts(room, code, by.id, by.name);
    if (this.#state.invitations.get(code)?.room !== room) return;
    this.#state.invitations.delete(code);
    this.#state.note("revoke", by, { room });
  }

  async roomOfInvitation(code: string): Promise<string | undefined> {
    checkTexts(code);
    const row = this.#state.invitations.get(code);
    return row && this.#isInForce(row.invitation) ? row.room : undefined;
  }

  async redeem(code: string, user: User, membersMax: number): Promise<boolean> {
    checkTexts(code, user.id, user.name);
    const row = this.#state.invitations.get(code);
    if (!row || !this.#isInForce(row.invitation)) return false;
    const members = this.#state.membersOf(row.room);
    if (members.has(user.id) || members.size >= membersMax || this.#state.isBanned(row.room, user.id))
      return false;
    const { usesLeft, role } = row.invitation;
    if (usesLeft !== undefined) row.invitation = { ...row.invitation, usesLeft: usesLeft - 1 };
    members.set(user.id, { name: user.name, role, mutedUntilMs: 0 });
    this.#state.note("join", user, { room: row.room, user, detail: { invited: true } });
    return true;
  }

  async block(user: User, blocked: string): Promise<void> {
    checkTexts(user.id, user.name, blocked);
    const pair = `${user.id} ${blocked}`;
    if (this.#state.blocks.has(pair)) return;
    this.#state.blocks.add(pair);
    this.#noteBlock("block", user, blocked);
  }

  async unblock(user: User, blocked: string): Promise<void> {
    checkTexts(user.id, user.name, blocked);
    if (this.#state.blocks.delete(`${user.id} ${blocked}`)) this.#noteBlock("unblock", user, blocked);
  }

  async blocks(user: string, page: Page): Promise<PageOf<string>> {
    checkTexts(user, page.after);
    const pairs = [...this.#state.blocks].map((pair) => pair.split(" "));
    const blocked = pairs.flatMap(([by, id = ""]) => (by === user && id > (page.after ?? "") ? [id] : []));
    return pageOf(blocked.sort(), page, (id) => id);
  }

  async isBlocked(one: string, other: string): Promise<boolean> {
    checkTexts(one, other);
    return this.#state.blocks.has(`${one} ${other}`) || this.#state.blocks.has(`${other} ${one}`);
  }

  /** Noted with the direct room of the two, where there is one. */
  #noteBlock(action: "block" | "unblock", by: User, blocked: string): void {
    const directKey = directKeyOf([by.id, blocked]);
    const room = [...this.#state.rooms.values()].find((row) => row.directKey === directKey)?.info.id;
    this.#state.note(action, by, { room, user: { id: blocked, name: "" } });
  }

  #isInForce({ expiresAtMs, usesLeft }: Invitation): boolean {
    return expiresAtMs > this.#state.nowMs() && usesLeft !== 0;
  }
}
