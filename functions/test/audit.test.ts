/** The auditor finds what it is there for: a test on it would otherwise pass whatever is lost. */
import { expect, test } from "vitest";
import { compare } from "./audit.ts";
import { message, messages } from "./events.ts";
import type { RoomEvent } from "../protocol.ts";

const rows = messages("room", 120);
const faultsOf = (shown: RoomEvent[], whole: boolean) =>
  compare("room", rows, [{ name: "c", shown: () => shown }], whole).length;

test("a view that is the same has no fault", () => {
  expect(faultsOf(rows, true)).toBe(0);
  expect(faultsOf(rows.slice(-50), false)).toBe(0);
});

test.each([
  ["nothing at all", []],
  ["all but the last", rows.slice(0, -1)],
  ["all but one in the midst", rows.filter((_, index) => index !== 90)],
  ["one that is not stored", [...rows, message("room", 200)]],
  ["less than the newest page", rows.slice(-49)],
])("a view of %s is a fault", (_, shown) => {
  expect(faultsOf(shown, true)).toBe(1);
  expect(faultsOf(shown, false)).toBe(1);
});

test("a view that begins late is a fault where nothing was reset", () => {
  expect(faultsOf(rows.slice(-50), true)).toBe(1);
});
