/** What is kept of a room: its end, by itself a view that a client can go on from. */
import { expect, it } from "vitest";
import type { RoomEvent, RoomView } from "@skat/client";
import { newestOf } from "../src/kept-rooms.ts";

const at = (index: number) => String(index).padStart(19, "0");

function viewOf(count: number, body = "Hello", more: Partial<RoomView> = {}): RoomView {
  const user = { id: "ada", name: "Ada" };
  const events = Array.from({ length: count }, (_, index): RoomEvent => {
    const [position, prev] = [at(index + 1), at(index)];
    return { type: "event", kind: "message", room: "r", position, prev, id: position, user, body, at: index };
  });
  return { events, cursor: at(count), wholeFrom: at(1), complete: true, provisional: false, ...more };
}

const positions = ({ events }: RoomView) => events.map(({ position }) => position);

it("a small view is kept as it is", () => {
  expect(newestOf(viewOf(3))).toEqual(viewOf(3));
  expect(newestOf(viewOf(0))).toEqual(viewOf(0));
});

it("of a long one the newest fifty, which begin where they are whole", () => {
  const kept = newestOf(viewOf(120));
  expect(positions(kept)).toEqual(Array.from({ length: 50 }, (_, index) => at(index + 71)));
  expect(kept).toMatchObject({ wholeFrom: at(71), cursor: at(120), complete: false });
});

it("of long messages as many as there is room for, one at least", () => {
  expect(positions(newestOf(viewOf(20, "x".repeat(9_000))))).toEqual([15, 16, 17, 18, 19, 20].map(at));
  expect(positions(newestOf(viewOf(2, "x".repeat(90_000))))).toEqual([at(2)]);
});

it("[K1] nothing that awaits confirmation", () => {
  const kept = newestOf(viewOf(5, "Hello", { wholeFrom: at(3), complete: false }));
  expect(positions(kept)).toEqual([3, 4, 5].map(at));
  expect(kept.wholeFrom).toBe(at(3));
});
