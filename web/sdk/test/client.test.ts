/** The outbox and the session: messages keep their id and `since` and are sent again until they are saved. */
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  CLOSES,
  DEFAULT_LIMITS,
  type ClientFrame,
  type ErrorCode,
  type RoomEvent,
  type User,
} from "../../../functions/protocol.ts";
import { FakeRuntime, START_MS } from "./fake-runtime.ts";
import { createApi } from "../src/api.ts";
import { Client } from "../src/client.ts";
import { ClientError } from "../src/errors.ts";
import type { OutboxEntry } from "../src/outbox.ts";
import type { Cancel } from "../src/runtime.ts";
import type { ForeignChange, OutboxStorage } from "../src/storage.ts";
import type { TokenSource } from "../src/tokens.ts";

type Send = Extract<ClientFrame, { type: "send" }>;

const ROOM = "lobby";
const me = { id: "u-me", name: "Me" };
const pad = (position: number): string => String(position).padStart(19, "0");

/** What a browser would keep over a reload, and what another tab does. */
class KeptStorage implements OutboxStorage {
  readonly kept = new Map<string, OutboxEntry>();
  tellForeign: (change: ForeignChange) => void = () => {};
  onTurn: (isMine: boolean) => void = () => {};
  hasTurn = true;

  load(userId: string): readonly OutboxEntry[] {
    return [...this.kept.values()].filter((entry) => entry.userId === userId);
  }

  put(entry: OutboxEntry): void {
    if (entry.state === "saved") this.kept.delete(entry.id);
    else this.kept.set(entry.id, entry);
  }

  remove(id: string): void {
    this.kept.delete(id);
  }

  listen(listener: (change: ForeignChange) => void): Cancel {
    this.tellForeign = listener;
    return () => {};
  }

  takeTurns(_userId: string, onTurn: (isMine: boolean) => void): Cancel {
    this.onTurn = onTurn;
    if (this.hasTurn) onTurn(true);
    return () => {};
  }

  close(): void {}
}

let runtime: FakeRuntime;
let store: KeptStorage;
let chat: Client;
let token: TokenSource;

function startChat(user: User | "unknown" = me): void {
  chat = new Client({
    socketUrl: "ws://skat.test/ws",
    runtime,
    openSocket: runtime.openSocket,
    token: (reason) => token(reason),
    user: user === "unknown" ? undefined : user,
    storage: store,
    watchHints: () => () => {},
    api: createApi("http://skat.test", () => Promise.reject(new Error("no network"))),
  });
  chat.connect();
  chat.join(ROOM);
}

let head: number;
const unreachable = () => Promise.reject(new ClientError("unreachable"));

beforeEach(() => {
  runtime = new FakeRuntime();
  store = new KeptStorage();
  head = 0;
  token = (reason) => (reason === "refused" ? unreachable() : "t1");
  startChat();
});

