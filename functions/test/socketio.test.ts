/** Clients of Socket.IO on one node: both dialects, old and new libraries, beside `/ws`. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LOBBY, type RoomEvent } from "../protocol.ts";
import type { Hello, RoomPage, Sent } from "../socketio/events.ts";
import { history } from "./audit.ts";
import { newId } from "./events.ts";
import { makeRooms, startEmbedded, type Embedded } from "./harness.ts";
import {
  cutOff,
  hasOffset,
  heardBy,
  ioClient,
  ioConnect,
  textsOf,
  type IoClient,
} from "./socketio-client.ts";
import { guest, RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

let server: Embedded;
let rooms: string[];
const clients: IoClient[] = [];
beforeAll(async () => {
  server = await startEmbedded({ SOCKETIO: "true" });
  rooms = await makeRooms(server.url, 8);
  await Promise.all([LOBBY, ...rooms].map(async (room) => (await onWebSocket(room)).close()));
}, 90_000);
afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));
afterAll(async () => void (await server?.stop()));

type Options = NonNullable<Parameters<typeof ioConnect>[1]>;

async function connect(options?: Options): Promise<IoClient> {
  const client = await ioConnect(server.url, options);
  clients.push(client);
  return client;
}

/** Over /ws in a room whose view is settled. */
async function onWebSocket(room: string): Promise<RawClient> {
  const client = await RawClient.open(server.url, (await guest(server.url, "Ws")).token);
  const joined = await client.ask({ type: "join", room });
  if (joined.type === "joined" && joined.provisional) await client.next("reset");
  return client;
}

async function send(client: RawClient, room: string, body: string): Promise<void> {
  const sent = await client.ask({ type: "send", room, id: newId(), body, since: "0".repeat(19) });
  expect(sent.type).toBe("sent");
}

/** Of those that were made and have settled together: that takes seconds. */
const newRoom = () => rooms.pop() ?? "";
const full = async (more: Hello = {}): Promise<{ auth: Hello }> => ({
  auth: { dialect: "full", token: (await guest(server.url, "Full")).token, ...more },
});

describe.each([
  ["4.8 over WebSocket", {}],
  ["4.8 as it comes, polling first", { transports: ["polling", "websocket"] }],
  ["4.8 by polling alone", { transports: ["polling"] }],
  ["3.1 over WebSocket", { isOld: true }],
  ["3.1 as it comes, polling first", { isOld: true, transports: ["polling", "websocket"] }],
] as const satisfies readonly (readonly [string, Options])[])("socket.io-client %s", (_, options) => {
  it("simple dialect: `event:message` is heard by all as `message` with the JSON text, and by /ws, and stored once", async () => {
    const [ada, ben] = [await connect(options), await connect(options)];
    const [toAda, toBen] = [heardBy(ada), heardBy(ben)];
    const ws = await onWebSocket(LOBBY);
    const text = `Hello „${newId()}“ 👋`;
    ada.emit("event:message", { message: text });
    for (const heard of [toAda, toBen])
      await waitFor(() => textsOf(heard).includes(text), "the message on Socket.IO");
    expect(toBen.find(({ event }) => event === "message")?.args[0]).toBe(JSON.stringify({ message: text }));
    const event = await waitFor(
      () => ws.frames.find((frame): frame is RoomEvent => frame.type === "event" && frame.body === text),
      "the message on /ws",
    );
    await waitFor(() => toAda.some(({ event: name }) => name === "saved"), "saved");
    await send(ws, LOBBY, `${text} back`);
    await waitFor(() => textsOf(toAda).includes(`${text} back`), "what /ws says");
    const stored = (await history(server.url, LOBBY)).filter(({ body }) => body === text);
    expect(stored).toEqual([event]);
    ws.close();
  });
});

describe("the full dialect", () => {
  it("join answers the page, send the position, and `event` and `saved` follow, with the ids and positions of /ws", async () => {
    const room = newRoom();
    const ws = await onWebSocket(room);
    await send(ws, room, "before");
    const client = await connect(await full());
    const heard = heardBy(client);
    const page = (await client.emitWithAck("join", { room })) as RoomPage;
    expect(page.events.map(({ body }) => body)).toEqual(["before"]);
    const id = newId();
    const sent = (await client.emitWithAck("send", { room, id, body: "Hello", since: page.head })) as Sent;
    const event = await waitFor(
      () => ws.frames.find((frame) => frame.type === "event" && frame.id === id),
      "the event",
    );
    expect(sent).toEqual({ room, id, position: (event as RoomEvent).position });
    await waitFor(() => heard.find(({ event: name }) => name === "saved"), "saved");
    expect(heard.find(({ event: name }) => name === "event")?.args).toEqual([
      event,
      `${room}:${sent.position}`,
    ]);
    expect(heard.find(({ event: name }) => name === "saved")?.args).toEqual([{ room, ids: [id] }]);
    ws.close();
  });

  it("[G2] a retry with the same id gets the first answer and is shown once", async () => {
    const room = newRoom();
    const client = await connect(await full());
    const heard = heardBy(client);
    await client.emitWithAck("join", { room });
    const message = { room, id: newId(), body: "once", since: "0".repeat(19) };
    const first = await client.emitWithAck("send", message);
    expect(await client.emitWithAck("send", message)).toEqual(first);
    await client.emitWithAck("send", { room, body: "after it" });
    await waitFor(() => heard.filter(({ event }) => event === "event").length >= 2, "both events");
    expect(heard.filter(({ event }) => event === "event")).toHaveLength(2);
  });

  it("[G5] join with `after` brings what came since, and only that", async () => {
    const room = newRoom();
    const ws = await onWebSocket(room);
    const options = await full();
    const client = await connect(options);
    const { head } = (await client.emitWithAck("join", { room })) as RoomPage;
    client.disconnect();
    for (const body of ["one", "two"]) await send(ws, room, body);
    const again = await connect(options);
    const page = (await again.emitWithAck("join", { room, after: head })) as RoomPage;
    expect(page.events.map(({ body }) => body)).toEqual(["one", "two"]);
    const long = (await again.emitWithAck("join", { room, after: "0".repeat(18) + "1" })) as RoomPage;
    expect(long.reset, "what can't be resumed is a reset").toBe("fence");
    ws.close();
  });

  it("[G13] who may not read a room is refused, and leaving one ends its events", async () => {
    const room = newRoom();
    const client = await connect(await full());
    const heard = heardBy(client);
    expect(await client.emitWithAck("join", { room: newId() })).toMatchObject({
      error: { code: "unknown_room" },
    });
    expect(await client.emitWithAck("send", { room, body: "no" })).toMatchObject({
      error: { code: "not_member" },
    });
    const { head } = (await client.emitWithAck("join", { room })) as RoomPage;
    expect(await client.emitWithAck("read", { room, position: head })).toEqual({ room, position: head });
    expect(await client.emitWithAck("leave", { room })).toEqual({ room });
    const ws = await onWebSocket(room);
    await send(ws, room, "unheard");
    await client.emitWithAck("join", { room: LOBBY });
    expect(heard.filter(({ event }) => event === "event")).toEqual([]);
    ws.close();
  });
});

