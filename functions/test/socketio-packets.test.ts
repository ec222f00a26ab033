/** What an event costs: it is read and encoded once, whatever the number of those who hear it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as EngineServer, type Socket as EngineSocket } from "engine.io";
import { WebSocket } from "ws";
import { expect, it, onTestFinished } from "vitest";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { Frame } from "../core/frame.ts";
import { uuidV7 } from "../core/uuid.ts";
import { encodeTextFrame } from "../lib/websocket-frames.ts";
import { DEFAULT_LIMITS, LOBBY, type RoomEvent } from "../protocol.ts";
import { Connection } from "../socketio/connection.ts";
import { Packet, readFrame } from "../socketio/packets.ts";
import { Translation, type IoSocket } from "../socketio/translation.ts";
import { openRulesWorld } from "./rules-world.ts";
import { waitFor } from "./wait-for.ts";

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

it("a node writes the same packet to all of its clients in a room", async () => {
  const world = openRulesWorld();
  onTestFinished(() => world.close());
  const listen = async (): Promise<Packet[]> => {
    const written: Packet[] = [];
    const socket = { onAny: () => {} } as unknown as IoSocket;
    const connection = { write: (packet: Packet) => written.push(packet) } as unknown as Connection;
    const newId = () => uuidV7(world.runtime);
    const client = new Translation({ socket, connection, dialect: "simple", room: LOBBY, newId });
    client.bind(world.node.openSession(client));
    client.release();
    let hasEntered = false;
    const entering = client.authenticate(newId()).then(() => client.enter(LOBBY));
    void entering.then(() => (hasEntered = true));
    await world.runtime.until(() => hasEntered, "a client to be in the lobby");
    return written;
  };
  const all = [await listen(), await listen(), await listen()];
  await (await world.member()).send("Hello");
  const [first, ...others] = all.map((written) => written.find(({ text }) => text.includes("Hello")));
  expect(first).toBeDefined();
  for (const other of others) expect(other).toBe(first);
});

/** What a client of Engine.IO reads after its opening, when a connection has been used like this. */
async function readAfter(use: (connection: Connection, socket: EngineSocket) => void, count: number) {
  const engine = new EngineServer({ transports: ["websocket"] });
  const http = createServer().on("upgrade", (req, socket, head) => engine.handleUpgrade(req, socket, head));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void http.close());
  engine.on("connection", (socket: EngineSocket) => {
    const options = { runtime: systemRuntime, limits: DEFAULT_LIMITS, bufferBytesMax: 1_000 };
    use(new Connection(socket, { address: undefined }, options), socket);
  });
  const { port } = http.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}/engine.io/?EIO=4&transport=websocket`);
  onTestFinished(() => client.terminate());
  const frames: string[] = [];
  client.on("message", (data: Buffer) => frames.push(data.toString()));
  await waitFor(() => frames.length > count, "the opening and the packets");
  return frames.slice(1);
}

it("Engine.IO writes the bytes that it is given and encodes nothing", async () => {
  const bytes = [encodeTextFrame('42["as bytes"]')];
  const packet = { text: '2["as text"]', options: { compress: false, wsPreEncodedFrame: bytes } } as const;
  expect(await readAfter((connection) => connection.write(packet), 1)).toEqual(['42["as bytes"]']);
});

it("what is written in one tick comes in its order, Socket.IO's own packets in their places", async () => {
  const use = (connection: Connection, socket: EngineSocket) => {
    for (const name of ["a", "b"]) connection.write(new Packet(name));
    socket.write("3own");
    for (const name of ["c", "d"]) connection.write(new Packet(name));
  };
  expect(await readAfter(use, 5)).toEqual(['42["a"]', '42["b"]', "43own", '42["c"]', '42["d"]']);
});
