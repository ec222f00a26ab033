/** What the list of messages shows, from a room's snapshot: runs, days, the line of new ones, answers; and what counts as unread. */
import { describe, expect, it } from "vitest";
import type { ListedRoom, Message, RoomEvent, RoomSnapshot } from "@skat/client";
import { RowBuilder, type Rows } from "../src/ui/rows.ts";
import { toLines } from "../src/ui/announcer.tsx";
import { countUnread } from "../src/unread.ts";

const ME = { id: "me", name: "Me" };
const ADA = { id: "ada", name: "Ada" };
const MINUTE_MS = 60_000;
const START_MS = new Date(2026, 4, 4, 12).getTime();
const positionOf = (index: number) => String(index).padStart(19, "0");

function roomOf(...said: { by: typeof ME; afterMs: number; replyTo?: string }[]): RoomSnapshot {
  const events = said.map(({ by, afterMs, replyTo }, index): RoomEvent => ({
    type: "event",
    kind: "message",
    room: "r",
    id: `m${index}`,
    user: by,
    body: `body ${index}`,
    at: START_MS + afterMs,
    position: positionOf(index + 1),
    prev: positionOf(index),
    ...(replyTo === undefined ? {} : { replyTo }),
  }));
  const messages = events.map(({ id, user, body, replyTo, at, position }): Message => ({
    ...{ id, user, body, replyTo, at, position },
    delivery: undefined,
    error: undefined,
  }));
  const cursor = positionOf(events.length);
  const view = { events, cursor, wholeFrom: positionOf(0), complete: true, provisional: false };
  return { view, entries: new Map(), messages, history: "idle", read: "", error: undefined };
}

const allOf = ({ messages, at }: Rows) => messages.map(at);
const rowsOf = (room: RoomSnapshot, newFrom?: string) => allOf(new RowBuilder().build(room, ME, newFrom));

describe("rows", () => {
  it("are grouped by author and pause, and say where a day begins", () => {
    const day = 24 * 60 * MINUTE_MS;
    const room = roomOf(
      { by: ADA, afterMs: 0 },
      { by: ADA, afterMs: MINUTE_MS },
      { by: ME, afterMs: 2 * MINUTE_MS },
      { by: ME, afterMs: 8 * MINUTE_MS },
      { by: ME, afterMs: day },
    );
    const rows = rowsOf(room);
    expect(rows.map(({ isHead }) => isHead)).toEqual([true, false, true, true, true]);
    expect(rows.map(({ isDayStart }) => isDayStart)).toEqual([true, false, false, false, true]);
  });

  it("have one line before the first message of another that was not seen", () => {
    const room = roomOf(
      { by: ADA, afterMs: 0 },
      { by: ME, afterMs: 1 },
      { by: ADA, afterMs: 2 },
      { by: ADA, afterMs: 3 },
    );
    const newStarts = (from?: string) => rowsOf(room, from).map(({ isNewStart }) => isNewStart);
    expect(newStarts(positionOf(1))).toEqual([false, false, true, false]);
    expect(newStarts(positionOf(4))).toEqual([false, false, false, false]);
    expect(newStarts()).toEqual([false, false, false, false]);
  });

  it("quote what they answer, where it is there", () => {
    const room = roomOf(
      { by: ADA, afterMs: 0 },
      { by: ME, afterMs: 1, replyTo: "m0" },
      { by: ME, afterMs: 2, replyTo: "old" },
    );
    const answered = rowsOf(room).map((row) => row.answered);
    expect(answered).toEqual([undefined, room.messages[0], undefined]);
  });
});

