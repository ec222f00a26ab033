/** Read marks of the client: they rise, are told now and then, and after a reconnect where the answer was lost. */
import { beforeEach, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../functions/protocol.ts";
import { createApi } from "../src/api.ts";
import { Client } from "../src/client.ts";
import { memoryStorage } from "../src/storage.ts";
import { FakeRuntime } from "./fake-runtime.ts";

const ROOM = "lobby";
const USER = { id: "u-me", name: "Me" };
const pad = (position: number): string => String(position).padStart(19, "0");

let runtime: FakeRuntime;
let chat: Client;
beforeEach(() => {
  runtime = new FakeRuntime();
  const { openSocket } = runtime;
  chat = new Client({
    ...{ socketUrl: "ws://skat.test/ws", runtime, openSocket, token: "t", user: USER },
    storage: memoryStorage(),
    watchHints: () => () => {},
    api: createApi("http://skat.test", () => Promise.reject(new Error("no network"))),
  });
  chat.connect();
  chat.join(ROOM);
  welcome();
});

const refOf = (type: "auth" | "join" | "read") => runtime.socket.last(type).ref ?? 0;
const told = () => runtime.socket.all("read").map(({ position }) => position);
const read = () => chat.getSnapshot().rooms.get(ROOM)?.read;

function welcome(): void {
  const { socket } = runtime;
  socket.open();
  const about = { session: "s", user: USER, limits: DEFAULT_LIMITS, heartbeatMs: 1_000_000, now: 1 };
  socket.deliver({ type: "welcome", ref: refOf("auth"), ...about });
}

function answerJoin(): void {
  const page = { room: ROOM, head: pad(9), complete: true, provisional: false };
  runtime.socket.deliver({ type: "joined", ref: refOf("join"), ...page });
  runtime.socket.deliver({ type: "events", room: ROOM, events: [] });
}

function answerRead(): void {
  const { position } = runtime.socket.last("read");
  runtime.socket.deliver({ type: "read", ref: refOf("read"), room: ROOM, position });
}

it("only rise, wherever they come from", () => {
  answerJoin();
  chat.markRead(ROOM, pad(2));
  expect(read()).toBe(pad(2));
  runtime.socket.deliver({ type: "read", room: ROOM, position: pad(4) });
  chat.markRead(ROOM, pad(3));
  runtime.socket.deliver({ type: "read", room: ROOM, position: pad(1) });
  expect([read(), told()]).toEqual([pad(4), [pad(2)]]);
});

it("are told at once, then once a second with the last of what was read, then no more", () => {
  answerJoin();
  for (let n = 1; n <= 30; n++) {
    chat.markRead(ROOM, pad(n));
    if (n % 10 === 1) answerRead();
    runtime.advance(100);
  }
  answerRead();
  runtime.advance(10_000);
  expect(told()).toEqual([1, 10, 20, 30].map(pad));
});

it("wait for the room, and are told again on the next connection where the answer was lost", () => {
  chat.markRead(ROOM, pad(1));
  expect(told()).toEqual([]);
  answerJoin();
  expect(told()).toEqual([pad(1)]);
  for (const again of [[pad(1)], []]) {
    runtime.socket.drop();
    runtime.advanceToSocket();
    welcome();
    answerJoin();
    expect(told()).toEqual(again);
    if (again.length > 0) answerRead();
  }
});

it("one that is refused is not told again", () => {
  answerJoin();
  chat.markRead(ROOM, pad(1));
  const refused = { code: "not_member", message: "", retriable: false } as const;
  runtime.socket.deliver({ type: "error", ref: refOf("read"), ...refused });
  runtime.advance(10_000);
  expect(told()).toEqual([pad(1)]);
});
