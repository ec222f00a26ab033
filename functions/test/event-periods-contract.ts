/** What periods of events promise, run against each database. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../adapters/database.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { fromMs, ZERO } from "../core/position.ts";
import { firstUuidAt, uuidV7 } from "../core/uuid.ts";
import type { RoomEvent } from "../protocol.ts";
import { message, newId } from "./events.ts";

export const DAY_MS = 24 * 3_600_000;
/** Far ahead of every id that is made while the tests run. */
export const NEW_YEAR_MS = Date.UTC(2100, 0, 1);
const ADA = { id: "ada", name: "Ada" };

/** A message whose id was made on a day of that January (0 is the first), and which was sent then, or on a later day. */
export function dated(room: string, day: number, sentOnDay = day, n = 0): RoomEvent {
  const timeMs = NEW_YEAR_MS + day * DAY_MS + 3_600_000 + n;
  const id = uuidV7({ ...systemRuntime, now: () => timeMs });
  const position = fromMs(NEW_YEAR_MS + sentOnDay * DAY_MS + 3_600_000 + n);
  return message(room, 0, { id, position, prev: ZERO, user: ADA });
}

export const dayMs = (day: number): number => NEW_YEAR_MS + day * DAY_MS;
const beginningOf = (day: number) => fromMs(dayMs(day));

