/** What is kept of a person on Prisma, read in pages, each from where the one before ended: a million messages are never held at once. */
import type { OwnChange, OwnMessage, OwnRecord } from "../core/own-data.ts";
import { fromBigInt, toBigInt, toMs, ZERO } from "../core/position.ts";
import type { Action } from "../core/room-store.ts";
import { Prisma } from "../generated/prisma/client.ts";
import { DELETED_NAME, type RoomKind, type User } from "../protocol.ts";
import { checkTexts, type Ask } from "./prisma-ask.ts";

/** A message has up to 8 KiB, so a page has a few MiB at most. */
const PAGE = 500;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

type Reading<Row> = (after: Row | undefined) => Promise<readonly Row[]>;

export async function* readOwnData(ask: Ask, user: User): AsyncIterable<readonly OwnRecord[]> {
  checkTexts(user.id);
  yield await profile(ask, user);
  yield* paged(sessions(ask, user.id), ({ id, createdAt, expiresAt, userAgent }) => {
    const browser = userAgent ? { userAgent } : {};
    return { type: "session", id, atMs: createdAt.getTime(), expiresAtMs: expiresAt.getTime(), ...browser };
  });
  yield* paged(bots(ask, user.id), ({ id, name, createdAt }) => {
    return { type: "bot", user: { id, name }, atMs: createdAt.getTime() };
  });
  yield* paged(rooms(ask, user.id), toRoom);
  yield* paged(marks(ask, user.id), ({ room, position }) => {
    return { type: "read", room, position: fromBigInt(position) };
  });
  yield* paged(bans(ask, user.id), ({ room, reason, until }) => {
    return { type: "ban", room, reason, untilMs: until.getTime() };
  });
  yield* paged(blocks(ask, user.id), ({ blocked, at }) => {
    return { type: "block", user: blocked, atMs: at.getTime() };
  });
  yield* paged(invitations(ask, user.id), ({ room, code, at }) => {
    return { type: "invitation", room, code, atMs: at.getTime() };
  });
  yield* paged(changes(ask, user.id), (row) => toChange(row, user.id));
  yield* paged(messages(ask, user.id), toMessage);
}

async function* paged<Row>(
  read: Reading<Row>,
  toRecord: (row: Row) => OwnRecord,
): AsyncIterable<readonly OwnRecord[]> {
  for (let after: Row | undefined; ;) {
    const rows = await read(after);
    if (rows.length > 0) yield rows.map(toRecord);
    if (rows.length < PAGE) return;
    after = rows.at(-1);
  }
}

/** The account, if there is one, and the ways to sign in to it, of which there are few. */
async function profile(ask: Ask, { id, name }: User): Promise<readonly OwnRecord[]> {
  const row = await ask((prisma) => prisma.user.findUnique({ where: { id }, include: { accounts: true } }));
  if (row === null) return [{ type: "profile", user: { id, name } }];
  const { email, emailVerified: isVerified, image, color, createdAt, accounts } = row;
  const more = { ...(image === null ? {} : { image }), ...(color === null ? {} : { color }) };
  const account = { email, isVerified, ...more, atMs: createdAt.getTime() };
  const signIns = accounts.map((way): OwnRecord => {
    const { providerId: provider, accountId, createdAt: madeAt } = way;
    return { type: "sign-in", provider, accountId, atMs: madeAt.getTime() };
  });
  return [{ type: "profile", user: { id, name: row.name }, account }, ...signIns];
}

function sessions(ask: Ask, userId: string) {
  return (after?: { id: string }) =>
    ask((prisma) =>
      prisma.session.findMany({
        where: { userId, id: { gt: after?.id ?? "" } },
        orderBy: { id: "asc" },
        take: PAGE,
        select: { id: true, createdAt: true, expiresAt: true, userAgent: true },
      }),
    );
}

function bots(ask: Ask, createdBy: string) {
  return (after?: { id: string }) =>
    ask((prisma) =>
      prisma.bot.findMany({
        where: { createdBy, id: { gt: after?.id ?? "" } },
        orderBy: { id: "asc" },
        take: PAGE,
      }),
    );
}

interface RoomRow {
  readonly id: string;
  readonly slug: string;
  readonly kind: string;
  readonly name: string;
  readonly topic: string;
  readonly archived: boolean;
  readonly role: string;
  readonly joined_at: Date;
}

