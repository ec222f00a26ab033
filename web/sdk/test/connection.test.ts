/** When a connection comes back, how soon, and when it does not. */
import { beforeEach, describe, expect, it } from "vitest";
import { CLOSES, DEFAULT_LIMITS, type ServerFrame } from "../../../functions/protocol.ts";
import { FakeRuntime } from "./fake-runtime.ts";
import { Connection } from "../src/connection.ts";

const HEARTBEAT_MS = 20_000;

let runtime: FakeRuntime;
let connection: Connection;
let frames: ServerFrame[];
let phases: string[];
let badFrames: string[];

beforeEach(() => {
  runtime = new FakeRuntime();
  frames = [];
  phases = [];
  badFrames = [];
  connection = new Connection({
    url: "ws://skat.test/ws",
    runtime,
    openSocket: runtime.openSocket,
    token: () => "token",
    onState: ({ phase }) => phases.push(phase),
    onWelcome: () => {},
    onFrame: (frame) => frames.push(frame),
    onBadFrame: (text) => badFrames.push(text),
  });
  connection.start();
});

function welcome(ref = runtime.socket.last("auth").ref ?? 0): void {
  const user = { id: "u", name: "U" };
  runtime.socket.deliver({
    type: "welcome",
    ref,
    session: "s",
    user,
    limits: DEFAULT_LIMITS,
    heartbeatMs: HEARTBEAT_MS,
    now: 1_795_000_000_000,
  });
}

function connect(): void {
  runtime.socket.open();
  welcome();
}

describe("a connection", () => {
  it("authenticates with its first frame and is online when welcomed", () => {
    runtime.socket.open();
    expect(runtime.socket.received).toEqual([{ type: "auth", token: "token", ref: 1 }]);
    expect(connection.state.phase).toBe("connecting");
    welcome();
    expect(connection.state.phase).toBe("online");
  });

  it("comes back with doubling delays, which start anew only after five stable seconds", () => {
    const delays = [1, 2, 3].map(() => {
      connect();
      runtime.advance(4_900);
      runtime.socket.drop();
      return runtime.advanceToSocket();
    });
    expect(delays).toEqual([250, 500, 1_000]);
    connect();
    runtime.advance(5_000);
    runtime.socket.drop();
    expect(runtime.advanceToSocket()).toBe(250);
  });

  it("gives up a socket that never opens, and one that never welcomes", () => {
    runtime.advance(15_000);
    expect(runtime.sockets[0]?.isClosed).toBe(true);
    runtime.advanceToSocket();
    runtime.socket.open();
    runtime.advance(15_000);
    expect(runtime.sockets[1]?.isClosed).toBe(true);
    expect(connection.state.phase).toBe("waiting");
  });

  it("[G11] comes back when `reconnect` said, wherever the close falls", () => {
    connect();
    runtime.socket.deliver({ type: "reconnect", afterMs: 7_000 });
    runtime.advance(3_000);
    expect(connection.state.phase).toBe("online");
    runtime.socket.drop(CLOSES.draining.code);
    expect(runtime.advanceToSocket()).toBe(4_000);
  });

  it("[G11] waits as long as `reconnect` said, also when the network seems to return before", () => {
    connect();
    runtime.socket.deliver({ type: "reconnect", afterMs: 7_000 });
    runtime.socket.drop(CLOSES.draining.code);
    runtime.advance(3_000);
    connection.probe();
    expect(runtime.advanceToSocket()).toBe(4_000);
  });

  it("has one socket, however often it is started", () => {
    connection.start();
    connect();
    connection.start();
    expect(runtime.sockets.length).toBe(1);
  });

  it("comes back at once when the network returns", () => {
    connect();
    runtime.socket.drop();
    connection.probe();
    expect(runtime.sockets.length).toBe(2);
  });

  it("[G11] goes by itself when the close that `reconnect` announced does not come", () => {
    connect();
    runtime.socket.deliver({ type: "reconnect", afterMs: 7_000 });
    runtime.advance(7_000);
    expect(runtime.sockets.length).toBe(2);
  });

  it.each(Object.entries(CLOSES))("after the close %s does what its number says", (name, { code }) => {
    connect();
    runtime.socket.drop(code);
    const isFinal = code >= 4500;
    expect(connection.state).toEqual(isFinal ? { phase: "stopped", code: name } : { phase: "waiting" });
    runtime.advanceToSocket();
    expect(runtime.sockets.length).toBe(isFinal ? 1 : 2);
  });

  it("waits longer after it was closed for flooding", () => {
    connect();
    runtime.socket.drop(CLOSES.flooding.code);
    expect(runtime.advanceToSocket()).toBe(2_250);
  });

  it("stops when its token is refused, and tries again when the refusal passes", () => {
    runtime.socket.open();
    const ref = runtime.socket.last("auth").ref ?? 0;
    const refusal = {
      type: "error",
      ref,
      code: "unavailable",
      message: "",
      retriable: true,
      retryAfterMs: 3_000,
    } as const;
    runtime.socket.deliver(refusal);
    expect(runtime.advanceToSocket()).toBe(3_000);
    runtime.socket.open();
    const again = runtime.socket.last("auth").ref ?? 0;
    runtime.socket.deliver({
      type: "error",
      ref: again,
      code: "token_expired",
      message: "",
      retriable: false,
    });
    expect(connection.state).toEqual({ phase: "stopped", code: "token_expired" });
  });

  it("hands each reply to its request, once, and everything else to the rest", () => {
    connect();
    const replies: ServerFrame[] = [];
    connection.request({ type: "leave", room: "lobby" }, (reply) => replies.push(reply));
    const ref = runtime.socket.last("leave").ref ?? 0;
    const left = { type: "left", ref, room: "lobby" } as const;
    runtime.socket.deliver(left);
    runtime.socket.deliver(left);
    expect(replies).toEqual([left]);
    expect(frames).toEqual([left]);
  });

  it("takes a request without a reply for a dead connection", () => {
    connect();
    connection.request({ type: "leave", room: "lobby" }, () => {});
    runtime.advance(14_999);
    expect(connection.state.phase).toBe("online");
    runtime.advance(1);
    expect(connection.state.phase).toBe("waiting");
  });

  it("asks a silent connection for a sign of life and leaves it when none comes", () => {
    connect();
    runtime.advance(2 * HEARTBEAT_MS);
    expect(runtime.socket.all("auth").length).toBe(2);
    welcome();
    expect(connection.state.phase).toBe("online");
    runtime.advance(2 * HEARTBEAT_MS);
    runtime.advance(5_000);
    expect(runtime.sockets[0]?.isClosed).toBe(true);
  });

  it("ends a connection on which the server does not speak JSON", () => {
    connect();
    runtime.socket.deliverText("<html>");
    expect(badFrames).toEqual(["<html>"]);
    expect(connection.state.phase).toBe("waiting");
  });

  it("does not come back after `stop`", () => {
    connect();
    connection.stop();
    runtime.advance(120_000);
    expect(runtime.sockets.length).toBe(1);
    expect(runtime.socket.isClosed).toBe(true);
  });
});
