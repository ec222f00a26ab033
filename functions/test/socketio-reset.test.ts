/** What clients of Socket.IO hear when their view is replaced, and that one which knows `message` alone misses nothing that links on. */
import { describe, expect, it } from "vitest";
import { Frame } from "../core/frame.ts";
import { LOBBY, type RoomEvent } from "../protocol.ts";
import type { Connection } from "../socketio/connection.ts";
import type { Dialect, Packet } from "../socketio/packets.ts";
import { Translation, type IoSocket } from "../socketio/translation.ts";
import { message, newId, place } from "./events.ts";

const events = Array.from({ length: 8 }, (_, n) => message(LOBBY, n));

/** Has joined and was shown the first two events; `reset` answers what a reset with that page is to it. */
function joined(dialect: Dialect) {
  const written: Packet[] = [];
  const socket = { onAny: () => {} } as unknown as IoSocket;
  const connection = { write: (packet: Packet) => written.push(packet) } as unknown as Connection;
  const client = new Translation({ socket, connection, dialect, room: LOBBY, newId });
  client.release();
  const view = { room: LOBBY, complete: true };
  client.send(Frame.of({ type: "joined", ref: 1, ...view, head: place(1), provisional: true }));
  client.send(Frame.of({ type: "events", room: LOBBY, events: events.slice(0, 2) }));
  return (page: RoomEvent[], head: string) => {
    written.splice(0);
    client.send(Frame.of({ type: "reset", reason: "settled", ...view, head, provisional: false }));
    client.send(Frame.of({ type: "events", room: LOBBY, events: page }));
    return written.map(({ text }) => JSON.parse(text.slice(1)) as [string, ...unknown[]]);
  };
}

const isReset = (page: RoomEvent[], head: string) => [
  "reset",
  { room: LOBBY, head, complete: true, provisional: false, events: page, reset: "settled" },
];
const isMessage = ({ body, position }: RoomEvent) => [
  "message",
  JSON.stringify({ message: body }),
  `${LOBBY}:${position}`,
];
const isOffset = (n: number) => ["offset", `${LOBBY}:${place(n)}`];

describe("simple dialect", () => {
  it("what the page brings and links on is heard as messages after the reset, once and in order", () => {
    const told = joined("simple")(events.slice(0, 4), place(3));
    const news = events.slice(2, 4).map(isMessage);
    expect(told).toEqual([isReset(events.slice(0, 2), place(1)), ...news, isOffset(3)]);
  });

  it("a page that brings nothing new is the reset alone", () => {
    const told = joined("simple")(events.slice(0, 2), place(1));
    expect(told).toEqual([isReset(events.slice(0, 2), place(1)), isOffset(1)]);
  });

  it("behind a hole there is a reset, never a part", () => {
    const told = joined("simple")(events.slice(5), place(7));
    expect(told).toEqual([isReset(events.slice(5), place(7)), isOffset(7)]);
  });
});

it("full dialect: the page replaces the view, and nothing of it comes again", () => {
  const told = joined("full")(events.slice(0, 4), place(3));
  expect(told).toEqual([isReset(events.slice(0, 4), place(3)), isOffset(3)]);
});
