/** When a connection comes back, how soon, and when it does not. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CLOSES, DEFAULT_LIMITS, type ServerFrame } from "../../../functions/protocol.ts";
import { FakePlatform } from "../../test/fake-platform.ts";
import { Connection } from "./connection.ts";

const HEARTBEAT_MS = 20_000;

let platform: FakePlatform;
let connection: Connection;
let frames: ServerFrame[];
let phases: string[];

beforeEach(() => {
  platform = new FakePlatform();
  frames = [];
  phases = [];
  connection = new Connection({
    url: "ws://skat.test/ws",
    platform,
    token: () => "token",
    onState: ({ phase }) => phases.push(phase),
    onWelcome: () => {},
    onFrame: (frame) => frames.push(frame),
  });
  connection.start();
});

function welcome(ref = platform.socket.last("auth").ref ?? 0): void {
  const user = { id: "u", name: "U" };
  platform.socket.deliver({
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
  platform.socket.open();
  welcome();
}

describe("a connection", () => {
  it("authenticates with its first frame and is online when welcomed", () => {
    platform.socket.open();
    expect(platform.socket.received).toEqual([{ type: "auth", token: "token", ref: 1 }]);
    expect(connection.state.phase).toBe("connecting");
    welcome();
    expect(connection.state.phase).toBe("online");
  });

  it("comes back with doubling delays, which start anew only after five stable seconds", () => {
    const delays = [1, 2, 3].map(() => {
      connect();
      platform.advance(4_900);
      platform.socket.drop();
      return platform.advanceToSocket();
    });
    expect(delays).toEqual([250, 500, 1_000]);
    connect();
    platform.advance(5_000);
    platform.socket.drop();
    expect(platform.advanceToSocket()).toBe(250);
  });

  it("gives up a socket that never opens, and one that never welcomes", () => {
    platform.advance(15_000);
    expect(platform.sockets[0]?.isClosed).toBe(true);
    platform.advanceToSocket();
    platform.socket.open();
    platform.advance(15_000);
    expect(platform.sockets[1]?.isClosed).toBe(true);
    expect(connection.state.phase).toBe("waiting");
  });

  it("[G11] comes back when `reconnect` said, wherever the close falls", () => {
    connect();
    platform.socket.deliver({ type: "reconnect", afterMs: 7_000 });
    platform.advance(3_000);
    expect(connection.state.phase).toBe("online");
    platform.socket.drop(CLOSES.draining.code);
    expect(platform.advanceToSocket()).toBe(4_000);
  });

  it("[G11] goes by itself when the close that `reconnect` announced does not come", () => {
    connect();
    platform.socket.deliver({ type: "reconnect", afterMs: 7_000 });
    platform.advance(7_000);
    expect(platform.sockets.length).toBe(2);
  });

  it.each(Object.entries(CLOSES))("after the close %s does what its number says", (name, { code }) => {
    connect();
    platform.socket.drop(code);
    const isFinal = code >= 4500;
    expect(connection.state).toEqual(isFinal ? { phase: "stopped", code: name } : { phase: "waiting" });
    platform.advanceToSocket();
    expect(platform.sockets.length).toBe(isFinal ? 1 : 2);
  });

  it("waits longer after it was closed for flooding", () => {
    connect();
    platform.socket.drop(CLOSES.flooding.code);
    expect(platform.advanceToSocket()).toBe(2_250);
  });

  it("stops when its token is refused, and tries again when the refusal passes", () => {
    platform.socket.open();
    const ref = platform.socket.last("auth").ref ?? 0;
    const refusal = {
      type: "error",
      ref,
      code: "unavailable",
      message: "",
      retriable: true,
      retryAfterMs: 3_000,
    } as const;
    platform.socket.deliver(refusal);
    expect(platform.advanceToSocket()).toBe(3_000);
    platform.socket.open();
    const again = platform.socket.last("auth").ref ?? 0;
    platform.socket.deliver({
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
    const ref = platform.socket.last("leave").ref ?? 0;
    const left = { type: "left", ref, room: "lobby" } as const;
    platform.socket.deliver(left);
    platform.socket.deliver(left);
    expect(replies).toEqual([left]);
    expect(frames).toEqual([left]);
  });

  it("takes a request without a reply for a dead connection", () => {
    connect();
    connection.request({ type: "leave", room: "lobby" }, () => {});
    platform.advance(14_999);
    expect(connection.state.phase).toBe("online");
    platform.advance(1);
    expect(connection.state.phase).toBe("waiting");
  });

  it("asks a silent connection for a sign of life and leaves it when none comes", () => {
    connect();
    platform.advance(2 * HEARTBEAT_MS);
    expect(platform.socket.all("auth").length).toBe(2);
    welcome();
    expect(connection.state.phase).toBe("online");
    platform.advance(2 * HEARTBEAT_MS);
    platform.advance(5_000);
    expect(platform.sockets[0]?.isClosed).toBe(true);
  });

  it("ends a connection on which the server does not speak JSON", () => {
    connect();
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    platform.socket.deliverText("<html>");
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
    expect(connection.state.phase).toBe("waiting");
  });

  it("does not come back after `stop`", () => {
    connect();
    connection.stop();
    platform.advance(120_000);
    expect(platform.sockets.length).toBe(1);
    expect(platform.socket.isClosed).toBe(true);
  });
});
