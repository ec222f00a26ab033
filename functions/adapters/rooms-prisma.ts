/** Rooms on Prisma, and how users stand to them. */
import { fromBigInt } from "../core/position.ts";
import {
  directKeyOf,
  type ListedRoom,
  type Page,
  type PageOf,
  type Pair,
  type RoomChanges,
  type RoomStore,
  type Standing,
  UNREAD_EVENTS_MAX,
} from "../core/room-store.ts";
import { Prisma, type Room as RoomRow } from "../generated/prisma/client.ts";
import type { Role, RoomInfo, RoomKind, User } from "../protocol.ts";
import { checkTexts, noted, readTimeKey, timeKey, toPageOf, type Ask } from "./prisma-ask.ts";

type Columns = Pick<RoomRow, "id" | "slug" | "kind" | "name" | "topic"> & { archived_at: Date | null };
type Listed = Columns & { created_at: Date; role: string | null; read: bigint | null; unread: number };
type Stand = Columns & {
  n: bigint;
  user_name: string | null;
  role: string | null;
  muted_until: Date | null;
  banned_until: Date | null;
  blocked: boolean;
  was_member: boolean;
};

const COLUMNS = Prisma.sql`rooms.id, rooms.slug, rooms.kind, rooms.name, rooms.topic, rooms.archived_at`;

