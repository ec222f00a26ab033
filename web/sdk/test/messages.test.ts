/** The merged list: what the room has and what is on its way, each message once, in order. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { RoomEvent } from "../../../functions/protocol.ts";
import { mergeMessages } from "../src/messages.ts";
import type { OutboxEntry } from "../src/outbox.ts";

type Five = [RoomEvent, RoomEvent, RoomEvent, RoomEvent, RoomEvent];

const me = { id: "me", name: "Me" };
const other = { id: "other", name: "Other" };

function eventOf(id: string, index: number, isMine: boolean): RoomEvent {
  const position = String(index + 1).padStart(19, "0");
  const prev = String(index).padStart(19, "0");
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
  const before = { view: { events: [b, c, d] }, messages: mergeMessages([b, c, d], entries, me) };
  const grown = mergeMessages([a, b, c, d, e], entries, me, before);
  expect(grown.map((message) => before.messages.indexOf(message))).toEqual([-1, 0, 1, 2, -1]);
  const saved = mergeMessages([b, c, d], new Map(), me, before);
  expect(saved.map((message) => before.messages.indexOf(message))).toEqual([0, 1, -1]);
  expect(saved[2]?.delivery).toBe("saved");
  const renamed = mergeMessages([b, { ...c, user: { ...other, name: "Gone" } }, d], entries, me, before);
  expect(renamed.map((message) => before.messages.indexOf(message))).toEqual([0, -1, 2]);
});
