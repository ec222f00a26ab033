/** Positions: text that sorts as the number it stands for, and converts without loss to a stream id and a time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromBigInt,
  fromMs,
  fromStreamId,
  isPosition,
  max,
  next,
  previous,
  toBigInt,
  toMs,
  toStreamId,
  ZERO,
} from "../core/position.ts";

const MAX = (1n << 63n) - 1n;
const numbers = fc.bigInt({ min: 0n, max: MAX });

describe("a position", () => {
  test("[G1] text order is number order", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        expect(fromBigInt(a) < fromBigInt(b)).toBe(a < b);
        expect(max(fromBigInt(a), fromBigInt(b))).toBe(fromBigInt(a > b ? a : b));
      }),
    );
  });

  test("goes through number, stream id and text unchanged", () => {
    fc.assert(
      fc.property(numbers, (number) => {
        const position = fromBigInt(number);
        expect(isPosition(position)).toBe(true);
        expect(toBigInt(position)).toBe(number);
        expect(fromStreamId(toStreamId(position))).toBe(position);
      }),
    );
  });

  test("[S3] the next is the smallest above, also where the counter runs over into the time", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX - 1n }), (number) => {
        const position = fromBigInt(number);
        expect(next(position) > position).toBe(true);
        expect(previous(next(position))).toBe(position);
      }),
    );
    expect(toStreamId(next(fromStreamId("7-1048575")))).toBe("8-0");
    expect(previous(ZERO)).toBe(ZERO);
  });

  test("has the time of its millisecond, of which it is the first", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 43 - 1 }), (ms) => {
        expect(toMs(fromMs(ms))).toBe(ms);
        expect(toMs(previous(fromMs(ms + 1)))).toBe(ms);
      }),
    );
    expect(fromMs(-1)).toBe(ZERO);
    expect(fromMs(5.9)).toBe(fromMs(5));
  });

  test.each([
    "",
    "1",
    "000000000000000000",
    "00000000000000000000",
    "9223372036854775808",
    "-000000000000000001",
    "٠".repeat(19),
  ])("%j is none", (text) => expect(isPosition(text)).toBe(false));
});