export class PrismaRooms implements RoomStore {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async createRoom({ id, slug, kind, name, topic }: RoomInfo, by: User): Promise<boolean> {
    checkTexts(id, slug, name, topic, by.id, by.name);
    const made = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH made AS (
          INSERT INTO rooms (id, slug, kind, name, topic) VALUES (${id}, ${slug}, ${kind}, ${name}, ${topic})
          ON CONFLICT DO NOTHING RETURNING id
        ), done AS (
          INSERT INTO members (room, "user", user_name, role) SELECT id, ${by.id}, ${by.name}, 'owner' FROM made
          RETURNING room, "user", user_name
        ) ${noted(by, "create", { name, kind })}`,
    );
    return made > 0 || (await this.#ask((prisma) => prisma.room.count({ where: { id } }))) > 0;
  }

  async openDirect({ id, slug, name }: RoomInfo, people: readonly User[], by: User): Promise<RoomInfo> {
    const ids = people.map((user) => user.id);
    const names = people.map((user) => user.name);
    checkTexts(id, slug, name, ...ids, ...names);
    const directKey = directKeyOf(ids);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH made AS (
          INSERT INTO rooms (id, slug, kind, name, direct_key) VALUES (${id}, ${slug}, 'direct', ${name}, ${directKey})
          ON CONFLICT DO NOTHING RETURNING id
        ), done AS (
          INSERT INTO members (room, "user", user_name)
          SELECT made.id, person.id, person.name
          FROM made, unnest(${ids}::text[], ${names}::text[]) AS person (id, name)
          ON CONFLICT DO NOTHING RETURNING room, "user", user_name
        ) ${noted(by, "create", { kind: "direct" })}`,
    );
    const row = await this.#ask((prisma) => prisma.room.findUniqueOrThrow({ where: { directKey } }));
    return toRoom({ ...row, archived_at: row.archivedAt });
  }

  async updateRoom(room: string, changes: RoomChanges, by: User): Promise<void> {
    const { name = null, topic = null, archived = null } = changes;
    checkTexts(room, changes.name, changes.topic);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH done AS (
          UPDATE rooms SET
            name = coalesce(${name}::text, name),
            topic = coalesce(${topic}::text, topic),
            archived_at = CASE ${archived}::boolean
              WHEN true THEN coalesce(archived_at, now()) WHEN false THEN NULL ELSE archived_at END
          WHERE id = ${room} AND (
            name IS DISTINCT FROM coalesce(${name}::text, name) OR topic IS DISTINCT FROM coalesce(${topic}::text, topic)
            OR (archived_at IS NOT NULL) IS DISTINCT FROM coalesce(${archived}::boolean, archived_at IS NOT NULL))
          RETURNING id AS room, NULL::text AS "user", NULL::text AS user_name
        ) ${noted(by, "update", changes)}`,
    );
  }

  async idOfSlug(slug: string): Promise<string | undefined> {
    checkTexts(slug);
    return (await this.#ask((prisma) => prisma.room.findUnique({ where: { slug } })))?.id;
  }

  async listRooms(user: string, mine: boolean, page: Page): Promise<PageOf<ListedRoom>> {
    checkTexts(user, page.after);
    const { at, id } = readTimeKey(page.after ?? "");
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<Listed[]>`
        WITH listed AS MATERIALIZED (
          SELECT ${COLUMNS}, rooms.created_at, members.role,
            -- The first position of the millisecond.
            (extract(epoch FROM members.joined_at) * 1000)::bigint << 20 AS joined
          FROM rooms LEFT JOIN members ON members.room = rooms.id AND members."user" = ${user}
          WHERE (rooms.created_at, rooms.id) > (${at}::timestamptz, ${id}::text) AND (
            members."user" IS NOT NULL
            OR (NOT ${mine}::boolean AND rooms.kind = 'public' AND rooms.archived_at IS NULL))
          ORDER BY rooms.created_at, rooms.id LIMIT ${page.limit + 1}
        ), marked AS (
          SELECT listed.*, CASE WHEN role IS NOT NULL THEN greatest(joined, position) END AS read
          FROM listed LEFT JOIN read_marks ON read_marks.user_id = ${user} AND read_marks.room = listed.id
        )
        SELECT marked.*, (
          SELECT count(*) FILTER (WHERE user_id <> ${user})::int FROM (
            SELECT user_id FROM events WHERE events.room = marked.id AND events.position > marked.read
            ORDER BY events.position LIMIT ${UNREAD_EVENTS_MAX}
          ) AS behind
        ) AS unread
        FROM marked ORDER BY created_at, id`,
    );
    return toPageOf(rows, page, toListed, (row) => timeKey({ at: row.created_at, id: row.id }));
  }

  async allRooms(page: Page): Promise<PageOf<RoomInfo>> {
    checkTexts(page.after);
    const { at, id } = readTimeKey(page.after ?? "");
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<(Columns & { created_at: Date })[]>`
        SELECT ${COLUMNS}, rooms.created_at FROM rooms
        WHERE (rooms.created_at, rooms.id) > (${at}::timestamptz, ${id}::text)
        ORDER BY rooms.created_at, rooms.id LIMIT ${page.limit + 1}`,
    );
    return toPageOf(rows, page, toRoom, (row) => timeKey({ at: row.created_at, id: row.id }));
  }

  async standings(pairs: readonly Pair[]): Promise<readonly (Standing | undefined)[]> {
    if (pairs.length === 0) return [];
    const rooms = pairs.map(([room]) => room);
    const users = pairs.map(([, user]) => user);
    checkTexts(...rooms, ...users);
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<Stand[]>`
        SELECT asked.n, ${COLUMNS}, members.user_name, members.role, members.muted_until, bans.until AS banned_until,
          EXISTS (
            SELECT FROM blocks WHERE asked."user" IN (blocks."user", blocks.blocked) AND rooms.direct_key
              IN (blocks."user" || ' ' || blocks.blocked, blocks.blocked || ' ' || blocks."user")
          ) AS blocked,
          EXISTS (
            SELECT FROM changes WHERE changes.room = rooms.id AND changes."user" = asked."user"
              AND changes.action IN ('leave', 'remove', 'ban')
          ) AS was_member
        FROM unnest(${rooms}::text[], ${users}::text[]) WITH ORDINALITY AS asked (room, "user", n)
        JOIN rooms ON rooms.id = asked.room
        LEFT JOIN members ON members.room = asked.room AND members."user" = asked."user"
        LEFT JOIN bans ON bans.room = asked.room AND bans."user" = asked."user" AND bans.until > now()`,
    );
    const standings = new Map(rows.map((row) => [Number(row.n), toStanding(row)]));
    return pairs.map((_, index) => standings.get(index + 1));
  }

  async ownedRooms(user: string): Promise<number> {
    checkTexts(user);
    return this.#ask((prisma) => prisma.member.count({ where: { user, role: "owner" } }));
  }
}

function toRoom({ id, slug, kind, name, topic, archived_at }: Columns): RoomInfo {
  return { id, slug, kind: kind as RoomKind, name, topic, archived: archived_at !== null };
}

function toListed(row: Listed): ListedRoom {
  const { role, read, unread } = row;
  if (role === null || read === null) return toRoom(row);
  return { ...toRoom(row), role: role as Role, read: fromBigInt(read), unread };
}

function toStanding(row: Stand): Standing {
  const member = {
    name: row.user_name ?? "",
    role: row.role as Role,
    mutedUntilMs: row.muted_until?.getTime() ?? 0,
  };
  return {
    room: toRoom(row),
    ...(row.role === null ? {} : { member }),
    bannedUntilMs: row.banned_until?.getTime() ?? 0,
    blocked: row.blocked,
    wasMember: row.was_member,
  };
}
