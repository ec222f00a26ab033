/** The outbox and the session: messages keep their id and `since` and are sent again until they are saved. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  CLOSES,
  DEFAULT_LIMITS,
  type ClientFrame,
  type ErrorCode,
  type RoomEvent,
} from "../../../functions/protocol.ts";
import { FakePlatform } from "../../test/fake-platform.ts";
import { ApiError, type Account, type Api } from "./api.ts";
import { Chat } from "./chat.ts";
import type { OutboxEntry, OutboxStore } from "./outbox.ts";

type Send = Extract<ClientFrame, { type: "send" }>;

const ROOM = "lobby";
const me = { id: "u-me", name: "Me" };
const pad = (position: number): string => String(position).padStart(19, "0");

/** What a browser would keep over a reload. */
class MemoryStore implements OutboxStore {
  readonly kept = new Map<string, OutboxEntry>();
  tellForeign: (change: OutboxEntry | string) => void = () => {};

  load(): readonly OutboxEntry[] {
    return [...this.kept.values()];
  }

  put(entry: OutboxEntry): void {
    this.kept.set(entry.id, entry);
  }

  remove(id: string): void {
    this.kept.delete(id);
  }

  onForeignChange(listener: (change: OutboxEntry | string) => void): void {
    this.tellForeign = listener;
  }
}

let platform: FakePlatform;
let store: MemoryStore;
let chat: Chat;
let accounts: Account[];
let guest: Api["guest"];
let head: number;

function startChat(): void {
  const refuse = () => Promise.reject(new ApiError("unreachable", "", true));
  chat = new Chat({
    url: "ws://skat.test/ws",
    platform,
    account: { token: "t1", user: me },
    outboxStore: store,
    onAccount: (account) => accounts.push(account),
    api: { guest: (name) => guest(name), rooms: refuse, createRoom: refuse, history: refuse },
  });
  chat.start();
  chat.open(ROOM);
}

beforeEach(() => {
  platform = new FakePlatform();
  store = new MemoryStore();
  accounts = [];
  head = 0;
  guest = () => Promise.reject(new ApiError("unreachable", "", true));
  startChat();
});

function welcome(user = me): void {
  platform.socket.open();
  const ref = platform.socket.last("auth").ref ?? 0;
  platform.socket.deliver({
    type: "welcome",
    ref,
    session: "s",
    user,
    limits: DEFAULT_LIMITS,
    heartbeatMs: 1_000_000,
    now: 1_795_000_000_000,
  });
}

function answerJoin(): void {
  const ref = platform.socket.last("join").ref ?? 0;
  platform.socket.deliver({
    type: "joined",
    ref,
    room: ROOM,
    head: pad(head),
    complete: true,
    provisional: false,
  });
  platform.socket.deliver({ type: "events", room: ROOM, events: [] });
}

function connect(): void {
  welcome();
  answerJoin();
}

/** The connection breaks; the next one is open, but not welcomed yet. */
function reconnect(): void {
  platform.socket.drop();
  platform.advanceToSocket();
  connect();
}

const sends = (): readonly Send[] => platform.socket.all("send");
const entry = () => [...(chat.getSnapshot().rooms.get(ROOM)?.entries.values() ?? [])][0];

function answerSent(send = platform.socket.last("send")): void {
  platform.socket.deliver({
    type: "sent",
    ref: send.ref ?? 0,
    room: ROOM,
    id: send.id,
    position: pad(head + 1),
  });
}

function answerError(code: ErrorCode, retriable: boolean, retryAfterMs?: number): void {
  const ref = platform.socket.last("send").ref ?? 0;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  platform.socket.deliver({ type: "error", ref, code, message: "no", retriable, ...wait });
}

function saved(id: string): void {
  platform.socket.deliver({ type: "saved", room: ROOM, ids: [id] });
}

