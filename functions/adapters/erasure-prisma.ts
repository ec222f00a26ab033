/** The end of an account on Prisma: what is personal goes, what was said stays under the common name. */
import { deletedSubject } from "../core/deleted-users.ts";
import type { Deletion, ErasureStore } from "../core/own-data.ts";
import { FOREVER_MS } from "../core/room-store.ts";
import { Prisma } from "../generated/prisma/client.ts";
import { DELETED_NAME, LOBBY } from "../protocol.ts";
import { checkTexts, type Ask } from "./prisma-ask.ts";

/** Part of the statement, not a parameter, since the partial index is found by it; it has no quotes. */
const NAME = Prisma.raw(`'${DELETED_NAME}'`);
const PREFIX = deletedSubject("");

export class PrismaErasure implements ErasureStore {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async deleteAccount(user: string): Promise<Deletion> {
    checkTexts(user);
    const subjects = [deletedSubject(user), `user:${user}`];
    // The owners of its rooms are held until the end: of two who leave one room to nobody the second sees the first's work.
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<{ ownerless: string[]; owns_server: boolean; deleted: boolean }[]>`
        WITH owners_held AS (
          SELECT room, "user" FROM members
          WHERE role = 'owner' AND room IN (SELECT room FROM members WHERE "user" = ${user} AND role = 'owner')
          ORDER BY room, "user" FOR UPDATE
        ), ownerless AS (
          SELECT room FROM owners_held GROUP BY room
          HAVING bool_and("user" = ${user})
            AND EXISTS (SELECT FROM members WHERE members.room = owners_held.room AND members."user" <> ${user})
        ), server AS (
          SELECT FROM owners WHERE "user" = ${user} AND EXISTS (SELECT FROM users WHERE id <> ${user})
        ), gone AS (
          INSERT INTO revocations (subject, until)
          SELECT subject, ${new Date(FOREVER_MS)}::timestamptz FROM unnest(${subjects}::text[]) AS given (subject)
          WHERE NOT EXISTS (SELECT FROM ownerless) AND NOT EXISTS (SELECT FROM server)
          ORDER BY subject
          ON CONFLICT (subject) DO UPDATE SET until = excluded.until RETURNING subject
        ), leaving AS (SELECT ${user}::text AS id WHERE EXISTS (SELECT FROM gone)), ${erased()}, trail AS (
          INSERT INTO changes (room, "user", user_name, by, by_name, action, detail)
          ${leftLines()}
          UNION ALL SELECT NULL, id, ${NAME}, id, ${NAME}, 'delete-account', '{}'::jsonb FROM leaving
            WHERE NOT EXISTS (SELECT FROM revocations WHERE subject = ${deletedSubject(user)})
        )
        SELECT ARRAY(SELECT name FROM rooms WHERE id IN (SELECT room FROM ownerless) ORDER BY name LIMIT 10) AS ownerless,
          EXISTS (SELECT FROM server) AS owns_server, EXISTS (SELECT FROM gone) AS deleted`,
    );
    const [row] = rows;
    return {
      isDeleted: row?.deleted ?? false,
      ownerless: row?.ownerless ?? [],
      ownsServer: row?.owns_server ?? false,
    };
  }

  async eraseAgain(): Promise<void> {
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH leaving AS (
          SELECT substr(subject, ${PREFIX.length + 1}::int) AS id FROM revocations
          WHERE starts_with(subject, ${PREFIX}) AND at > now() - interval '1 day'
        ), ${erased()}
        INSERT INTO changes (room, "user", user_name, by, by_name, action, detail) ${leftLines()}`,
    );
  }

  /** One look into the index for each of them, whatever the planner thinks of their number. */
  eraseNames(limit: number): Promise<number> {
    return this.#ask(
      (prisma) => prisma.$executeRaw`
        UPDATE events SET user_name = ${NAME} WHERE (room, id) IN (
          SELECT named.room, named.id FROM revocations CROSS JOIN LATERAL (
            SELECT room, id FROM events
            WHERE user_id = substr(subject, ${PREFIX.length + 1}::int) AND user_name <> ${NAME} LIMIT ${limit}
          ) AS named
          WHERE starts_with(subject, ${PREFIX}) LIMIT ${limit})`,
    );
  }
}

/** Parts of a statement: takes out of every table what is there of those in `leaving (id)`. Sessions and ways to sign in go with the user. */
function erased(): Prisma.Sql {
  return Prisma.sql`
    left_rooms AS (DELETE FROM members WHERE "user" IN (SELECT id FROM leaving) RETURNING room, "user"),
    emptied AS (
      UPDATE rooms SET archived_at = now()
      WHERE id IN (SELECT room FROM left_rooms) AND archived_at IS NULL AND id <> ${LOBBY} AND NOT EXISTS (
        SELECT FROM members WHERE room = rooms.id AND "user" NOT IN (SELECT id FROM leaving))
    ),
    gone_users AS (DELETE FROM users WHERE id IN (SELECT id FROM leaving)),
    gone_proofs AS (DELETE FROM verifications USING leaving WHERE position(leaving.id IN value) > 0),
    gone_owner AS (DELETE FROM owners WHERE "user" IN (SELECT id FROM leaving)),
    gone_marks AS (DELETE FROM read_marks WHERE user_id IN (SELECT id FROM leaving)),
    gone_blocks AS (
      DELETE FROM blocks WHERE "user" IN (SELECT id FROM leaving) OR blocked IN (SELECT id FROM leaving)),
    gone_bans AS (DELETE FROM bans WHERE "user" IN (SELECT id FROM leaving)),
    renamed_invitations AS (
      UPDATE invitations SET by_name = ${NAME} WHERE by IN (SELECT id FROM leaving) AND by_name <> ${NAME}),
    renamed_changes AS (
      UPDATE changes SET
        user_name = CASE WHEN "user" IN (SELECT id FROM leaving) THEN ${NAME} ELSE user_name END,
        by_name = CASE WHEN by IN (SELECT id FROM leaving) THEN ${NAME} ELSE by_name END
      WHERE ("user" IN (SELECT id FROM leaving) AND user_name <> ${NAME})
        OR (by IN (SELECT id FROM leaving) AND by_name <> ${NAME})
    )`;
}

/** Lines of the trail, by which nodes learn who has left which room. */
function leftLines(): Prisma.Sql {
  return Prisma.sql`SELECT room, "user", ${NAME}, "user", ${NAME}, 'leave', '{}'::jsonb FROM left_rooms`;
}
