/** Which messages are told as a notification, and when. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { RoomEvent } from "@skat/client";
import { createNotifier, WAIT_MS, type Notifier } from "../src/notifier.ts";

const [ME, ADA] = ["me", "ada"];
let inView: string;
let readUpTo: string;
let told: [string, number][];
let notifier: Notifier;
beforeEach(() => {
  vi.useFakeTimers();
  [inView, readUpTo, told] = ["lobby", "", []];
  notifier = createNotifier({
    myId: ME,
    sinceMs: 1_000,
    isInView: (room) => room === inView,
    readUpTo: () => readUpTo,
    show: ({ body }, count) => told.push([body, count]),
  });
});
afterEach(() => vi.useRealTimers());

function say(body: string, more: Partial<RoomEvent> = {}): void {
  const position = body.padStart(19, "0");
  const user = { id: ADA, name: "Ada" };
  notifier.onMessage({
    type: "event",
    kind: "message",
    room: "council",
    position,
    prev: "",
    id: body,
    user,
    body,
    at: 1_000,
    ...more,
  });
}

it("others' messages of rooms that are not in view, each room's together", () => {
  say("1");
  say("2");
  say("3", { room: "garden" });
  expect(told).toEqual([]);
  vi.advanceTimersByTime(WAIT_MS);
  expect(told).toEqual([
    ["2", 2],
    ["3", 1],
  ]);
  say("4");
  vi.advanceTimersByTime(WAIT_MS);
  expect(told.at(-1)).toEqual(["4", 1]);
});

it("none of one's own, of the room in view, or from before the page was opened", () => {
  say("1", { user: { id: ME, name: "Me" } });
  say("2", { room: "lobby" });
  say("3", { at: 999 });
  vi.advanceTimersByTime(WAIT_MS);
  expect(told).toEqual([]);
});

it("none that is read within a moment, here or on another device", () => {
  say("1");
  say("2");
  readUpTo = "1".padStart(19, "0");
  vi.advanceTimersByTime(WAIT_MS);
  expect(told).toEqual([["2", 1]]);
  say("3");
  inView = "council";
  vi.advanceTimersByTime(WAIT_MS);
  say("4");
  notifier.stop();
  inView = "lobby";
  vi.advanceTimersByTime(WAIT_MS);
  expect(told).toHaveLength(1);
});