function deliver({ id, body }: { readonly id: string; readonly body: string }): void {
  const prev = pad(head);
  head += 1;
  const event: RoomEvent = {
    type: "event",
    room: ROOM,
    position: pad(head),
    prev,
    kind: "message",
    id,
    user: me,
    body,
    at: 0,
  };
  platform.socket.deliver(event);
}

describe("the outbox", () => {
  it("[K3] goes from waiting over sent to saved, and then forgets the message", () => {
    connect();
    chat.send(ROOM, "hello");
    expect(entry()?.state).toBe("waiting");
    deliver(platform.socket.last("send"));
    answerSent();
    expect(entry()?.state).toBe("sent");
    expect(store.kept.size).toBe(1);
    saved(platform.socket.last("send").id);
    expect(entry()).toBeUndefined();
    expect(store.kept.size).toBe(0);
  });

  it("[K3] [G2] sends again after each reconnect, with the same id and `since`, until saved", () => {
    connect();
    chat.send(ROOM, "hello");
    const first = platform.socket.last("send");
    expect(first.since).toBe(pad(0));
    reconnect();
    deliver({ id: "other", body: "meanwhile" });
    const second = platform.socket.last("send");
    answerSent();
    reconnect();
    const third = platform.socket.last("send");
    for (const { id, since, body } of [second, third])
      expect({ id, since, body }).toEqual({ id: first.id, since: first.since, body: "hello" });
    answerSent();
    saved(first.id);
    reconnect();
    expect(sends()).toEqual([]);
  });

  it("[K3] keeps what is not saved over a reload of the page", () => {
    connect();
    chat.send(ROOM, "one");
    const first = platform.socket.last("send");
    answerSent();
    chat.stop();
    startChat();
    connect();
    expect(sends().map(({ id, since, body }) => ({ id, since, body }))).toEqual([
      { id: first.id, since: first.since, body: "one" },
    ]);
  });

  it("[K3] sends again after a retriable error, not before `retryAfterMs`, and in order", () => {
    connect();
    chat.send(ROOM, "one");
    chat.send(ROOM, "two");
    answerError("unavailable", true, 4_000);
    platform.advance(3_999);
    expect(sends().map(({ body }) => body)).toEqual(["one"]);
    platform.advance(600);
    expect(sends().map(({ body }) => body)).toEqual(["one", "one"]);
    expect(sends()[1]?.id).toBe(sends()[0]?.id);
    answerSent();
    expect(sends().map(({ body }) => body)).toEqual(["one", "one", "two"]);
  });

  it("[K3] waits with sending until the room has let the new connection in", () => {
    connect();
    platform.socket.drop();
    chat.send(ROOM, "written without a connection");
    platform.advanceToSocket();
    welcome();
    expect(sends()).toEqual([]);
    answerJoin();
    expect(sends().length).toBe(1);
  });

  it("shows a refused message as failed, goes on with the next, and retries under the same id", () => {
    connect();
    chat.send(ROOM, "one");
    chat.send(ROOM, "two");
    const { id } = platform.socket.last("send");
    answerError("not_member", false);
    expect(entry()).toMatchObject({ id, state: "failed", error: { code: "not_member" } });
    answerSent();
    chat.retry(id);
    expect(platform.socket.last("send")).toMatchObject({ id, body: "one" });
  });

  it("retries a message whose id was refused under a new one", () => {
    connect();
    chat.send(ROOM, "one");
    const { id } = platform.socket.last("send");
    answerError("id_from_future", false);
    chat.retry(id);
    expect(platform.socket.last("send")).toMatchObject({ body: "one" });
    expect(platform.socket.last("send").id).not.toBe(id);
    expect(store.kept.size).toBe(1);
  });

  it("discards a failed message for good", () => {
    connect();
    chat.send(ROOM, "one");
    answerError("not_member", false);
    chat.discard(platform.socket.last("send").id);
    reconnect();
    expect(sends()).toEqual([]);
    expect(store.kept.size).toBe(0);
  });

  it("keeps a message that is saved before its event came, until it comes", () => {
    connect();
    chat.send(ROOM, "hello");
    const send = platform.socket.last("send");
    answerSent();
    saved(send.id);
    expect(entry()?.state).toBe("saved");
    expect(store.kept.size).toBe(0);
    deliver(send);
    expect(entry()).toBeUndefined();
  });

  it("shows what another tab writes, and leaves the sending to it", () => {
    connect();
    const foreign = {
      id: "f",
      room: ROOM,
      body: "b",
      since: pad(0),
      userId: me.id,
      at: 0,
      state: "waiting",
    } as const;
    store.tellForeign(foreign);
    expect(entry()?.id).toBe("f");
    expect(sends()).toEqual([]);
    store.tellForeign("f");
    expect(entry()).toBeUndefined();
  });
});

