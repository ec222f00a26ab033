/** Store on Prisma: the same statements on PostgreSQL and on PGlite, so none that needs a session, a lock or a notification. */
import { fromBigInt, isPosition, toBigInt, toMs, type Position } from "../core/position.ts";
import { UnstorableError, type EventPage, type InsertResult, type Store } from "../core/store.ts";
import { deletedSubject } from "../core/deleted-users.ts";
import { firstUuidAt } from "../core/uuid.ts";
import { Prisma, type Event } from "../generated/prisma/client.ts";
import { DELETED_NAME, type RoomEvent } from "../protocol.ts";
import type { Database } from "./database.ts";
import { asking, checkTexts, type Ask } from "./prisma-ask.ts";
import { PrismaChanges } from "./changes-prisma.ts";
import { PostgresEventPeriods } from "./event-periods-postgres.ts";
import { PrismaErasure } from "./erasure-prisma.ts";
import { PrismaMembers } from "./members-prisma.ts";
import { PrismaModeration } from "./moderation-prisma.ts";
import { PrismaReadMarks } from "./read-marks-prisma.ts";
import { PrismaRooms } from "./rooms-prisma.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class PrismaStore implements Store {
  readonly #database: Database;
  readonly #ask: Ask;
  readonly periods: PostgresEventPeriods;
  readonly rooms: PrismaRooms;
  readonly members: PrismaMembers;
  readonly moderation: PrismaModeration;
  readonly changes: PrismaChanges;
  readonly readMarks: PrismaReadMarks;
  readonly erasure: PrismaErasure;

  constructor(database: Database) {
    this.#database = database;
    this.#ask = asking(database);
    this.periods = new PostgresEventPeriods(database);
    this.rooms = new PrismaRooms(this.#ask);
    this.members = new PrismaMembers(this.#ask);
    this.moderation = new PrismaModeration(this.#ask);
    this.changes = new PrismaChanges(this.#ask);
    this.readMarks = new PrismaReadMarks(this.#ask);
    this.erasure = new PrismaErasure(this.#ask);
  }

  async insertEvents(events: readonly RoomEvent[]): Promise<InsertResult> {
    if (events.length === 0) return { inserted: 0, conflicts: [] };
    events.forEach(checkEvent);
    const rooms = events.map(({ room }) => room);
    const ids = events.map(({ id }) => id);
    const positions = events.map(({ position }) => position);
    const senders = events.map(({ user }) => user.id);
    const tombstones = [...new Set(senders)].map(deletedSubject);
    // In the order of the key: two writers of the same events would otherwise wait for each other in a circle.
    const inserted = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH deleted AS MATERIALIZED (SELECT subject FROM revocations WHERE subject = ANY(${tombstones}::text[]))
        INSERT INTO events (room, id, position, prev, kind, user_id, user_name, body, reply_to)
        SELECT room, id, position, prev, kind, user_id,
          CASE WHEN ${deletedSubject("")} || user_id IN (SELECT subject FROM deleted) THEN ${DELETED_NAME} ELSE user_name END,
          body, reply_to
        FROM json_to_recordset(${toRows(events)}::json) AS given (
          room text, id uuid, position bigint, prev bigint, kind text, user_id text, user_name text, body text,
          reply_to uuid
        )
        ORDER BY room, id, position
        ON CONFLICT DO NOTHING`,
    );
    const places = new Set(events.map(({ room, id, position }) => `${position} ${id} ${room}`));
    if (inserted === places.size) return { inserted, conflicts: [] };
    return { inserted, conflicts: await this.#conflicts(rooms, ids, positions) };
  }

  async #conflicts(
    rooms: string[],
    ids: string[],
    positions: Position[],
  ): Promise<InsertResult["conflicts"]> {
    return this.#ask(
      (prisma) => prisma.$queryRaw<{ room: string; id: string; position: Position }[]>`
        SELECT DISTINCT given.room, given.id, given.position
        FROM unnest(${rooms}::text[], ${ids}::text[], ${positions}::text[]) AS given (room, id, position)
        JOIN events ON events.room = given.room AND events.id = given.id::uuid
        WHERE events.position <> given.position::bigint`,
    );
  }

  async eventsBefore(room: string, before: Position | undefined, limit: number): Promise<EventPage> {
    checkTexts(room);
    const below = before === undefined ? {} : { position: { lt: toBigInt(before) } };
    const rows = await this.#ask((prisma) =>
      prisma.event.findMany({ where: { room, ...below }, orderBy: { position: "desc" }, take: limit + 1 }),
    );
    return toPage(rows, limit, (kept) => kept.reverse());
  }

  async eventsAfter(room: string, after: Position, limit: number): Promise<EventPage> {
    checkTexts(room);
    const where = { room, position: { gt: toBigInt(after) } };
    const rows = await this.#ask((prisma) =>
      prisma.event.findMany({ where, orderBy: { position: "asc" }, take: limit + 1 }),
    );
    return toPage(rows, limit);
  }

  async findEvent(room: string, id: string): Promise<RoomEvent | undefined> {
    checkTexts(room);
    if (!UUID.test(id)) return undefined;
    const row = await this.#ask((prisma) => prisma.event.findUnique({ where: { room_id: { room, id } } }));
    return row === null ? undefined : toEvent(row);
  }

  async storedAmong(
    room: string,
    entries: readonly { id: string; position: Position }[],
  ): Promise<ReadonlySet<Position>> {
    checkTexts(room);
    const askable = entries.filter(({ id }) => UUID.test(id));
    if (askable.length === 0) return new Set();
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<{ position: bigint }[]>`
        SELECT events.position
        FROM unnest(
          ${askable.map(({ id }) => id)}::text[], ${askable.map(({ position }) => position)}::text[]
        ) AS given (id, position)
        JOIN events
          ON events.room = ${room} AND events.id = given.id::uuid AND events.position = given.position::bigint`,
    );
    return new Set(rows.map(({ position }) => fromBigInt(position)));
  }

  deleteEventsBefore(before: Position, limit: number, idsBeforeMs?: number): Promise<number> {
    // Said twice, so that neither part of the statement looks into periods that stay.
    const inReach =
      idsBeforeMs === undefined ? Prisma.sql`true` : Prisma.sql`id < ${firstUuidAt(idsBeforeMs)}::uuid`;
    return this.#ask(
      (prisma) => prisma.$executeRaw`
        DELETE FROM events WHERE ${inReach} AND (room, id) IN
          (SELECT room, id FROM events WHERE ${inReach} AND position < ${toBigInt(before)} LIMIT ${limit})`,
    );
  }

  async headOf(room: string): Promise<Position | undefined> {
    checkTexts(room);
    // Not `max(position)`: Prisma's aggregate reads the whole room.
    const row = await this.#ask((prisma) =>
      prisma.event.findFirst({ where: { room }, orderBy: { position: "desc" }, select: { position: true } }),
    );
    return row === null ? undefined : fromBigInt(row.position);
  }

  async markCaughtUp(
    marks: readonly { partition: number; caughtUpAtMs: number }[],
    partitions: number,
  ): Promise<void> {
    if (marks.length === 0) return;
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        INSERT INTO log_progress (partition, partitions, caught_up_at)
        SELECT partition::int, ${partitions}::int, max(caught_up_at::bigint)
        FROM unnest(
          ${marks.map(({ partition }) => String(partition))}::text[],
          ${marks.map(({ caughtUpAtMs }) => String(Math.floor(caughtUpAtMs)))}::text[]
        ) AS given (partition, caught_up_at)
        GROUP BY 1
        ORDER BY 1
        ON CONFLICT (partition) DO UPDATE SET
          partitions = greatest(log_progress.partitions, excluded.partitions),
          caught_up_at = greatest(log_progress.caught_up_at, excluded.caught_up_at)`,
    );
  }

  async caughtUpAt(): Promise<number | undefined> {
    const { _count, _max, _min } = await this.#ask((prisma) =>
      prisma.logProgress.aggregate({ _count: true, _max: { partitions: true }, _min: { caughtUpAt: true } }),
    );
    if (_min.caughtUpAt === null || _count !== _max.partitions) return undefined;
    return Number(_min.caughtUpAt);
  }

  async ping(): Promise<void> {
    await this.#ask((prisma) => prisma.$queryRaw`SELECT 1`);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

function checkEvent({ room, position, prev, kind, id, user, body, replyTo }: RoomEvent): void {
  checkTexts(room, kind, user.id, user.name, body);
  if (!UUID.test(id)) throw new UnstorableError("the id of an event is not a UUID in lower case");
  if (replyTo !== undefined && !UUID.test(replyTo)) {
    throw new UnstorableError("the `replyTo` of an event is not a UUID in lower case");
  }
  if (!isPosition(position) || !isPosition(prev)) {
    throw new UnstorableError("the position of an event is not a position");
  }
}

/** As one JSON text: a parameter with an array for each column costs the driver and Prisma more than all the rest of a row. */
function toRows(events: readonly RoomEvent[]): string {
  const rows = events.map(({ room, id, position, prev, kind, user, body, replyTo }) => ({
    room,
    id,
    position,
    prev,
    kind,
    user_id: user.id,
    user_name: user.name,
    body,
    reply_to: replyTo ?? null,
  }));
  return JSON.stringify(rows);
}

function toPage(rows: readonly Event[], limit: number, arrange = (kept: Event[]) => kept): EventPage {
  return { events: arrange(rows.slice(0, limit)).map(toEvent), complete: rows.length <= limit };
}

function toEvent({ room, position, prev, id, userId, userName, body, replyTo }: Event): RoomEvent {
  const place = fromBigInt(position);
  return {
    type: "event",
    room,
    position: place,
    prev: fromBigInt(prev),
    kind: "message",
    id,
    user: { id: userId, name: userName },
    body,
    ...(replyTo === null ? {} : { replyTo }),
    at: toMs(place),
  };
}
