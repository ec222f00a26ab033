/** What every store promises, run against each database. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBigInt, ZERO, type Position } from "../core/position.ts";
import { UnstorableError, type EventPage, type Store } from "../core/store.ts";
import type { RoomEvent } from "../protocol.ts";
import { message, messages, newId, place } from "./events.ts";

const LARGEST = fromBigInt((1n << 63n) - 1n);

/** `openStore` gives a new one that holds nothing but what the migrations put there; the caller closes it. */
export function describeStore(name: string, openStore: () => Promise<Store>): void {
  describe(`${name}: the store's contract`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore();
    }, 60_000);
    afterAll(() => store.close());

    async function insert(events: readonly RoomEvent[]): Promise<void> {
      expect(await store.insertEvents(events)).toEqual({ inserted: events.length, conflicts: [] });
    }

    async function all(room: string): Promise<readonly RoomEvent[]> {
      return (await store.eventsAfter(room, ZERO, 20_000)).events;
    }

    describe("insert", () => {
      it("[C1] stores an event once, however often it comes within a batch and across batches", async () => {
        const room = newId();
        const [first, second, third] = [message(room, 0), message(room, 1), message(room, 2)];
        expect(await store.insertEvents([first, second, first, first])).toEqual({
          inserted: 2,
          conflicts: [],
        });
        expect(await store.insertEvents([second, third, first])).toEqual({ inserted: 1, conflicts: [] });
        expect(await store.insertEvents([first, second, third])).toEqual({ inserted: 0, conflicts: [] });
        expect(await all(room)).toEqual([first, second, third]);
      });

      it("[C1] reports an id that is stored at another position, and the first position stays", async () => {
        const room = newId();
        const stored = message(room, 5);
        await insert([stored]);
        const moved = { ...stored, position: place(9), body: "another" };
        const other = message(room, 6);
        expect(await store.insertEvents([moved, other])).toEqual({
          inserted: 1,
          conflicts: [{ room, id: stored.id, position: place(9) }],
        });
        expect(await all(room)).toEqual([stored, other]);
      });

      it("[C1] takes the smaller of two positions that one batch has for an id", async () => {
        const room = newId();
        const low = message(room, 1);
        const high = { ...low, position: place(2) };
        expect(await store.insertEvents([high, low])).toEqual({
          inserted: 1,
          conflicts: [{ room, id: low.id, position: place(2) }],
        });
        expect(await all(room)).toEqual([low]);
      });

      it("keeps the same id in two rooms apart", async () => {
        const first = message(newId(), 0);
        const second = { ...first, room: newId(), body: "elsewhere" };
        await insert([first, second]);
        expect(await store.findEvent(first.room, first.id)).toEqual(first);
        expect(await store.findEvent(second.room, second.id)).toEqual(second);
      });

      it("takes 10,000 rows in one call, in any order", async () => {
        const room = newId();
        const events = messages(room, 10_000);
        const shuffled = events.toSorted((a, b) => (a.id.slice(-12) < b.id.slice(-12) ? -1 : 1));
        await insert(shuffled);
        expect(await store.insertEvents(events)).toEqual({ inserted: 0, conflicts: [] });
        expect(await all(room)).toEqual(events);
      }, 30_000);

      it("takes an empty batch", async () => {
        await insert([]);
      });

      it("[C1] two writers of the same events in opposite order: each is stored once, nobody fails", async () => {
        for (let round = 0; round < 5; round++) {
          const room = newId();
          const events = messages(room, 5000);
          const results = await Promise.all(
            [events, events.toReversed()].map((batch) => store.insertEvents(batch)),
          );
          expect(results.flatMap(({ conflicts }) => conflicts)).toEqual([]);
          expect(results.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(5000);
          expect(await all(room)).toEqual(events);
        }
      }, 60_000);

      it("keeps the whole event, at the first and the last position there can be", async () => {
        const room = newId();
        const first = message(room, 0, { position: ZERO, prev: ZERO });
        const last = message(room, 0, { position: LARGEST, prev: place(0), replyTo: first.id });
        await insert([last, first]);
        expect(await store.findEvent(room, first.id)).toEqual(first);
        expect(await store.findEvent(room, last.id)).toEqual(last);
        expect((await store.eventsBefore(room, undefined, 5)).events).toEqual([first, last]);
        expect(await store.headOf(room)).toBe(LARGEST);
      });
    });

    describe("text", () => {
      const texts = [
        ...[
          "",
          " ",
          "NULL",
          "null",
          "{}",
          "{a,b}",
          '{"a"}',
          "\\",
          "\\\\",
          "\\N",
          '"',
          '\\"',
          "'",
          "''",
          "$1",
          "%s",
          ";--",
        ],
        ...[
          "a\nb\r\n\tc",
          "\u0001\u001f\u007f\u0085\u2028",
          "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301",
          "שלום עולם",
          "\u202eabc\u202c",
          "مرحبا",
          "日本語",
          "a\ufeff\ufffd\uffff",
        ],
      ];

      it.each(texts)("%j comes back as it went in", async (text) => {
        const event = message(`room ${newId()} ${text}`, 0, { body: text, user: { id: text, name: text } });
        await insert([event]);
        expect(await all(event.room)).toEqual([event]);
      });

      it("any text without NUL and lone surrogates comes back as it went in", async () => {
        const text = fc
          .string({ unit: "binary", maxLength: 200 })
          .filter((chars) => !/^\ufeff|\0|\p{Surrogate}/u.test(chars)); // PGlite drops a byte order mark in front
        await fc.assert(
          fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (bodies) => {
            const room = newId();
            const events = bodies.map((body, n) => message(room, n, { body, user: { id: "u", name: body } }));
            await insert(events);
            expect(await all(room)).toEqual(events);
          }),
          { numRuns: 50 },
        );
      }, 30_000);

      const wrong: readonly (readonly [string, Partial<RoomEvent>])[] = [
        ["NUL in a body", { body: "a\0b" }],
        ["half a surrogate pair in a body", { body: "a\ud83d" }],
        ["the other half in a body", { body: "\ude00b" }],
        ["a surrogate pair the wrong way round", { body: "\ude00\ud83d" }],
        ["NUL in a user's name", { user: { id: "u", name: "\0" } }],
        ["half a surrogate pair in a user's id", { user: { id: "\udfff", name: "n" } }],
        ["NUL in a room", { room: "r\0" }],
        ["an id that is not a UUID", { id: "7" }],
        ["an id in upper case, which would come back in lower case", { id: newId().toUpperCase() }],
        ["a `replyTo` that is not a UUID", { replyTo: "x" }],
        ["a position that is not one", { position: "12" }],
        ["a position beyond 63 bits", { position: "9999999999999999999" }],
        ["a `prev` that is not a position", { prev: "" }],
        ["a room that is too long for a key", { room: longText() }],
      ];

      it.each(wrong)("refuses %s, and stores nothing of that call", async (_, fields) => {
        const room = newId();
        const bad = { ...message(room, 1), ...fields };
        const batch = [message(room, 0), bad, message(room, 2)];
        await expect(store.insertEvents(batch)).rejects.toBeInstanceOf(UnstorableError);
        expect(await all(room)).toEqual([]);
      });

      it("refuses it when asked for", async () => {
        for (const text of ["a\0b", "\ud83d"]) {
          const calls = [
            () => store.eventsBefore(text, undefined, 1),
            () => store.eventsAfter(text, ZERO, 1),
            () => store.findEvent(text, newId()),
            () => store.storedAmong(text, [{ id: newId(), position: ZERO }]),
            () => store.headOf(text),
          ];
          for (const call of calls) await expect(call()).rejects.toBeInstanceOf(UnstorableError);
        }
      });
    });

    describe("pages", () => {
      it("are complete exactly when nothing lies beyond", async () => {
        const room = newId();
        const events = messages(room, 5);
        await insert([...events, message(newId(), 7), message(newId(), -7)]);
        const before = (n: number | undefined, limit: number): Promise<EventPage> =>
          store.eventsBefore(room, n === undefined ? undefined : place(n), limit);
        const after = (n: number, limit: number): Promise<EventPage> =>
          store.eventsAfter(room, place(n), limit);

        expect(await before(undefined, 4)).toEqual({ events: events.slice(1), complete: false });
        expect(await before(undefined, 5)).toEqual({ events, complete: true });
        expect(await before(undefined, 6)).toEqual({ events, complete: true });
        expect(await before(5, 5)).toEqual({ events, complete: true });
        expect(await before(4, 4)).toEqual({ events: events.slice(0, 4), complete: true });
        expect(await before(4, 3)).toEqual({ events: events.slice(1, 4), complete: false });
        expect(await before(1, 1)).toEqual({ events: events.slice(0, 1), complete: true });
        expect(await before(0, 1)).toEqual({ events: [], complete: true });
        expect(await store.eventsBefore(room, ZERO, 1)).toEqual({ events: [], complete: true });
        expect(await store.eventsBefore(room, LARGEST, 9)).toEqual({ events, complete: true });

        expect(await store.eventsAfter(room, ZERO, 4)).toEqual({
          events: events.slice(0, 4),
          complete: false,
        });
        expect(await store.eventsAfter(room, ZERO, 5)).toEqual({ events, complete: true });
        expect(await after(0, 4)).toEqual({ events: events.slice(1), complete: true });
        expect(await after(0, 3)).toEqual({ events: events.slice(1, 4), complete: false });
        expect(await after(3, 1)).toEqual({ events: events.slice(4), complete: true });
        expect(await after(4, 1)).toEqual({ events: [], complete: true });
        expect(await store.eventsAfter(room, LARGEST, 1)).toEqual({ events: [], complete: true });

        expect(await store.eventsBefore(newId(), undefined, 5)).toEqual({ events: [], complete: true });
        expect(await store.eventsAfter(newId(), ZERO, 5)).toEqual({ events: [], complete: true });
      });

      /** What is there at first, and what comes between one page and the next. */
      const story = fc.record({
        first: fc.uniqueArray(fc.nat(400), { maxLength: 40 }),
        later: fc.array(fc.uniqueArray(fc.nat(400), { maxLength: 5 }), { maxLength: 30 }),
        limit: fc.integer({ min: 1, max: 12 }),
      });

      /** Reads to the end, inserting between pages. Answers the positions read, and those that were there all the time. */
      async function readWhileWriting(
        { first, later, limit }: { first: number[]; later: number[][]; limit: number },
        read: (room: string, cursor: Position | undefined) => Promise<EventPage>,
        cursorOf: (page: EventPage) => Position | undefined,
      ): Promise<{ pages: readonly EventPage[]; first: Position[]; known: Set<Position> }> {
        const room = newId();
        const known = new Set<Position>();
        const write = async (numbers: readonly number[]): Promise<void> => {
          const fresh = numbers.filter((n) => !known.has(place(n)));
          await insert(fresh.map((n) => message(room, n)));
          for (const n of fresh) known.add(place(n));
        };
        await write(first);
        const pages: EventPage[] = [];
        for (let cursor: Position | undefined; ;) {
          const page = await read(room, cursor);
          pages.push(page);
          expect(page.events.length).toBeLessThanOrEqual(limit);
          await write(later[pages.length - 1] ?? []);
          if (page.complete) return { pages, first: first.map(place).toSorted(), known };
          cursor = cursorOf(page);
        }
      }

      function expectWhole(
        read: readonly Position[],
        first: readonly Position[],
        known: ReadonlySet<Position>,
      ): void {
        expect(read).toEqual([...new Set(read)].toSorted());
        expect(first.filter((position) => !read.includes(position))).toEqual([]);
        expect(read.filter((position) => !known.has(position))).toEqual([]);
      }

      it("backwards give every event once and in order, also while others are inserted", async () => {
        await fc.assert(
          fc.asyncProperty(story, async (given) => {
            const { pages, first, known } = await readWhileWriting(
              given,
              (room, cursor) => store.eventsBefore(room, cursor, given.limit),
              ({ events }) => events[0]?.position,
            );
            const read = pages.toReversed().flatMap(({ events }) => events.map(({ position }) => position));
            expectWhole(read, first, known);
          }),
          { numRuns: 40 },
        );
      }, 60_000);

      it("forwards give every event once and in order, also while others are inserted", async () => {
        await fc.assert(
          fc.asyncProperty(story, async (given) => {
            const { pages, first, known } = await readWhileWriting(
              given,
              (room, cursor) => store.eventsAfter(room, cursor ?? ZERO, given.limit),
              ({ events }) => events.at(-1)?.position,
            );
            expectWhole(
              pages.flatMap(({ events }) => events.map(({ position }) => position)),
              first,
              known,
            );
          }),
          { numRuns: 40 },
        );
      }, 60_000);
    });

    describe("look-ups", () => {
      it("find an event by room and id", async () => {
        const event = message(newId(), 0, { replyTo: newId() });
        await insert([event]);
        expect(await store.findEvent(event.room, event.id)).toEqual(event);
        expect(await store.findEvent(newId(), event.id)).toBeUndefined();
        expect(await store.findEvent(event.room, newId())).toBeUndefined();
        expect(await store.findEvent(event.room, "not an id")).toBeUndefined();
      });

      it("[C4] tell which entries are stored at just their position", async () => {
        const room = newId();
        const [first, second, third] = [message(room, 1), message(room, 2), message(room, 3)];
        const elsewhere = message(newId(), 4);
        await insert([first, second, third, elsewhere]);
        const asked = [
          first,
          { ...second, position: place(9) },
          { id: newId(), position: third.position },
          { id: "not an id", position: third.position },
          elsewhere,
        ];
        expect(await store.storedAmong(room, asked)).toEqual(new Set([first.position]));
        expect(await store.storedAmong(room, [first, second, third])).toEqual(
          new Set([first.position, second.position, third.position]),
        );
        expect(await store.storedAmong(room, [])).toEqual(new Set());
      });

      it("are deleted from below, of all rooms, no more than asked for at once", async () => {
        const [room, other] = [newId(), newId()];
        const at = (position: number) => ({ position: fromBigInt(BigInt(position)) });
        const [old, older, kept] = [
          message(room, 0, at(20)),
          message(other, 0, at(10)),
          message(room, 0, at(30)),
        ];
        const below = fromBigInt(30n);
        await store.deleteEventsBefore(below, 10_000); // what other tests have left there
        await insert([old, older, kept]);
        expect(await store.deleteEventsBefore(below, 1)).toBe(1);
        expect(await store.deleteEventsBefore(below, 10)).toBe(1);
        expect(await store.deleteEventsBefore(below, 10)).toBe(0);
        expect((await store.eventsAfter(room, ZERO, 10)).events).toEqual([kept]);
        expect((await store.eventsAfter(other, ZERO, 10)).events).toEqual([]);
      });

      it("give the largest position of a room", async () => {
        const room = newId();
        expect(await store.headOf(room)).toBeUndefined();
        await insert([message(room, 5), message(room, 3), message(newId(), 9)]);
        expect(await store.headOf(room)).toBe(place(5));
        await insert([message(room, 4)]);
        expect(await store.headOf(room)).toBe(place(5));
      });

      it("answer a ping", async () => {
        await store.ping();
      });
    });

    describe("progress", () => {
      it("[C3] is the time of the slowest partition, unknown until each one was caught up, and never goes back", async () => {
        const fresh = await openStore();
        try {
          const mark = (marks: Record<number, number>, partitions: number): Promise<void> =>
            fresh.markCaughtUp(
              Object.entries(marks).map(([partition, caughtUpAtMs]) => ({
                partition: Number(partition),
                caughtUpAtMs,
              })),
              partitions,
            );
          expect(await fresh.caughtUpAt()).toBeUndefined();
          await mark({}, 3);
          expect(await fresh.caughtUpAt()).toBeUndefined();
          await mark({ 0: 1_795_500_000_000, 2: 1_795_500_000_500 }, 3);
          expect(await fresh.caughtUpAt()).toBeUndefined();
          await mark({ 1: 1_795_500_000_200.7 }, 3);
          expect(await fresh.caughtUpAt()).toBe(1_795_500_000_000);
          await mark({ 0: 1_795_500_000_900 }, 3);
          expect(await fresh.caughtUpAt()).toBe(1_795_500_000_200);
          await mark({ 0: 1, 1: 1, 2: 1 }, 3);
          expect(await fresh.caughtUpAt()).toBe(1_795_500_000_200);

          await mark({ 0: 1_795_500_001_000 }, 4); // the log has grown
          expect(await fresh.caughtUpAt()).toBeUndefined();
          await mark({ 1: 1_795_500_001_000, 2: 1_795_500_001_000 }, 3); // by one who does not know it yet
          expect(await fresh.caughtUpAt()).toBeUndefined();
          await mark({ 3: 1_795_500_000_800 }, 4);
          expect(await fresh.caughtUpAt()).toBe(1_795_500_000_800);
        } finally {
          await fresh.close();
        }
      }, 30_000);

      it("[C3] takes several marks of one partition, and two consumers at once", async () => {
        const fresh = await openStore();
        try {
          const marks = [7, 9, 8].map((caughtUpAtMs) => ({ partition: 0, caughtUpAtMs }));
          await fresh.markCaughtUp(marks, 1);
          expect(await fresh.caughtUpAt()).toBe(9);
          const both = [
            { partition: 0, caughtUpAtMs: 10 },
            { partition: 1, caughtUpAtMs: 11 },
          ];
          await Promise.all(
            Array.from({ length: 20 }, (_, n) => fresh.markCaughtUp(n % 2 ? both : both.toReversed(), 2)),
          );
          expect(await fresh.caughtUpAt()).toBe(10);
        } finally {
          await fresh.close();
        }
      }, 30_000);
    });
  });
}

/** Random, because Postgres compresses what repeats. */
function longText(): string {
  return Array.from({ length: 200 }, () => newId()).join("");
}
