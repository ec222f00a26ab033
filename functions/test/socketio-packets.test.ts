/** What an event costs: it is read and encoded once, whatever the number of those who hear it. */
import { expect, it } from "vitest";
import { Frame } from "../core/frame.ts";
import type { RoomEvent } from "../protocol.ts";
import { readFrame } from "../socketio/packets.ts";

const event: RoomEvent = {
  type: "event",
  room: "lobby",
  position: "1882738623774720000",
  prev: "1882738613288960000",
  kind: "message",
  id: "01a20d4c-d51e-797d-b0cc-2abb7992e04d",
  user: { id: "01a20d4c-d51e-797d-b0cc-2abb7992e04e", name: "Ada" },
  body: 'Hello "Ben" 👋',
  at: 1795519470000,
};

it.each([
  [
    "simple",
    `42["message",${JSON.stringify(JSON.stringify({ message: event.body }))},"lobby:${event.position}"]`,
  ],
  ["full", `42["event",${JSON.stringify(event)},"lobby:${event.position}"]`],
] as const)("%s dialect: one packet for all, and what it is", (dialect, text) => {
  const frame = Frame.of(event);
  const first = readFrame(frame).event(event, dialect, true);
  expect(readFrame(frame).event(event, dialect, true)).toBe(first);
  expect(`4${first.text}`).toBe(text);
  const [bytes] = first.options.wsPreEncodedFrame;
  expect(bytes?.subarray(-Buffer.byteLength(text)).toString()).toBe(text);
});

it("without an offset the library forgets the one that it has", () => {
  expect(readFrame(Frame.of(event)).event(event, "simple", false).text).toMatch(/,""\]$/);
});
