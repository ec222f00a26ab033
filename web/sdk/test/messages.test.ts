/** The merged list: what the room has and what is on its way, each message once, in order. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { RoomEvent } from "../../../functions/protocol.ts";
import { mergeMessages, type Merged } from "../src/messages.ts";
import type { OutboxEntry } from "../src/outbox.ts";

type Five = [RoomEvent, RoomEvent, RoomEvent, RoomEvent, RoomEvent];

const me = { id: "me", name: "Me" };
const other = { id: "other", name: "Other" };
const gone = { id: "other", name: "Gone" };
const positionOf = (index: number) => String(index + 1).padStart(19, "0");

function eventOf(id: string, index: number, isMine: boolean): RoomEvent {
  const [prev, position] = [positionOf(index - 1), positionOf(index)];
  const user = isMine ? me : other;
  return { type: "event", room: "r", position, prev, kind: "message", id, user, body: id, at: index };
}

function entryOf(id: string): OutboxEntry {
  return { id, room: "r", body: id, since: "0", userId: me.id, at: 0, state: "waiting" };
}

it("[K1] each message is there once, those of the room first and in its order", () => {
  const ids = fc.uniqueArray(
    fc.nat(60).map((number) => `id-${number}`),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(ids, ids, fc.func(fc.boolean()), (inRoom, written, isMine) => {
      const events = inRoom.map((id, index) => eventOf(id, index, written.includes(id) || isMine(id)));
      const entries = new Map(written.map((id) => [id, entryOf(id)]));
      const shown = mergeMessages(events, entries, me);
      const onTheWay = written.filter((id) => !inRoom.includes(id));
      expect(shown.map(({ id }) => id)).toEqual([...inRoom, ...onTheWay]);
      for (const { id, user, delivery, position } of shown) {
        expect(position === undefined).toBe(onTheWay.includes(id));
        if (user.id !== me.id) expect(delivery).toBeUndefined();
        else if (onTheWay.includes(id)) expect(delivery).toBe("waiting");
        else expect(delivery).toBe(written.includes(id) ? "sent" : "saved");
      }
    }),
  );
});

it("a message stays the same object until something about it changes", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const [a, b, c, d, e] = ids.map((id, index) => eventOf(id, index, id !== "c")) as Five;
  const entries = new Map([["d", entryOf("d")]]);
  const before = { view: { events: [b, c, d] }, entries, messages: mergeMessages([b, c, d], entries, me) };
  const grown = mergeMessages([a, b, c, d, e], entries, me, before);
  expect(grown.map((message) => before.messages.indexOf(message))).toEqual([-1, 0, 1, 2, -1]);
  const saved = mergeMessages([b, c, d], new Map(), me, before);
  expect(saved.map((message) => before.messages.indexOf(message))).toEqual([0, 1, -1]);
  expect(saved[2]?.delivery).toBe("saved");
  const renamed = mergeMessages([b, { ...c, user: gone }, d], entries, me, before);
  expect(renamed.map((message) => before.messages.indexOf(message))).toEqual([0, -1, 2]);
});

it("[K1] a list that goes on from the one before is the one that is made anew", () => {
  const step = fc.record({
    older: fc.nat(3),
    newer: fc.nat(3),
    renamed: fc.option(fc.nat(30)),
    written: fc.option(fc.nat(3)),
    saved: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), (steps) => {
      let [first, end] = [500, 500];
      let events: RoomEvent[] = [];
      let entries = new Map<string, OutboxEntry>();
      let before: Merged | undefined;
      for (const { older, newer, renamed, written, saved } of steps) {
        if (saved) entries = new Map();
        // An own message that comes some events later than its `since`.
        if (written !== null)
          entries = new Map(entries).set(`id-${end + written}`, {
            ...entryOf(`id-${end + written}`),
            since: positionOf(end - 1),
          });
        const eventAt = (index: number) => eventOf(`id-${index}`, index, index % 3 === 0);
        const added = Array.from({ length: newer }, (_, index) => eventAt(end + index));
        events = Array.from({ length: older }, (_, index) => eventAt(first - older + index)).concat(
          events.map((event, index) => (index === renamed ? { ...event, user: gone } : event)),
          added.map((event) => (entries.has(event.id) ? { ...event, user: me } : event)),
        );
        [first, end] = [first - older, end + newer];
        const messages = mergeMessages(events, entries, me, before);
        expect(messages).toEqual(mergeMessages(events, entries, me));
        before = { view: { events }, entries, messages };
      }
    }),
  );
});

it("of a long list only what comes is looked at, and what may have become saved", () => {
  const looks = { count: 0 };
  const watched = (index: number): RoomEvent =>
    Object.defineProperty(eventOf(`id-${index}`, index, index % 3 === 0), "id", {
      get: () => ((looks.count += 1), `id-${index}`),
    });
  const events = Array.from({ length: 10_000 }, (_, index) => watched(1_000 + index));
  const end = 1_000 + events.length;
  const none = new Map<string, OutboxEntry>();
  let before: Merged = { view: { events }, entries: none, messages: mergeMessages(events, none, me) };
  const looksOf = (next: readonly RoomEvent[], entries = none) => {
    looks.count = 0;
    const messages = mergeMessages(next, entries, me, before);
    before = { view: { events: next }, entries, messages };
    return looks.count / 2; // one to see whether it is on its way, one to show it
  };
  const page = Array.from({ length: 200 }, (_, index) => watched(800 + index));
  const longer = page.concat(events);
  expect(looksOf(longer)).toBe(page.length);
  expect(looksOf(longer)).toBe(0);
  const written = new Map([["id-x", { ...entryOf("id-x"), since: positionOf(end - 1) }]]);
  expect(looksOf(longer, written)).toBeLessThanOrEqual(1);
  expect(looksOf(longer.concat(watched(end)), written)).toBeLessThanOrEqual(2);
  expect(looksOf(longer.concat(watched(end)))).toBeLessThanOrEqual(2);
});
