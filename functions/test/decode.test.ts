/** Frames of clients: every shape is decoded whole or refused with a code of the protocol, whatever comes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFrame, refIn } from "../core/decode.ts";
import { ChatError } from "../lib/errors.ts";
import { DEFAULT_LIMITS, NO_POSITION, type ClientFrame } from "../protocol.ts";
import { newId } from "./events.ts";

const decode = (text: string) => decodeFrame(text, DEFAULT_LIMITS);
const filled = fc.string({ minLength: 1 });
const ref = fc.option(fc.maxSafeInteger(), { nil: undefined });
const body = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 500 })
  .filter((it) => it.trim() !== "" && !it.includes("\0"));

const frames: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({ type: fc.constant("auth" as const), token: filled }),
  fc.record({ type: fc.constant("join" as const), room: filled }),
  fc.record({ type: fc.constant("join" as const), room: filled, after: fc.constant(NO_POSITION) }),
  fc.record({ type: fc.constant("leave" as const), room: filled }),
  fc.record({ type: fc.constant("read" as const), room: filled, position: fc.constant(NO_POSITION) }),
  fc.record({
    type: fc.constant("send" as const),
    room: filled,
    id: fc.constant(newId()),
    body,
    since: fc.constant(NO_POSITION),
  }),
);

test("a frame of the protocol is decoded to itself; unknown fields are ignored", () => {
  fc.assert(
    fc.property(
      frames,
      ref,
      fc.dictionary(
        filled.map((name) => `x-${name}`),
        fc.jsonValue(),
      ),
      (frame, number, more) => {
        const given = { ...more, ...frame, ...(number === undefined ? {} : { ref: number }) };
        const wanted = number === undefined ? frame : { ...frame, ref: number };
        expect(decode(JSON.stringify(given))).toEqual(wanted);
        expect(refIn(JSON.stringify(given))).toBe(number);
      },
    ),
  );
});

test("whatever else comes is refused with a code that a client knows", () => {
  const types = fc.constantFrom("auth", "join", "leave", "send", "read", "event", "");
  const objects = fc.record({ type: types, room: fc.jsonValue(), id: fc.jsonValue(), body: fc.jsonValue() });
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    objects.map((it) => JSON.stringify(it)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { type } = decode(text);
        expect(["join", "leave"]).toContain(type); // the only ones that need no more than a room
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        expect(["invalid_json", "unknown_type", "invalid_field", "body_too_long"]).toContain(error.code);
      }
    }),
    { numRuns: 1_000 },
  );
});