function welcome(user = me): void {
  runtime.socket.open();
  const ref = runtime.socket.last("auth").ref ?? 0;
  runtime.socket.deliver({
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
  const ref = runtime.socket.last("join").ref ?? 0;
  runtime.socket.deliver({
    type: "joined",
    ref,
    room: ROOM,
    head: pad(head),
    complete: true,
    provisional: false,
  });
  runtime.socket.deliver({ type: "events", room: ROOM, events: [] });
}

function refuseJoin(): void {
  const ref = runtime.socket.last("join").ref ?? 0;
  const error = {
    type: "error",
    ref,
    code: "unknown_room",
    message: "No such room.",
    retriable: false,
  } as const;
  runtime.socket.deliver(error);
}

/** The page is loaded again. */
function restart(): void {
  chat.close();
  startChat();
  connect();
}

function connect(): void {
  welcome();
  answerJoin();
}

/** The connection breaks; the next one is open, but not welcomed yet. */
function reconnect(): void {
  runtime.socket.drop();
  runtime.advanceToSocket();
  connect();
}

const sends = (): readonly Send[] => runtime.socket.all("send");
const entry = () => [...(chat.getSnapshot().rooms.get(ROOM)?.entries.values() ?? [])][0];

function answerSent(send = runtime.socket.last("send")): void {
  runtime.socket.deliver({
    type: "sent",
    ref: send.ref ?? 0,
    room: ROOM,
    id: send.id,
    position: pad(head + 1),
  });
}

function answerError(code: ErrorCode, retriable: boolean, retryAfterMs?: number): void {
  const ref = runtime.socket.last("send").ref ?? 0;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  runtime.socket.deliver({ type: "error", ref, code, message: "no", retriable, ...wait });
}

function saved(id: string): void {
  runtime.socket.deliver({ type: "saved", room: ROOM, ids: [id] });
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
  runtime.socket.deliver(event);
}

describe("the outbox", () => {
  it("[K3] goes from waiting over sent to saved, and then forgets the message", () => {
    connect();
    chat.send(ROOM, "hello");
    expect(entry()?.state).toBe("waiting");
    deliver(runtime.socket.last("send"));
    answerSent();
    expect(entry()?.state).toBe("sent");
    expect(store.kept.size).toBe(1);
    saved(runtime.socket.last("send").id);
    expect(entry()).toBeUndefined();
    expect(store.kept.size).toBe(0);
  });

  it("[G13] a room that this user was put out of is not joined again by a reconnect, but by hand", () => {
    connect();
    runtime.socket.deliver({ type: "left", room: ROOM, reason: "removed" });
    runtime.socket.drop();
    runtime.advanceToSocket();
    welcome();
    expect(runtime.socket.all("join")).toEqual([]);
    chat.leave(ROOM);
    chat.join(ROOM);
    expect(runtime.socket.all("join")).toHaveLength(1);
  });

  it("[G4] a room that is being joined while its user is told to leave it goes by the answer to the join", () => {
    connect();
    deliver({ id: "one", body: "before" });
    const rejoin = () => {
      runtime.socket.drop();
      runtime.advanceToSocket();
      welcome();
      runtime.socket.deliver({ type: "left", room: ROOM, reason: "removed" });
      return runtime.socket.last("join").ref ?? 0;
    };
    const shown = () => chat.getSnapshot().rooms.get(ROOM);
    const ref = rejoin();
    const page = { room: ROOM, head: pad(++head), complete: true, provisional: false };
    runtime.socket.deliver({ type: "reset", reason: "fence", ref, ...page });
    runtime.socket.deliver({ type: "events", room: ROOM, events: [] });
    deliver({ id: "two", body: "since" });
    expect(shown()?.error).toBeUndefined();
    expect(shown()?.messages.map(({ body }) => body)).toEqual(["since"]);
    rejoin();
    refuseJoin();
    expect(shown()?.error?.code).toBe("unknown_room");
  });

  it("[K3] [G2] sends again after each reconnect, with the same id and `since`, until saved", () => {
    connect();
    chat.send(ROOM, "hello");
    const first = runtime.socket.last("send");
    expect(first.since).toBe(pad(0));
    reconnect();
    deliver({ id: "other", body: "meanwhile" });
    const second = runtime.socket.last("send");
    answerSent();
    reconnect();
    const third = runtime.socket.last("send");
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
    const first = runtime.socket.last("send");
    answerSent();
    chat.close();
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
    runtime.advance(3_999);
    expect(sends().map(({ body }) => body)).toEqual(["one"]);
    runtime.advance(600);
    expect(sends().map(({ body }) => body)).toEqual(["one", "one"]);
    expect(sends()[1]?.id).toBe(sends()[0]?.id);
    answerSent();
    expect(sends().map(({ body }) => body)).toEqual(["one", "one", "two"]);
  });

  it("[K3] waits with sending until the room has let the new connection in", () => {
    connect();
    runtime.socket.drop();
    chat.send(ROOM, "written without a connection");
    runtime.advanceToSocket();
    welcome();
    expect(sends()).toEqual([]);
    answerJoin();
    expect(sends().length).toBe(1);
  });

  it("shows a refused message as failed, goes on with the next, and retries under the same id", () => {
    connect();
    chat.send(ROOM, "one");
    chat.send(ROOM, "two");
    const { id } = runtime.socket.last("send");
    answerError("not_member", false);
    expect(entry()).toMatchObject({ id, state: "failed", error: { code: "not_member" } });
    answerSent();
    chat.retry(id);
    expect(runtime.socket.last("send")).toMatchObject({ id, body: "one" });
  });

  it("retries a message whose id was refused under a new one", () => {
    connect();
    chat.send(ROOM, "one");
    const { id } = runtime.socket.last("send");
    answerError("id_from_future", false);
    chat.retry(id);
    expect(runtime.socket.last("send")).toMatchObject({ body: "one" });
    expect(runtime.socket.last("send").id).not.toBe(id);
    expect(store.kept.size).toBe(1);
  });

  it("discards a failed message for good", () => {
    connect();
    chat.send(ROOM, "one");
    answerError("not_member", false);
    chat.cancel(runtime.socket.last("send").id);
    reconnect();
    expect(sends()).toEqual([]);
    expect(store.kept.size).toBe(0);
  });

  it("keeps a message that is saved before its event came, until it comes", () => {
    connect();
    chat.send(ROOM, "hello");
    const send = runtime.socket.last("send");
    answerSent();
    saved(send.id);
    expect(entry()?.state).toBe("saved");
    expect(store.kept.size).toBe(0);
    deliver(send);
    expect(entry()).toBeUndefined();
  });

  it("shows what another tab writes, and leaves the sending to the one that has the turn", () => {
    store.hasTurn = false;
    restart();
    const foreign = {
      id: "f",
      room: ROOM,
      body: "b",
      since: pad(0),
      userId: me.id,
      at: 0,
      state: "waiting",
    } as const;
    store.tellForeign({ kind: "put", entry: foreign });
    expect(entry()?.id).toBe("f");
    chat.send(ROOM, "mine");
    expect(sends()).toEqual([]);
    store.tellForeign({ kind: "removed", id: "f" });
    expect(entry()?.body).toBe("mine");
  });

  it("[K3] sends what another tab wrote while it has the turn, and stops when it loses it", () => {
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
    store.tellForeign({ kind: "put", entry: foreign });
    expect(sends().map(({ id }) => id)).toEqual(["f"]);
    store.onTurn(false);
    chat.send(ROOM, "mine");
    answerSent();
    expect(sends().map(({ id }) => id)).toEqual(["f"]);
  });

  it("[K3] reads again what is kept when it gets the turn, and sends it in the order of writing", () => {
    store.hasTurn = false;
    restart();
    chat.send(ROOM, "one");
    const kept = [...store.kept.values()][0];
    if (kept === undefined) throw new Error("Nothing was kept.");
    const unheard = { ...kept, id: kept.id.replace(/^./, "f"), body: "two" };
    store.kept.set(unheard.id, unheard);
    store.onTurn(true);
    answerSent();
    expect(sends().map(({ body }) => body)).toEqual(["one", "two"]);
  });

  it("is not sent when another user's", () => {
    const entry = {
      id: "x",
      room: ROOM,
      body: "b",
      since: pad(0),
      userId: "u-other",
      at: 0,
      state: "waiting",
    } as const;
    store.put(entry);
    restart();
    store.tellForeign({ kind: "put", entry: { ...entry, id: "y" } });
    expect(sends()).toEqual([]);
    expect(store.kept.get("x")).toBe(entry);
  });

  it("[N7] gives ids that a wrong clock made a time that the server takes, before they are sent, in order", async () => {
    chat.close();
    runtime.wrongByMs = 3_600_000;
    startChat();
    const one = chat.send(ROOM, "one");
    chat.send(ROOM, "two");
    connect();
    answerSent();
    expect(sends().map(({ body }) => body)).toEqual(["one", "two"]);
    const [first, second] = sends();
    expect(first?.id.slice(0, 8)).toBe(START_MS.toString(16).padStart(12, "0").slice(0, 8));
    expect((first?.id ?? "") < (second?.id ?? "")).toBe(true);
    saved(first?.id ?? "");
    await expect(chat.saved(one.id)).resolves.toMatchObject({ id: first?.id, state: "saved" });
  });

  it("takes messages before it knows the room, when it knows who writes", () => {
    const entry = chat.send(ROOM, "before any connection");
    expect(entry.since).toBe(pad(0));
    connect();
    expect(runtime.socket.last("send").id).toBe(entry.id);
  });

  it("takes none while it is not known who writes", () => {
    chat.close();
    startChat("unknown");
    expect(() => chat.send(ROOM, "whose?")).toThrow(expect.objectContaining({ code: "no_user" }));
    connect();
    chat.send(ROOM, "mine");
    expect(entry()?.userId).toBe(me.id);
  });

  it("shows messages as failed whose room does not let their writer in, and sends them when it does", () => {
    chat.send(ROOM, "one");
    welcome();
    refuseJoin();
    expect(entry()).toMatchObject({ state: "failed", error: { code: "unknown_room" } });
    chat.retry(entry()?.id ?? "");
    answerJoin();
    expect(sends().length).toBe(1);
  });

  it("goes on in memory when the storage fails, and says so", async () => {
    chat.close();
    store.put = () => Promise.reject(new Error("quota"));
    startChat();
    const errors: string[] = [];
    chat.on("error", ({ code }) => errors.push(code));
    connect();
    chat.send(ROOM, "one");
    await vi.waitFor(() => expect(sends().length).toBe(1));
    expect(errors).toEqual(["not_kept"]);
  });

  it("sends a message only when it is kept", async () => {
    chat.close();
    let keep = () => {};
    store.put = () => new Promise<void>((resolve) => (keep = resolve));
    startChat();
    connect();
    chat.send(ROOM, "one");
    expect(sends()).toEqual([]);
    keep();
    await vi.waitFor(() => expect(sends().length).toBe(1));
  });
});

describe("the session", () => {
  it("joins again with its cursor after a reconnect", () => {
    connect();
    deliver({ id: "a", body: "a" });
    runtime.socket.drop();
    runtime.advanceToSocket();
    welcome();
    expect(runtime.socket.last("join")).toMatchObject({ room: ROOM, after: pad(1) });
  });

  it("[G4] joins again at a hole, and not in a tight loop when the hole stays", () => {
    connect();
    const joins = () => runtime.socket.all("join").length;
    const hole = () => {
      head = 10;
      deliver({ id: "h", body: "h" });
      head = 0;
    };
    hole();
    runtime.advance(0);
    expect(joins()).toBe(2);
    answerJoin();
    hole();
    runtime.advance(0);
    expect(joins()).toBe(2);
    runtime.advance(1_000);
    expect(joins()).toBe(3);
  });

  it("tells what the server can't do, until it can or the connection changes", () => {
    connect();
    runtime.socket.deliver({ type: "degraded", engine: "kafka", cannot: ["save"] });
    runtime.socket.deliver({ type: "degraded", engine: "postgres", cannot: ["history"] });
    expect([...chat.getSnapshot().cannot]).toEqual(["save", "history"]);
    runtime.socket.deliver({ type: "recovered", engine: "kafka" });
    expect([...chat.getSnapshot().cannot]).toEqual(["history"]);
    reconnect();
    expect([...chat.getSnapshot().cannot]).toEqual([]);
  });

  it("gets another token once when its own is no longer taken", async () => {
    const asked: string[] = [];
    token = (reason) => {
      asked.push(reason);
      return Promise.resolve("t2");
    };
    connect();
    runtime.socket.drop(CLOSES.token_expired.code);
    expect(chat.getSnapshot().connection).toEqual({ phase: "connecting" });
    await Promise.resolve();
    runtime.socket.open();
    expect(runtime.socket.last("auth").token).toBe("t2");
    runtime.socket.drop(CLOSES.invalid_token.code);
    await Promise.resolve();
    expect(asked).toEqual(["refused"]);
    expect(chat.getSnapshot().connection).toEqual({ phase: "stopped", code: "invalid_token" });
  });

  it("gives the server another token before a signed one runs out, on the same connection", () => {
    chat.close();
    const sign = (id: string, endMs: number) => `x.${btoa(JSON.stringify({ id, exp: endMs / 1_000 }))}.x`;
    const tokens = [sign("one", START_MS + 600_000), sign("two", START_MS + 1_200_000)];
    token = () => tokens.shift() ?? "";
    startChat();
    connect();
    const auths = () =>
      runtime.socket.all("auth").map((auth) => JSON.parse(atob(auth.token.split(".")[1] ?? "")).id);
    runtime.advance(539_000);
    expect(auths()).toEqual(["one"]);
    runtime.advance(1_000);
    expect(auths()).toEqual(["one", "two"]);
  });

  it("takes a message as its own earlier one when only the new identity's id is in the way", async () => {
    connect();
    chat.send(ROOM, "accepted, but never answered");
    token = () => Promise.resolve("t2");
    runtime.socket.drop(CLOSES.token_expired.code);
    await Promise.resolve();
    welcome({ id: "u-new", name: "Me" });
    answerJoin();
    answerError("id_taken", false);
    expect(store.kept.size).toBe(0);
  });

  it("says why a room can't be read", () => {
    welcome();
    refuseJoin();
    expect(chat.getSnapshot().rooms.get(ROOM)?.error).toMatchObject({ code: "unknown_room" });
  });

  it("has never two sockets at a time, whatever happens", () => {
    const step = fc.constantFrom(
      "open",
      "welcome",
      "drop",
      "draining",
      "reconnect",
      "wake",
      "refresh",
      "tick",
      "long",
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        runtime = new FakeRuntime();
        startChat();
        for (const name of steps) {
          meddle(name);
          expect(runtime.openSockets).toBeLessThanOrEqual(1);
        }
        chat.close();
        expect(runtime.openSockets).toBe(0);
      }),
    );
  });

  it("leaves a room, and may join it again", () => {
    connect();
    chat.leave(ROOM);
    expect(runtime.socket.all("leave").length).toBe(1);
    expect(chat.getSnapshot().rooms.size).toBe(0);
    chat.join(ROOM);
    expect(runtime.socket.all("join").length).toBe(2);
  });

  it("stays silent after `close`", () => {
    connect();
    chat.close();
    runtime.advance(600_000);
    expect(runtime.sockets.length).toBe(1);
  });
});

