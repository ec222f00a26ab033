/** Bans, invitations and blocks on Prisma. */
import { directKeyOf, FOREVER_MS } from "../core/room-store.ts";
import type { Ban, Invitation, ModerationStore, Page, PageOf } from "../core/room-store.ts";
import type { Role, User } from "../protocol.ts";
import { checkTexts, heldOwners, leavesOwner, noted, toPageOf, type Ask } from "./prisma-ask.ts";

export class PrismaModeration implements ModerationStore {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async ban(room: string, { user, reason, untilMs }: Ban, by: User): Promise<boolean> {
    checkTexts(room, user.id, user.name, reason, by.id, by.name);
    const until = new Date(untilMs);
    const changed = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH ${heldOwners(room)}, gone AS (
          DELETE FROM members WHERE room = ${room} AND "user" = ${user.id} AND ${leavesOwner(user.id)}
        ), done AS (
          INSERT INTO bans (room, "user", user_name, reason, until)
          SELECT ${room}, ${user.id}, ${user.name}, ${reason}, ${until}::timestamptz WHERE ${leavesOwner(user.id)}
          ON CONFLICT (room, "user") DO UPDATE SET reason = excluded.reason, until = excluded.until
          WHERE (bans.reason, bans.until) IS DISTINCT FROM (excluded.reason, excluded.until)
          RETURNING room, "user", user_name
        ) ${noted(by, "ban", { reason, ...(untilMs === FOREVER_MS ? {} : { untilMs }) })}`,
    );
    return changed > 0;
  }

  async unban(room: string, user: string, by: User): Promise<void> {
    checkTexts(room, user, by.id, by.name);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH done AS (DELETE FROM bans WHERE room = ${room} AND "user" = ${user} RETURNING room, "user", user_name)
        ${noted(by, "unban")}`,
    );
  }

  async bans(room: string, page: Page): Promise<PageOf<Ban>> {
    checkTexts(room, page.after);
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<{ user: string; user_name: string; reason: string; until: Date }[]>`
        SELECT "user", user_name, reason, until FROM bans
        WHERE room = ${room} AND until > now() AND "user" > ${page.after ?? ""}
        ORDER BY "user" LIMIT ${page.limit + 1}`,
    );
    const toBan = (row: (typeof rows)[number]): Ban => ({
      user: { id: row.user, name: row.user_name },
      reason: row.reason,
      untilMs: row.until.getTime(),
    });
    return toPageOf(rows, page, toBan, ({ user }) => user);
  }

  async invite(room: string, { code, role, by, expiresAtMs, usesLeft = null }: InvitationRow): Promise<void> {
    checkTexts(room, code, by.id, by.name);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH done AS (
          INSERT INTO invitations (code, room, role, by, by_name, uses_left, expires_at)
          VALUES (${code}, ${room}, ${role}, ${by.id}, ${by.name}, ${usesLeft}::int, ${new Date(expiresAtMs)}::timestamptz)
          ON CONFLICT DO NOTHING RETURNING room, NULL::text AS "user", NULL::text AS user_name
        ) ${noted(by, "invite", { role, expiresAtMs, usesLeft })}`,
    );
  }

  async invitations(room: string, page: Page): Promise<PageOf<Invitation>> {
    checkTexts(room, page.after);
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<Row[]>`
        SELECT code, role, by, by_name, uses_left, expires_at FROM invitations
        WHERE room = ${room} AND expires_at > now() AND uses_left IS DISTINCT FROM 0 AND code > ${page.after ?? ""}
        ORDER BY code LIMIT ${page.limit + 1}`,
    );
    return toPageOf(rows, page, toInvitation, ({ code }) => code);
  }

  async revokeInvitation(room: string, code: string, by: User): Promise<void> {
    checkTexts(room, code, by.id, by.name);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH done AS (
          DELETE FROM invitations WHERE room = ${room} AND code = ${code} RETURNING room, NULL::text AS "user", NULL::text AS user_name
        ) ${noted(by, "revoke")}`,
    );
  }

  async roomOfInvitation(code: string): Promise<string | undefined> {
    checkTexts(code);
    const [row] = await this.#ask(
      (prisma) => prisma.$queryRaw<{ room: string }[]>`
        SELECT room FROM invitations WHERE code = ${code} AND expires_at > now() AND uses_left IS DISTINCT FROM 0`,
    );
    return row?.room;
  }

  async redeem(code: string, user: User, membersMax: number): Promise<boolean> {
    checkTexts(code, user.id, user.name);
    const joined = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH used AS (
          UPDATE invitations SET uses_left = uses_left - 1
          WHERE code = ${code} AND expires_at > now() AND uses_left IS DISTINCT FROM 0
            AND NOT EXISTS (
              SELECT FROM bans WHERE room = invitations.room AND "user" = ${user.id} AND until > now())
            AND NOT EXISTS (SELECT FROM members WHERE room = invitations.room AND "user" = ${user.id})
            AND (SELECT count(*) FROM members WHERE room = invitations.room) < ${membersMax}
          RETURNING room, role
        ), done AS (
          INSERT INTO members (room, "user", user_name, role) SELECT room, ${user.id}, ${user.name}, role FROM used
          ON CONFLICT DO NOTHING RETURNING room, "user", user_name
        ) ${noted(user, "join", { invited: true })}`,
    );
    return joined > 0;
  }

  async block(user: User, blocked: string): Promise<void> {
    await this.#note(user, blocked, "block");
  }

  async unblock(user: User, blocked: string): Promise<void> {
    await this.#note(user, blocked, "unblock");
  }

  async blocks(user: string, page: Page): Promise<PageOf<string>> {
    checkTexts(user, page.after);
    const where = { user, blocked: { gt: page.after ?? "" } };
    const rows = await this.#ask((prisma) =>
      prisma.block.findMany({ where, orderBy: { blocked: "asc" }, take: page.limit + 1 }),
    );
    const idOf = ({ blocked }: (typeof rows)[number]) => blocked;
    return toPageOf(rows, page, idOf, idOf);
  }

  async isBlocked(one: string, other: string): Promise<boolean> {
    checkTexts(one, other);
    const where = {
      OR: [
        { user: one, blocked: other },
        { user: other, blocked: one },
      ],
    };
    return (await this.#ask((prisma) => prisma.block.count({ where }))) > 0;
  }

  /** The change is noted with the direct room of the two, where there is one: it is there that it takes effect. */
  async #note(user: User, blocked: string, action: "block" | "unblock"): Promise<void> {
    checkTexts(user.id, user.name, blocked);
    const key = directKeyOf([user.id, blocked]);
    await this.#ask((prisma) =>
      action === "block"
        ? prisma.$executeRaw`
            WITH made AS (
              INSERT INTO blocks ("user", blocked) VALUES (${user.id}, ${blocked}) ON CONFLICT DO NOTHING RETURNING blocked
            ), done AS (
              SELECT (SELECT id FROM rooms WHERE direct_key = ${key}) AS room, blocked AS "user", NULL::text AS user_name FROM made
            ) ${noted(user, action)}`
        : prisma.$executeRaw`
            WITH gone AS (
              DELETE FROM blocks WHERE "user" = ${user.id} AND blocked = ${blocked} RETURNING blocked
            ), done AS (
              SELECT (SELECT id FROM rooms WHERE direct_key = ${key}) AS room, blocked AS "user", NULL::text AS user_name FROM gone
            ) ${noted(user, action)}`,
    );
  }
}

type InvitationRow = Omit<Invitation, "usesLeft"> & { readonly usesLeft?: number | null };

interface Row {
  readonly code: string;
  readonly role: string;
  readonly by: string;
  readonly by_name: string;
  readonly uses_left: number | null;
  readonly expires_at: Date;
}

function toInvitation({ code, role, by, by_name, uses_left, expires_at }: Row): Invitation {
  return {
    code,
    role: role as Role,
    by: { id: by, name: by_name },
    expiresAtMs: expires_at.getTime(),
    ...(uses_left === null ? {} : { usesLeft: uses_left }),
  };
}