describe("the session", () => {
  it("joins again with its cursor after a reconnect", () => {
    connect();
    deliver({ id: "a", body: "a" });
    platform.socket.drop();
    platform.advanceToSocket();
    welcome();
    expect(platform.socket.last("join")).toMatchObject({ room: ROOM, after: pad(1) });
  });

  it("[G4] joins again at a hole, and not in a tight loop when the hole stays", () => {
    connect();
    const joins = () => platform.socket.all("join").length;
    const hole = () => {
      head = 10;
      deliver({ id: "h", body: "h" });
      head = 0;
    };
    hole();
    platform.advance(0);
    expect(joins()).toBe(2);
    answerJoin();
    hole();
    platform.advance(0);
    expect(joins()).toBe(2);
    platform.advance(1_000);
    expect(joins()).toBe(3);
  });

  it("tells what the server can't do, until it can or the connection changes", () => {
    connect();
    platform.socket.deliver({ type: "degraded", engine: "kafka", cannot: ["save"] });
    platform.socket.deliver({ type: "degraded", engine: "postgres", cannot: ["history"] });
    expect([...chat.getSnapshot().cannot]).toEqual(["save", "history"]);
    platform.socket.deliver({ type: "recovered", engine: "kafka" });
    expect([...chat.getSnapshot().cannot]).toEqual(["history"]);
    reconnect();
    expect([...chat.getSnapshot().cannot]).toEqual([]);
  });

  it("gets a new guest token once when its own is no longer taken", async () => {
    const renewed = { token: "t2", user: { id: "u-new", name: "Me" } };
    const asked: string[] = [];
    guest = (name) => {
      asked.push(name);
      return Promise.resolve(renewed);
    };
    connect();
    platform.socket.drop(CLOSES.token_expired.code);
    await Promise.resolve();
    await Promise.resolve();
    expect(accounts).toEqual([renewed]);
    platform.socket.open();
    expect(platform.socket.last("auth").token).toBe("t2");
    platform.socket.drop(CLOSES.invalid_token.code);
    await Promise.resolve();
    await Promise.resolve();
    expect(asked).toEqual(["Me"]);
    expect(chat.getSnapshot().connection).toEqual({ phase: "stopped", code: "invalid_token" });
  });

  it("takes a message as its own earlier one when only the new guest's id is in the way", async () => {
    connect();
    chat.send(ROOM, "accepted, but never answered");
    guest = () => Promise.resolve({ token: "t2", user: { id: "u-new", name: "Me" } });
    platform.socket.drop(CLOSES.token_expired.code);
    await Promise.resolve();
    await Promise.resolve();
    welcome({ id: "u-new", name: "Me" });
    answerJoin();
    answerError("id_taken", false);
    expect(store.kept.size).toBe(0);
  });

  it("says why a room can't be read", () => {
    welcome();
    const ref = platform.socket.last("join").ref ?? 0;
    platform.socket.deliver({
      type: "error",
      ref,
      code: "unknown_room",
      message: "No such room.",
      retriable: false,
    });
    expect(chat.getSnapshot().rooms.get(ROOM)?.error).toMatchObject({ code: "unknown_room" });
  });

  it("stays silent after `stop`", () => {
    connect();
    chat.stop();
    platform.advance(600_000);
    expect(platform.sockets.length).toBe(1);
  });
});