describe("rows of a long room", () => {
  const said = Array.from({ length: 6 }, (_, index) => ({
    by: ADA,
    afterMs: index,
    ...(index === 4 ? { replyTo: "m1" } : {}),
  }));
  const whole = roomOf(...said);
  const endOf = (room: RoomSnapshot, from: number, to?: number): RoomSnapshot => ({
    ...room,
    view: room.view && { ...room.view, complete: false },
    messages: room.messages.slice(from, to),
  });

  it("know what came before them, also what came later", () => {
    const builder = new RowBuilder();
    const before = allOf(builder.build(endOf(whole, 2, 5), ME));
    expect(before.map(({ isHead }) => isHead)).toEqual([true, false, false]);
    expect(before[2]?.answered).toBeUndefined();
    const after = allOf(builder.build(endOf(whole, 0), ME));
    expect(after.map(({ isHead }) => isHead)).toEqual([true, false, true, false, false, false]);
    expect(after[4]?.answered).toBe(whole.messages[1]);
    const newStarts = allOf(builder.build(endOf(whole, 0), ADA)).map(({ isNewStart }) => isNewStart);
    expect(newStarts).not.toContain(true);
    expect(allOf(builder.build(endOf(whole, 0), ME, positionOf(3)))[3]?.isNewStart).toBe(true);
  });

  it("quote what is another by now, wherever it stands", () => {
    const builder = new RowBuilder();
    builder.build(whole, ME);
    const messages = whole.messages.map((message, index) =>
      index === 1 ? { ...message, user: { ...ADA, name: "Deleted account" } } : message,
    );
    const after = allOf(builder.build({ ...whole, messages }, ME));
    expect(after[4]?.answered?.user.name).toBe("Deleted account");
  });

  it("cost what is drawn and what comes: no load and no message looks into those that are there", () => {
    const looks = { count: 0 };
    const watch = (message: Message): Message =>
      Object.defineProperty({ ...message }, "id", { get: () => ((looks.count += 1), message.id) });
    const long = roomOf(...Array.from({ length: 10_200 }, (_, index) => ({ by: ADA, afterMs: index })));
    const messages = long.messages.map(watch);
    const builder = new RowBuilder();
    const looksOf = (from: number, to: number) => {
      looks.count = 0;
      builder.build({ ...long, messages: messages.slice(from, to) }, ME, positionOf(9_000));
      return looks.count;
    };
    expect(looksOf(200, 10_000)).toBe(9_801);
    expect(looksOf(0, 10_000)).toBe(201);
    expect(looksOf(0, 10_001)).toBe(2);
    expect(looksOf(0, 10_001)).toBe(1);
  });
});

describe("unread", () => {
  const room = roomOf({ by: ADA, afterMs: 0 }, { by: ME, afterMs: 1 }, { by: ADA, afterMs: 2 });

  const listed: ListedRoom = { id: "r", slug: "r", kind: "public", name: "R", topic: "", archived: false };

  it("counts what others wrote behind the mark, and nothing before the mark is known", () => {
    const told = { ...listed, read: positionOf(0) };
    const countBehind = (index: number) => countUnread({ ...room, read: positionOf(index) }, told, ME.id);
    expect([0, 1, 3].map(countBehind)).toEqual([2, 1, 0]);
    expect(countUnread({ ...room, read: positionOf(1) }, listed, ME.id)).toBe(0);
    expect(countUnread(room, { ...listed, read: positionOf(1), unread: 9 }, ME.id)).toBe(1);
  });

  it("is as the server counted where the room shows too few messages, until the mark is another", () => {
    const told = { ...listed, read: positionOf(0), unread: 70 };
    expect(countUnread(undefined, told, ME.id)).toBe(70);
    const [, , newest] = room.view?.events ?? [];
    const view = newest &&
      room.view && { ...room.view, events: [newest], complete: false, wholeFrom: newest.position };
    expect(countUnread({ view, read: positionOf(0) }, told, ME.id)).toBe(70);
    expect(countUnread({ view, read: positionOf(2) }, told, ME.id)).toBe(1);
  });
});

it("screen readers hear few messages one by one, and of many how many they are", () => {
  const { view } = roomOf(...Array.from({ length: 5 }, (_, index) => ({ by: ADA, afterMs: index })));
  expect(toLines(view?.events.slice(0, 2) ?? []).map(({ text }) => text)).toEqual([
    "Ada: body 0",
    "Ada: body 1",
  ]);
  expect(toLines(view?.events ?? []).map(({ text }) => text)).toEqual(["5 new messages"]);
});