function rooms(ask: Ask, user: string): Reading<RoomRow> {
  return (after) =>
    ask(
      (prisma) => prisma.$queryRaw<RoomRow[]>`
        SELECT id, slug, kind, name, topic, archived_at IS NOT NULL AS archived, role, joined_at
        FROM members JOIN rooms ON rooms.id = members.room
        WHERE members."user" = ${user} AND members.room > ${after?.id ?? ""} ORDER BY members.room LIMIT ${PAGE}`,
    );
}

function toRoom({ id, slug, kind, name, topic, archived, role, joined_at }: RoomRow): OwnRecord {
  const room = { id, slug, kind: kind as RoomKind, name, topic, archived };
  return { type: "room", room, role, joinedAtMs: joined_at.getTime() };
}

function marks(ask: Ask, userId: string) {
  return (after?: { room: string }) =>
    ask((prisma) =>
      prisma.readMark.findMany({
        where: { userId, room: { gt: after?.room ?? "" } },
        orderBy: { room: "asc" },
        take: PAGE,
      }),
    );
}

function bans(ask: Ask, user: string) {
  return (after?: { room: string }) =>
    ask((prisma) =>
      prisma.ban.findMany({
        where: { user, room: { gt: after?.room ?? "" } },
        orderBy: { room: "asc" },
        take: PAGE,
      }),
    );
}

function blocks(ask: Ask, user: string) {
  return (after?: { blocked: string }) =>
    ask((prisma) =>
      prisma.block.findMany({
        where: { user, blocked: { gt: after?.blocked ?? "" } },
        orderBy: { blocked: "asc" },
        take: PAGE,
      }),
    );
}

function invitations(ask: Ask, by: string) {
  return (after?: { code: string }) =>
    ask((prisma) =>
      prisma.invitation.findMany({
        where: { by, code: { gt: after?.code ?? "" } },
        orderBy: { code: "asc" },
        take: PAGE,
      }),
    );
}

interface ChangeRow {
  readonly id: string;
  readonly at: Date;
  readonly room: string | null;
  readonly user: string | null;
  readonly by: string;
  readonly action: string;
  readonly detail: Record<string, unknown>;
}

/** Each half by an index of its own. */
function changes(ask: Ask, user: string): Reading<ChangeRow> {
  return (after) => {
    const { at, id } = after ?? { at: new Date(0), id: FIRST_ID };
    const half = (column: Prisma.Sql) => Prisma.sql`
      (SELECT id, at, room, "user", by, action, detail FROM changes
       WHERE ${column} = ${user} AND (at, id) > (${at}::timestamptz, ${id}::uuid) ORDER BY at, id LIMIT ${PAGE})`;
    return ask(
      (prisma) => prisma.$queryRaw<ChangeRow[]>`
        SELECT * FROM (${half(Prisma.sql`"user"`)} UNION ${half(Prisma.sql`by`)}) AS both_halves
        ORDER BY at, id LIMIT ${PAGE}`,
    );
  };
}

function toChange({ at, room, user, by, action, detail }: ChangeRow, me: string): OwnChange {
  const where = room === null ? {} : { room };
  const part = { byMe: by === me, aboutMe: user === me };
  return { type: "change", atMs: at.getTime(), ...where, action: action as Action, ...part, detail };
}

interface MessageRow {
  readonly room: string;
  readonly position: bigint;
  readonly id: string;
  readonly body: string;
  readonly reply_to: string | null;
}

/** By the partial index, whose condition is part of the statement; nobody who is not deleted has that name. */
function messages(ask: Ask, user: string): Reading<MessageRow> {
  return (after) => {
    const { room, position } = after ?? { room: "", position: toBigInt(ZERO) };
    return ask(
      (prisma) => prisma.$queryRaw<MessageRow[]>`
        SELECT room, position, id, body, reply_to FROM events
        WHERE user_id = ${user} AND user_name <> ${Prisma.raw(`'${DELETED_NAME}'`)}
          AND (position, room) > (${position}, ${room}) ORDER BY position, room LIMIT ${PAGE}`,
    );
  };
}

function toMessage({ room, position, id, body, reply_to }: MessageRow): OwnMessage {
  const place = fromBigInt(position);
  const reply = reply_to === null ? {} : { replyTo: reply_to };
  return { type: "message", room, position: place, id, at: toMs(place), body, ...reply };
}
