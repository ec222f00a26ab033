/** The client that all proofs stand on keeps K1 at the one place where a real connection can part what belongs together. */
import { expect, test } from "vitest";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import type { ClientFrame } from "../protocol.ts";
import { ClientRules } from "./client-rules.ts";
import { messages } from "./events.ts";

const ROOM = "room";

class Client extends ClientRules {
  readonly frames: ClientFrame[] = [];

  protected transmit(frame: ClientFrame): void {
    this.frames.push(frame);
  }
}

test("[K1] a page counts with its events: a connection that ends in between moves no cursor", () => {
  const events = messages(ROOM, 3);
  const head = events.at(-1)?.position ?? "";
  const client = new Client({ name: "c", rooms: [ROOM], runtime });
  const welcome = { type: "welcome", session: "s", user: { id: "c", name: "c" }, now: 0 } as const;
  const welcomed = () => client.hear({ ...welcome, limits: {} as never, heartbeatMs: 1 });
  const joined = { type: "joined", ref: 1, room: ROOM, head, complete: true, provisional: false } as const;
  welcomed();
  client.hear(joined);
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
