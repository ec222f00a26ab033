/** The client that all proofs stand on keeps K1 where a real connection can part what belongs together, and leaves a room when it is told to. */
import { expect, test } from "vitest";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import type { ClientFrame } from "../protocol.ts";
import { ClientRules } from "./client-rules.ts";
import { messages } from "./events.ts";

const ROOM = "room";

class Client extends ClientRules {
  readonly frames: ClientFrame[] = [];
  isRemoved = false;

  protected transmit(frame: ClientFrame): void {
    this.frames.push(frame);
  }

  protected override isDenied(): boolean {
    return this.isRemoved;
  }
}

function joinedClient() {
  const events = messages(ROOM, 3);
  const head = events.at(-1)?.position ?? "";
  const client = new Client({ name: "c", rooms: [ROOM], runtime });
  const welcome = { type: "welcome", session: "s", user: { id: "c", name: "c" }, now: 0 } as const;
  const welcomed = () => client.hear({ ...welcome, limits: {} as never, heartbeatMs: 1 });
  const joined = { type: "joined", ref: 1, room: ROOM, head, complete: true, provisional: false } as const;
  welcomed();
  client.hear(joined);
  return { client, events, head, welcomed, joined };
}

test("[K1] a page counts with its events: a connection that ends in between moves no cursor", () => {
  const { client, events, head, welcomed, joined } = joinedClient();
  expect(client.isSettled).toBe(false);
  client.disconnected();
  welcomed();
  expect(client.frames.at(-1)).toEqual({ type: "join", ref: 1, room: ROOM });
  client.hear(joined);
  client.hear({ type: "events", room: ROOM, events });
  expect(client.isSettled).toBe(true);
  expect(client.shown(ROOM)).toEqual(events);
  client.disconnected();
  welcomed();
  expect(client.frames.at(-1)).toEqual({ type: "join", ref: 1, room: ROOM, after: head });
});

test("[G13] who was removed says and asks nothing of the room, and hears nothing of it but the answer to its own join", () => {
  const { client, events, welcomed, joined } = joinedClient();
  const page = { type: "events", room: ROOM, events } as const;
  const left = { type: "left", room: ROOM, reason: "removed" } as const;
  client.hear(page);
  const id = client.say(ROOM, "unsaved");
  client.isRemoved = true;
  client.hear(left);
  expect([client.waiting, [...client.givenUp], [...client.leftRooms]]).toEqual([0, [id], [ROOM]]);
  expect(client.isSettled).toBe(true);
  const told = client.frames.length;
  welcomed();
  client.tick();
  expect(client.frames.slice(told)).toEqual([]);
  for (const event of events) client.hear(event);
  client.hear(page);
  expect(client.faults.map(({ kind }) => kind)).toEqual(Array(4).fill("heard_after_left"));
  client.hear(joined);
  client.hear(page);
  expect([client.faults.length, [...client.leftRooms]]).toEqual([4, []]);
});

test("to be refused or told to leave is a fault where nobody has taken the right away", () => {
  const { client, events } = joinedClient();
  client.hear({ type: "events", room: ROOM, events });
  client.say(ROOM, "first");
  const refusal = { type: "error", ref: 1_000, code: "muted", message: "muted", retriable: false } as const;
  client.hear(refusal);
  client.hear({ type: "left", room: ROOM, reason: "banned" });
  expect(client.faults.map(({ kind }) => kind)).toEqual(["refused", "shut_out"]);
  client.isRemoved = true;
  client.hear(refusal);
  expect(client.faults.length).toBe(2);
});