describe("waiting", () => {
  it("for a room ends when it shows its messages, and at once when it does already", async () => {
    const joined = chat.joined(ROOM);
    connect();
    await expect(joined).resolves.toMatchObject({ messages: [] });
    await expect(chat.joined(ROOM)).resolves.toMatchObject({ messages: [] });
  });

  it("for a room ends when the server refuses it, and with the client", async () => {
    const refused = expect(chat.joined(ROOM)).rejects.toMatchObject({ code: "unknown_room" });
    welcome();
    refuseJoin();
    await refused;
    chat.join("other");
    const closed = expect(chat.joined("other")).rejects.toMatchObject({ code: "closed" });
    chat.close();
    await closed;
  });

  it("ends with the reason of the caller's signal", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const waiting = expect(chat.joined(ROOM, { signal: controller.signal })).rejects.toBe(reason);
    controller.abort(reason);
    await waiting;
    await expect(chat.joined(ROOM, { signal: controller.signal })).rejects.toBe(reason);
  });

  it("for a message ends when it is saved, refused or cancelled", async () => {
    connect();
    const [good, bad, unwanted] = ["good", "bad", "unwanted"].map((body) => chat.send(ROOM, body).id);
    const all = Promise.allSettled([good, bad, unwanted].map((id) => chat.saved(id ?? "")));
    answerSent();
    answerError("body_too_long", false);
    chat.cancel(unwanted ?? "");
    saved(good ?? "");
    const [first, second, third] = await all;
    expect(first).toMatchObject({ status: "fulfilled", value: { id: good, state: "saved" } });
    expect(second).toMatchObject({ reason: { code: "body_too_long", retriable: false } });
    expect(third).toMatchObject({ reason: { code: "cancelled" } });
    await expect(chat.saved("never written")).rejects.toMatchObject({ code: "no_message" });
  });

  it("the deliveries tell each step once", () => {
    const steps: string[] = [];
    chat.on("delivery", ({ state }) => steps.push(state));
    connect();
    const { id } = chat.send(ROOM, "hello");
    deliver(runtime.socket.last("send"));
    answerSent();
    saved(id);
    expect(steps).toEqual(["waiting", "sent", "saved"]);
  });
});

function meddle(step: string): void {
  const { socket } = runtime;
  if (step === "open" && !socket.isClosed) socket.open();
  if (step === "welcome" && socket.all("auth").length > 0) welcome();
  if (step === "drop") socket.drop();
  if (step === "draining") socket.drop(CLOSES.draining.code);
  if (step === "reconnect") socket.deliver({ type: "reconnect", afterMs: 3_000 });
  if (step === "wake") chat.wake();
  if (step === "refresh") chat.refresh();
  if (step === "tick") runtime.advance(700);
  if (step === "long") runtime.advance(20_000);
}
