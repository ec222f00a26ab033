/** Events keep every text they were given, and what is not an event is refused with the reason. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeEvent, encodeEvent } from "../core/event.ts";
import type { RoomEvent } from "../protocol.ts";
import { message } from "./events.ts";

const text = fc.string({ unit: "grapheme" });

test("[G1] any text comes back as it went in", () => {
  fc.assert(
    fc.property(text, text, text, fc.option(text, { nil: undefined }), (room, name, body, replyTo) => {
      const more = { user: { id: "u1", name }, body, ...(replyTo === undefined ? {} : { replyTo }) };
      const event = message(room, 1, more);
      expect(decodeEvent(encodeEvent(event))).toEqual(event);
    }),
  );
});

test("the time is that of the position, whatever the text says", () => {
  const event = message("lobby", 1);
  expect(decodeEvent(encodeEvent(event).replace(/"at":\d+/, '"at":1')).at).toBe(event.at);
});

test("[G9] what is no event is refused by name", () => {
  const without = (name: keyof RoomEvent) => JSON.stringify({ ...message("lobby", 1), [name]: undefined });
  for (const name of ["type", "room", "position", "prev", "kind", "id", "user", "body"] as const) {
    expect(() => decodeEvent(without(name)), name).toThrow(name);
  }
  for (const json of ["null", "[]", "1", '"event"']) expect(() => decodeEvent(json)).toThrow("not an object");
  expect(() => decodeEvent("{")).toThrow(SyntaxError);
});

test("[G9] no JSON makes the decoder answer anything but an event", () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(() => decodeEvent(json)).toThrow(Error);
    }),
  );
});
