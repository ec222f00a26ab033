/** What a hostile or broken client of Socket.IO gets: a clear answer or its end, and the node and everybody else go on. */
import { request } from "node:http";
import { WebSocket } from "ws";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LOBBY } from "../protocol.ts";
import { newId } from "./events.ts";
import { makeRooms, startEmbedded, type Embedded } from "./harness.ts";
import { heardBy, ioClient, ioConnect, textsOf, type IoClient } from "./socketio-client.ts";
import { guest } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

const BURST = 50;
let server: Embedded;
const clients: IoClient[] = [];
beforeAll(async () => {
  // A page of the longest messages still has room in the buffer.
  const limits = {
    FRAMES_PER_SECOND: "20",
    FRAME_BURST: String(BURST),
    BUFFER_BYTES_MAX: String(512 * 1024),
  };
  server = await startEmbedded({ SOCKETIO: "true", RATE_SENDS: "none", ...limits });
}, 90_000);
afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));
afterAll(async () => void (await server?.stop()));

async function connect(options?: Parameters<typeof ioConnect>[1]): Promise<IoClient> {
  const client = await ioConnect(server.url, options);
  clients.push(client);
  return client;
}

/** A bare WebSocket that speaks Engine.IO by hand. */
async function bare(query = "EIO=4&transport=websocket") {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?${query}`);
  const frames: string[] = [];
  let closed: number | undefined;
  let refused: number | undefined;
  socket.on("message", (data: Buffer) => frames.push(data.toString()));
  socket.on("unexpected-response", (_, response) => ((refused = response.statusCode), socket.terminate()));
  socket.on("close", (code) => (closed = code));
  socket.on("error", () => {}); // the close that follows tells
  await waitFor(() => socket.readyState === WebSocket.OPEN || closed !== undefined, "the socket to open");
  const has = (start: string) =>
    waitFor(() => frames.find((frame) => frame.startsWith(start)), `a frame ${start}`);
  return { socket, frames, has, closed: () => closed, refused: () => refused };
}

async function bareConnected() {
  const client = await bare();
  client.socket.send("40");
  await client.has("40{");
  return client;
}

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")
      .at(-1) ?? NaN,
  );
};

/** Afterwards a decent client is served as before. */
async function goesOn(): Promise<void> {
  const client = await connect();
  const text = newId();
  client.emit("event:message", { message: text });
  await waitFor(() => textsOf(heardBy(client)).includes(text), "the node to serve on");
}

describe("what is answered, and the connection goes on", () => {
  it.each([
    ["an unknown event", "nonsense", [{}], "unknown_type"],
    ["a message that is no object", "event:message", ["text"], "invalid_field"],
    ["a message without text", "event:message", [{ message: " " }], "invalid_field"],
    ["a message too long", "event:message", [{ message: "x".repeat(9000) }], "body_too_long"],
    ["an id that is none", "send", [{ room: LOBBY, id: "1", body: "x" }], "invalid_field"],
    ["a room that is no text", "join", [{ room: { id: 1 } }], "invalid_field"],
    ["nothing at all", "join", [], "invalid_field"],
  ] as const)("%s", async (_, event, args, code) => {
    const client = await connect({ auth: { dialect: "full" } });
    const emit = client.emit.bind(client) as (name: string, ...all: unknown[]) => void;
    const answered = new Promise((resolve) => emit(event, ...args, resolve));
    expect(await answered).toMatchObject({ error: { code } });
    emit(event, ...args);
    await waitFor(
      () =>
        heardBy(client).find(
          ({ event: name, args: [told] }) => name === "error" && (told as { code: string }).code === code,
        ),
      "the same as an event, without a callback",
    );
    expect(client.connected).toBe(true);
  });

  it.each([
    ["an attachment", { message: Buffer.from("hello") }],
    ["an attachment deep inside", { message: { a: [Buffer.from("hello")] } }],
  ])("binary: %s", async (_, message) => {
    const client = await connect();
    client.emit("event:message", message as never);
    const error = await waitFor(() => heardBy(client).find(({ event }) => event === "error"), "an error");
    expect(error.args[0]).toMatchObject({ code: "invalid_frame" });
    expect(client.connected).toBe(true);
  });

  it("an ack id beyond all numbers", async () => {
    const client = await bareConnected();
    client.socket.send(`42${"9".repeat(400)}["join",{"room":"${LOBBY}"}]`);
    client.socket.send(`429007199254740993["join",{"room":"${LOBBY}"}]`);
    await client.has("43");
    expect(client.closed()).toBeUndefined();
    client.socket.close();
    await goesOn();
  });

  it("a namespace that is not served", async () => {
    const client = await bare();
    client.socket.send("40/admin,");
    expect(await client.has("44/admin,")).toContain("Invalid namespace");
    client.socket.close();
  });
});

describe("who is refused is told why", () => {
  it.each([
    ["a token that is none", { token: "no" }, "invalid_token"],
    ["a token of another type", { token: 7 as never }, "invalid_field"],
    ["a dialect that is not spoken", { dialect: "klingon" as never }, "invalid_field"],
    ["a name that can't be shown", { name: "\u202e" }, "invalid_field"],
  ])("%s", async (_, auth, code) => {
    const client = ioClient(server.url, { auth });
    clients.push(client);
    const refused = new Promise<Error>((resolve) => client.once("connect_error", resolve));
    client.connect();
    expect(await refused).toMatchObject({ data: { code } });
    expect(client.active, "it does not come back").toBe(false);
  });

  it("lies about where it was bring nothing that is not its own", async () => {
    const [room = ""] = await makeRooms(server.url, 1);
    for (const offset of [`${room}:x`, ":", `${newId()}:${"1".repeat(19)}`, "lobby:99999999999999999999"]) {
      const client = await connect({ auth: { dialect: "full", offset, pid: "x:y" } });
      expect(client.recovered).not.toBe(true);
      expect(heardBy(client).filter(({ event }) => event === "event")).toEqual([]);
    }
  });

  it.each([
    ["an unknown transport", "EIO=4&transport=pigeon"],
    ["an old protocol", "EIO=3&transport=websocket"],
    ["a connection that is not there", "EIO=4&transport=websocket&sid=nobody"],
  ])("%s", async (_, query) => {
    const response = await fetch(`${server.url}/socket.io/?${query.replace("websocket", "polling")}`);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toMatch(/"message":"./);
    const client = await bare(query);
    await waitFor(() => client.closed() !== undefined, "its end");
    expect(client.refused()).toBe(400);
  });

  it("a page of another origin", async () => {
    const headers = { origin: "https://evil.example" };
    const response = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers });
    expect([response.status, await response.json()]).toMatchObject([
      403,
      { error: { code: "origin_refused" } },
    ]);
  });
});

describe("what ends the connection", () => {
  it.each([
    ["no packet of Engine.IO", "x"],
    ["no packet of Socket.IO", "49"],
    ["a reserved event", '42["disconnect"]'],
    ["more attachments than it takes", '451000-["send",{}]'],
    ["a second connect", "40"],
    ["a packet that is no JSON", '42["send"'],
  ])("%s", async (_, packet) => {
    const client = await bareConnected();
    client.socket.send(packet);
    await waitFor(() => client.closed() !== undefined, "its end");
    await goesOn();
  });

  it("a second connect before the first is answered", async () => {
    const client = await bare();
    client.socket.send("40");
    client.socket.send("40");
    await waitFor(() => client.closed() !== undefined, "its end");
    expect(client.frames.filter((frame) => frame.startsWith("40{")).length).toBeLessThan(2);
    await goesOn();
  });

  it("a frame over the limit", async () => {
    const client = await bareConnected();
    client.socket.send(`42["event:message",{"message":"${"x".repeat(70_000)}"}]`);
    await waitFor(() => client.closed() === 1009, "its end as too big");
  });

  it.each([
    ["connects before it is let in", "40"],
    ["answers that nobody asked for", '431["x"]'],
    ["heartbeats", "3"],
    ["other namespaces", "40/x,"],
  ])("a flood of %s", async (_, packet) => {
    const sessions = await metric("skat_node_sessions");
    const client = await bare();
    if (packet !== "40") client.socket.send("40");
    for (let count = 0; count < 4 * BURST; count++) client.socket.send(packet);
    await waitFor(() => client.closed() !== undefined, "its end");
    await waitFor(async () => (await metric("skat_node_sessions")) <= sessions, "its session to be gone");
  });

  it("a flood of polls", async () => {
    const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const open = await (await fetch(url)).text();
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    const post = (body: string) =>
      fetch(`${url}&sid=${sid}`, { method: "POST", body }).then(({ status }) => status);
    expect(await post("40")).toBe(200);
    let status = 200;
    for (let count = 0; count < 4 * BURST && status === 200; count++) status = await post("3");
    await waitFor(async () => (await post("3")) === 400, "its end");
    await goesOn();
  });

  it("a body over the limit, and one that is cut off", async () => {
    const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const open = await (await fetch(url)).text();
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    const tooMuch = await fetch(`${url}&sid=${sid}`, { method: "POST", body: "4".repeat(70_000) });
    expect(tooMuch.status).toBe(413);
    const broken = request(`${url}&sid=${sid}`, { method: "POST", headers: { "content-length": "1000" } });
    broken.on("error", () => {}); // it is our own end
    broken.write("42");
    broken.destroy();
    await goesOn();
  });

  it("[G10] a reader that stops reading, at the byte bound; the others miss nothing", async () => {
    const stuck = await bareConnected();
    const before = await metric('skat_session_closes_total{reason="slow_client"}');
    stuck.socket.pause();
    const { token } = await guest(server.url, "Writer");
    const writers = await Promise.all(
      Array.from({ length: 4 }, () => connect({ auth: { dialect: "full", token } })),
    );
    for (const writer of writers) await writer.emitWithAck("join", { room: LOBBY });
    let sent = 0;
    const haveHeard = (writer: IoClient) =>
      heardBy(writer).filter(({ event }) => event === "event").length === sent;
    const closes = () => metric('skat_session_closes_total{reason="slow_client"}');
    for (let round = 0; (await closes()) === before; round++) {
      expect(round, "it is closed in the end").toBeLessThan(800);
      const answers = await Promise.all(
        writers.map((writer) =>
          writer.emitWithAck("send", { room: LOBBY, body: `${round} ${"x".repeat(8_000)}` }),
        ),
      );
      sent += answers.filter((answer) => !("error" in answer)).length;
      // Two rounds at once would be more than a writer's own bound.
      await waitFor(() => writers.every(haveHeard), "the others to hear all of it");
    }
    stuck.socket.terminate();
  }, 60_000);
});

it("[G11] when the node drains, clients are told why and come back by themselves", async () => {
  const own = await startEmbedded({ SOCKETIO: "true" });
  const client = ioClient(own.url, {});
  clients.push(client);
  client.connect();
  await waitFor(() => client.connected, "the client to connect");
  const stopped = own.stop();
  await waitFor(() => heardBy(client).some(({ event }) => event === "reconnect"), "a time to come back");
  const closed = await waitFor(() => heardBy(client).find(({ event }) => event === "closed"), "the reason");
  expect(closed.args[0]).toEqual({ code: 4000, reason: "draining", reconnect: true });
  await waitFor(() => !client.connected, "its end");
  expect(client.active, "it comes back by itself").toBe(true);
  expect(await stopped).toBe(0);
}, 120_000);