export function describeEventPeriods(name: string, openDatabase: () => Promise<Database>): void {
  describe(`${name}: periods of events`, () => {
    let database: Database;
    let store: PrismaStore;
    beforeEach(async () => {
      database = await openDatabase();
      store = new PrismaStore(database);
    }, 60_000);
    afterEach(() => store.close());

    const all = async (room: string) => (await store.eventsAfter(room, ZERO, 20_000)).events;
    const run = (sql: string) => database.withSession((session) => session.exec(sql));
    const ends = () =>
      database.withSession((session) =>
        session.query<{ name: string }>(
          "SELECT conname AS name FROM pg_constraint WHERE conrelid = 'events_rest'::regclass AND contype = 'c'",
        ),
      );
    const restRooms = () =>
      database.withSession(async (session) =>
        (await session.query<{ room: string }>("SELECT room FROM events_rest ORDER BY room")).map(
          ({ room }) => room,
        ),
      );

    it("are not begun unasked, and once begun go on without being asked", async () => {
      expect(await store.periods.prepare(dayMs(0), undefined)).toEqual([]);
      expect(await store.periods.dropBefore(beginningOf(900))).toEqual({ names: [], restEndMs: undefined });
      expect(await store.periods.prepare(dayMs(0), DAY_MS)).toEqual(["events_21000102"]);
      expect(await store.periods.prepare(dayMs(0) + 1, DAY_MS)).toEqual(["events_21000103"]);
      expect(await store.periods.prepare(dayMs(1), undefined)).toEqual([]);
      expect(await store.periods.prepare(dayMs(3), undefined)).toEqual([
        "events_21000104",
        "events_21000105",
      ]);
      const longer = await store.periods.prepare(dayMs(4), 7 * DAY_MS);
      expect(longer, "another length is that of the next ones").toEqual([
        "events_21000106",
        "events_21000113",
      ]);
    });

    it("[G2] store each id once, and read in one order, wherever the ids lie", async () => {
      const room = newId();
      const old = dated(room, -400);
      await store.insertEvents([old]);
      await store.periods.prepare(dayMs(0), DAY_MS);
      await store.periods.prepare(dayMs(4), DAY_MS);
      const [late, first, second] = [dated(room, -3, 3, 5), dated(room, 2), dated(room, 3)];
      const given = [second, old, late, first];
      expect(await store.insertEvents(given)).toEqual({ inserted: 3, conflicts: [] });
      expect(await store.insertEvents(given)).toEqual({ inserted: 0, conflicts: [] });
      const ordered = [old, first, second, late];
      expect(await all(room)).toEqual(ordered);
      expect((await store.eventsBefore(room, undefined, 2)).events).toEqual([second, late]);
      expect((await store.eventsBefore(room, second.position, 2)).events).toEqual([old, first]);
      expect(await store.headOf(room)).toBe(late.position);
      for (const event of ordered) expect(await store.findEvent(room, event.id)).toEqual(event);
      expect(await store.storedAmong(room, ordered)).toEqual(
        new Set(ordered.map(({ position }) => position)),
      );
      const moved = { ...second, position: fromMs(dayMs(9)) };
      expect((await store.insertEvents([moved])).conflicts).toHaveLength(1);
      expect(await restRooms()).toEqual([room, room]);
    });

    it("[G3] are dropped as a whole, and what waited long in an outbox is not", async () => {
      const room = newId();
      await store.periods.prepare(dayMs(0), DAY_MS);
      await store.periods.prepare(dayMs(9), DAY_MS);
      const [rest, old, late, kept] = [dated(room, 0), dated(room, 1), dated(room, 1, 8), dated(room, 2)];
      await store.insertEvents([rest, old, late, kept]);
      expect((await store.periods.dropBefore(beginningOf(2))).names).toEqual(["events_21000102"]);
      expect(await all(room)).toEqual([rest, kept, late]);
      expect(await store.insertEvents([late]), "the retry still meets it").toMatchObject({ inserted: 0 });
      const later = dated(room, 1, 9);
      expect(await store.insertEvents([later]), "its time has a place still").toMatchObject({ inserted: 1 });
      expect(await store.periods.dropBefore(beginningOf(5))).toEqual({
        names: ["events_21000103", "events_21000104", "events_21000105"],
        restEndMs: dayMs(5),
      });
      expect(await all(room)).toEqual([rest, late, later]);
      expect(await ends()).toEqual([{ name: "events_rest_before_21000106" }]);
      expect(await store.deleteEventsBefore(beginningOf(5), 10, dayMs(5))).toBe(1);
      expect(await all(room)).toEqual([late, later]);
    });

    it("that are not over yet stay, and so does what batches delete in the rest alone", async () => {
      const room = newId();
      await store.periods.prepare(dayMs(0), DAY_MS);
      await store.periods.prepare(dayMs(1), DAY_MS);
      const [rest, first] = [dated(room, -1), dated(room, 1)];
      await store.insertEvents([rest, first]);
      const noon = fromMs(dayMs(1) + DAY_MS / 2);
      expect(await store.periods.dropBefore(noon)).toEqual({ names: [], restEndMs: dayMs(1) });
      expect(await store.deleteEventsBefore(noon, 10, dayMs(1))).toBe(1);
      expect(await all(room)).toEqual([first]);
    });

    it("with many events that came late stay for these; the others are deleted in batches", async () => {
      const room = newId();
      await store.periods.prepare(dayMs(0), DAY_MS);
      await store.periods.prepare(dayMs(6), DAY_MS);
      const late = Array.from({ length: 10_001 }, (_, n) => dated(room, 1, 6, n));
      await store.insertEvents([dated(room, 1), ...late]);
      const dropped = await store.periods.dropBefore(beginningOf(4));
      expect(dropped).toEqual({ names: [], restEndMs: dayMs(4) });
      expect(await store.deleteEventsBefore(beginningOf(4), 10, dropped.restEndMs)).toBe(1);
      expect(await all(room)).toHaveLength(10_001);
    }, 30_000);

    it("[G3] an id beyond them waits for its period, it is not put aside as poison", async () => {
      await store.periods.prepare(dayMs(0), DAY_MS);
      const ahead = dated(newId(), 30);
      const refused = store.insertEvents([ahead]);
      await expect(refused).rejects.toMatchObject({ name: "ChatError", code: "unavailable" });
      await store.periods.prepare(dayMs(30), DAY_MS);
      expect(await store.insertEvents([ahead])).toEqual({ inserted: 1, conflicts: [] });
    });

    it("go on where a run broke off", async () => {
      const room = newId();
      await store.insertEvents([dated(room, 0)]);
      await run(
        `ALTER TABLE events_rest ADD CONSTRAINT events_rest_before_21000105 CHECK (id < '${firstUuidAt(dayMs(4))}') NOT VALID`,
      );
      expect(await store.periods.prepare(dayMs(3), DAY_MS)).toEqual(["events_21000105"]);
      expect(await ends()).toEqual([{ name: "events_rest_before_21000105" }]);
      await store.periods.prepare(dayMs(9), DAY_MS);
      await run(
        `ALTER TABLE events_rest ADD CONSTRAINT events_rest_before_21000106 CHECK (id < '${firstUuidAt(dayMs(5))}') NOT VALID`,
      );
      expect((await store.periods.dropBefore(beginningOf(6))).names).toEqual([
        "events_21000105",
        "events_21000106",
      ]);
      expect(await ends()).toEqual([{ name: "events_rest_before_21000107" }]);
    });

    it("are not begun before an id that is there already, and then refuse nothing", async () => {
      const room = newId();
      await store.insertEvents([dated(room, 50)]);
      await expect(store.periods.prepare(dayMs(0), DAY_MS)).rejects.toMatchObject({ code: "unavailable" });
      expect(await ends()).toEqual([]);
      await store.insertEvents([dated(room, 60)]);
      expect(await all(room)).toHaveLength(2);
    });

    it("let names be taken out of all of them", async () => {
      const room = newId();
      await store.periods.prepare(dayMs(0), DAY_MS);
      await store.periods.prepare(dayMs(2), DAY_MS);
      await store.insertEvents([dated(room, 0), dated(room, 1), dated(room, 2)]);
      expect(await store.erasure.deleteAccount(ADA.id)).toMatchObject({ isDeleted: true });
      expect(await store.erasure.eraseNames(2)).toBe(2);
      expect(await store.erasure.eraseNames(2)).toBe(1);
      const names = new Set((await all(room)).map(({ user }) => user.name));
      expect(names).toEqual(new Set(["Deleted account"]));
    });
  });
}