describe("[G5] the library's own recovery", () => {
  it("simple dialect: it is recovered as the same guest and gets everything since, once, in order", async () => {
    const ws = await onWebSocket(LOBBY);
    const client = await connect();
    const heard = heardBy(client);
    await hasOffset(client);
    client.emit("event:message", { message: "first" });
    await waitFor(() => textsOf(heard).includes("first"), "its own message");
    cutOff(client);
    await waitFor(() => !client.connected, "the cut");
    for (const body of ["second", "third"]) await send(ws, LOBBY, body);
    await waitFor(() => client.connected, "the reconnect");
    expect(client.recovered).toBe(true);
    client.emit("event:message", { message: "fourth" });
    await waitFor(() => textsOf(heard).includes("fourth"), "the last message");
    expect(textsOf(heard)).toEqual(["first", "second", "third", "fourth"]);
    const own = (await history(server.url, LOBBY)).filter(
      ({ body }) => body === "first" || body === "fourth",
    );
    expect(new Set(own.map(({ user }) => user.id)).size, "the same guest").toBe(1);
    ws.close();
  });

  it("a client that saw nothing yet is recovered too", async () => {
    const ws = await onWebSocket(LOBBY);
    const client = await connect();
    const heard = heardBy(client);
    await hasOffset(client);
    cutOff(client);
    await waitFor(() => !client.connected, "the cut");
    await send(ws, LOBBY, "missed");
    await waitFor(() => client.connected && textsOf(heard).length > 0, "what was missed");
    expect([client.recovered, textsOf(heard)]).toEqual([true, ["missed"]]);
    ws.close();
  });

  it("an old library resumes by giving its last offset itself", async () => {
    const ws = await onWebSocket(LOBBY);
    let offset: string | undefined;
    const client = ioClient(server.url, {
      isOld: true,
      auth: () => (offset === undefined ? {} : { offset }),
    });
    clients.push(client);
    const heard = heardBy(client);
    client.on("message", (_json, given) => (offset = given));
    client.on("offset", (given) => (offset = given));
    client.connect();
    await hasOffset(client);
    cutOff(client);
    await waitFor(() => !client.connected, "the cut");
    await send(ws, LOBBY, "missed by the old one");
    await waitFor(() => textsOf(heard).length > 0, "what was missed");
    expect(textsOf(heard)).toEqual(["missed by the old one"]);
    ws.close();
  });

  it("[G4] from before the memory of the stream it is told `reset` with the newest page, and is not recovered", async () => {
    const room = newRoom();
    const ws = await onWebSocket(room);
    await send(ws, room, "kept");
    const { auth } = await full();
    let offset: string | undefined;
    const client = await connect({ auth: () => (offset === undefined ? auth : { ...auth, offset }) });
    const heard = heardBy(client);
    await client.emitWithAck("join", { room });
    await hasOffset(client);
    offset = `${room}:${"0".repeat(18)}1`;
    cutOff(client);
    const reset = await waitFor(() => heard.find(({ event }) => event === "reset"), "a reset");
    expect(reset.args[0]).toMatchObject({ room, reset: "fence", events: [{ body: "kept" }] });
    expect([client.connected, client.recovered]).toEqual([true, false]);
    ws.close();
  });

  it("with two rooms one offset can't say it: it is not recovered, and joins again", async () => {
    const pair = [newRoom(), newRoom()];
    const ws = await onWebSocket(pair[0] ?? "");
    const client = await connect(await full());
    const heard = heardBy(client);
    for (const room of pair) await client.emitWithAck("join", { room });
    await send(ws, pair[0] ?? "", "heard");
    await waitFor(() => heard.some(({ event }) => event === "event"), "the event");
    cutOff(client);
    await waitFor(() => !client.connected, "the cut");
    await waitFor(() => client.connected, "the reconnect");
    expect(client.recovered).not.toBe(true);
    await client.emitWithAck("join", { room: pair[1] ?? "" });
    await hasOffset(client);
    cutOff(client);
    await waitFor(() => !client.connected, "the second cut");
    await waitFor(() => client.connected, "the second reconnect");
    expect(client.recovered, "in one room again").toBe(true);
    ws.close();
  });
});
