/** Members of rooms on Prisma. */
import type { Member, MemberStore, Page, PageOf } from "../core/room-store.ts";
import type { Role, User } from "../protocol.ts";
import { checkTexts, heldOwners, leavesOwner, noted, toPageOf, type Ask } from "./prisma-ask.ts";

export class PrismaMembers implements MemberStore {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async addMember(room: string, user: User, membersMax: number): Promise<void> {
    checkTexts(room, user.id, user.name);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH done AS (
          INSERT INTO members (room, "user", user_name)
          SELECT id, ${user.id}, ${user.name} FROM rooms WHERE id = ${room}
            AND NOT EXISTS (SELECT FROM bans WHERE room = ${room} AND "user" = ${user.id} AND until > now())
            AND (SELECT count(*) FROM members WHERE room = ${room}) < ${membersMax}
          ON CONFLICT DO NOTHING RETURNING room, "user", user_name
        ) ${noted(user, "join")}`,
    );
  }

  async removeMember(
    room: string,
    user: string,
    by: User,
    { action, reason }: { action: "leave" | "remove"; reason?: string },
  ): Promise<boolean> {
    checkTexts(room, user, by.id, by.name, reason);
    const changed = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH ${heldOwners(room)}, done AS (
          DELETE FROM members WHERE room = ${room} AND "user" = ${user} AND ${leavesOwner(user)}
          RETURNING room, "user", user_name
        ) ${noted(by, action, reason === undefined ? {} : { reason })}`,
    );
    return changed > 0;
  }

  async setRole(room: string, user: string, role: Role, by: User): Promise<boolean> {
    checkTexts(room, user, by.id, by.name);
    const changed = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH ${heldOwners(room)}, done AS (
          UPDATE members SET role = ${role}
          WHERE room = ${room} AND "user" = ${user} AND role <> ${role} AND ${leavesOwner(user)}
          RETURNING room, "user", user_name
        ) ${noted(by, "role", { role })}`,
    );
    return changed > 0;
  }

  async mute(room: string, user: string, untilMs: number, by: User): Promise<void> {
    checkTexts(room, user, by.id, by.name);
    const until = untilMs === 0 ? null : new Date(untilMs);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH done AS (
          UPDATE members SET muted_until = ${until}::timestamptz
          WHERE room = ${room} AND "user" = ${user} AND muted_until IS DISTINCT FROM ${until}::timestamptz
          RETURNING room, "user", user_name
        ) ${noted(by, "mute", { untilMs })}`,
    );
  }

  async members(room: string, page: Page): Promise<PageOf<Member>> {
    checkTexts(room, page.after);
    const where = { room, user: { gt: page.after ?? "" } };
    const rows = await this.#ask((prisma) =>
      prisma.member.findMany({ where, orderBy: { user: "asc" }, take: page.limit + 1 }),
    );
    const toMember = ({ user, userName, role, mutedUntil }: (typeof rows)[number]): Member => ({
      id: user,
      name: userName,
      role: role as Role,
      mutedUntilMs: mutedUntil?.getTime() ?? 0,
    });
    return toPageOf(rows, page, toMember, ({ user }) => user);
  }

  async people(ids: readonly string[]): Promise<readonly User[]> {
    checkTexts(...ids);
    return this.#ask(
      (prisma) => prisma.$queryRaw<User[]>`
        SELECT DISTINCT ON ("user") "user" AS id, user_name AS name FROM members
        WHERE "user" = ANY(${[...ids]}::text[]) AND user_name <> '' ORDER BY "user", joined_at DESC`,
    );
  }
}
