/** Whatever arrives gets its exact answer, and the product serves as before: frames, bytes, upgrades and HTTP requests. */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLOSES, DEFAULT_LIMITS, ERRORS, LOBBY, SUBPROTOCOL, type ServerFrame } from "../protocol.ts";
import { BYTES_CASES, bytesOf, UPGRADE_CASES } from "./bad-input-bytes.ts";
import { FRAME_CASES, type FrameCase } from "./bad-input-frames.ts";
import { HTTP_CASES, REQUEST_CASES, TRAVERSALS, type HttpCase } from "./bad-input-http.ts";
import { ROOM_CASES } from "./bad-input-rooms.ts";
import { newId, openWorld, ROOMS_MAX, SECRET, STAGE, type World } from "./bad-input-world.ts";
import { describeEngine } from "./engines.ts";
import { startWorld } from "./faults/world.ts";
import { metricOf, startEmbedded, type Running } from "./harness.ts";
import { memoryMib } from "./memory.ts";
import {
  closeCodeIn,
  dribble,
  exchange,
  rawFrame,
  reset,
  statusIn,
  upgradeRequest,
  type RawFrame,
} from "./raw-socket.ts";
import { guest, RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

const ENV = { STAGE, AUTH_SECRET: SECRET, ROOMS_PER_SESSION_MAX: String(ROOMS_MAX) };
const PACK = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync };
const MEMORY_GROWTH_MAX_MIB = 150;
/** Each goes on with a header that never ends. */
const SLOW_REQUESTS = Array.from({ length: 40 }, (_, n) =>
  n % 2 ? "GET /api/rooms HTTP/1.1\r\nX: " : upgradeRequest().slice(0, -2),
);
/** A header that claims more bytes than ever come. */
const HALF_A_FRAME: RawFrame = { opcode: 1, claimed: 60_000n };
const ANSWERS = new Set<ServerFrame["type"]>(["error", "sent", "read", "welcome", "joined", "left", "reset"]);

interface Product {
  readonly running: Running;
  stop(): Promise<unknown>;
}

describe("bad input on embedded engines", () => {
  describeBadInput(async () => {
    const running = await startEmbedded(ENV);
    return { running, stop: () => running.stop() };
  });
});

describeEngine(["control"], "bad input on real engines", () => {
  describeBadInput(async () => {
    const world = await startWorld(STAGE, ENV);
    const [running] = await Promise.all([world.node(), world.consumer()]);
    return { running, stop: () => world.close() };
  });
});

function describeBadInput(start: () => Promise<Product>): void {
  let product: Product;
  let world: World;
  let memoryBeforeMib: number;
  let silent: RawClient;
  let slow: Promise<number[]>;
  let slowFrame: Promise<Buffer>;
  beforeAll(async () => {
    product = await start();
    world = await openWorld(product.running);
    memoryBeforeMib = memoryMib(product.running.pid);
    silent = await RawClient.open(product.running.url);
    slow = Promise.all(
      SLOW_REQUESTS.map(async (begun) => statusIn(await dribble(product.running.url, begun))),
    );
    slowFrame = dribble(product.running.url, Buffer.concat(bytesOf({ frames: [HALF_A_FRAME] })));
  }, 120_000);
  afterAll(async () => void (await product?.stop()), 60_000);

  test.each(FRAME_CASES)("frame: $what", (bad) => playFrame(world, bad));

  test("[N7] frame: an id that belongs to another user's message", async () => {
    const client = await join(world, world.alice.token, world.takenRoom);
    const send = { type: "send", room: world.takenRoom, id: world.takenId, body: "mine" };
    const answer = await client.ask({ ...send, since: await head(client) });
    expect(answer).toMatchObject({ type: "error", code: "id_taken", retriable: false });
    client.close();
  });

  test("frame: one room too many", async () => {
    const client = await RawClient.open(product.running.url, world.alice.token);
    const answers: ServerFrame[] = [];
    for (const room of world.rooms) answers.push(await client.ask({ type: "join", room }));
    const [refused, ...taken] = answers.reverse();
    expect(taken.map(({ type }) => type)).toEqual(Array(ROOMS_MAX).fill("joined"));
    expect(refused).toMatchObject({ type: "error", code: "too_many_rooms", retriable: false });
    expect(await client.ask({ type: "join", room: world.room })).toMatchObject({ type: "joined" });
    client.close();
  });

  test.each([
    ["text", '{"type":"leave","room":"lobby","ref":7}'],
    ["text that is no JSON", "hello"],
    ["binary", Buffer.from("hello")],
  ])("frames: too many, %s", async (_what, frame) => {
    const client = await RawClient.open(product.running.url, world.alice.token);
    for (let sent = 0; sent < 700; sent++) client.socket.send(frame);
    const refused = await waitFor(() => client.frames.find(isRateLimited), "rate_limited");
    const tokenMs = 1000 / DEFAULT_LIMITS.framesPerSecond;
    expect(refused).toMatchObject({
      retriable: true,
      retryAfterMs: expect.toSatisfy((ms: number) => ms >= 1 && ms <= tokenMs),
    });
    await waitFor(() => {
      for (let sent = 0; sent < 200; sent++) client.socket.send(frame, () => {}); // it may be closed already
      return client.closed;
    }, "the flooding connection to be closed");
    expect(client.closed).toEqual({ code: CLOSES.flooding.code, reason: "flooding" });
  });

  test("frames: pings without end, and the answers never read", async () => {
    const client = await RawClient.open(product.running.url, world.alice.token);
    client.socket.pause();
    const payload = Buffer.alloc(125);
    for (let sent = 0; sent < 200_000; sent++) client.socket.ping(payload);
    await waitFor(() => client.socket.bufferedAmount === 0, "the pings to be taken", 20_000);
    client.socket.terminate();
  });

  test.each(BYTES_CASES)("bytes: $what", async (bad) => {
    expect(closeCodeIn(await exchange(product.running.url, bytesOf(bad)))).toBe(bad.closeCode);
  });

  test.each(UPGRADE_CASES)("upgrade $what", async ({ request, status, code }) => {
    const answer = await exchange(product.running.url, [request]);
    expect(statusIn(answer)).toBe(status);
    if (code) expect(errorIn(answer)).toMatchObject({ code });
  });

  test("upgrade by clients that are gone before the answer", async () => {
    const requests = [upgradeRequest(), upgradeRequest([], "/chat"), upgradeRequest().slice(0, 80)];
    for (let round = 0; round < 30; round++) {
      await Promise.all(requests.map((request) => reset(product.running.url, request)));
    }
    const client = await RawClient.open(product.running.url, world.alice.token);
    client.close();
  });

  test("upgrade with our subprotocol among others, or with none at all", async () => {
    const among = new RawClient(product.running.url, ["chat", SUBPROTOCOL]);
    const none = new RawClient(product.running.url, []);
    await waitFor(() => among.socket.readyState === 1 && none.socket.readyState === 1, "both to open");
    expect([among.socket.protocol, none.socket.protocol]).toEqual([SUBPROTOCOL, ""]);
    among.close();
    none.close();
  });

  test.each(HTTP_CASES)("http: $what", (bad) => playRequest(world, bad));

  test.each(ROOM_CASES)("http: $what", (bad) => playRequest(world, bad));

  test.each(REQUEST_CASES)("http: $what", async ({ request, status }) => {
    expect(statusIn(await exchange(product.running.url, [request]))).toBe(status);
  });

  test.each(TRAVERSALS)("http: no way out of the page's folder by $path", async ({ request, status }) => {
    const answer = await exchange(product.running.url, [request]);
    expect(statusIn(answer)).toBe(status);
    expect(answer.toString("latin1")).not.toMatch(/workspaces|root:/);
  });

  test("http: bodies that break off", async () => {
    const start = "POST /api/guest HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const rest of ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"]) {
      await reset(product.running.url, start + rest);
    }
  });

  test("http: /ws without an upgrade says which upgrade", async () => {
    const response = await fetch(`${product.running.url}/ws`, { method: "POST" });
    expect([response.status, response.headers.get("upgrade")]).toEqual([426, "websocket"]);
  });

  test("http: requests and upgrades that come byte by byte are cut", async () => {
    expect(await slow).toEqual(Array(SLOW_REQUESTS.length).fill(408));
  }, 60_000);

  test("frame: one that comes byte by byte ends with the time for auth", async () => {
    expect(closeCodeIn(await slowFrame)).toBe(CLOSES.auth_timeout.code);
  }, 60_000);

  test("upgrade with an offer of compression is taken without it", async () => {
    const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    const goodbye = rawFrame({ opcode: 8 });
    const answer = await exchange(product.running.url, [upgradeRequest([offer]), goodbye]);
    expect(statusIn(answer)).toBe(101);
    expect(answer.toString("latin1")).not.toMatch(/sec-websocket-extensions/i);
  });

  test.each(["gzip", "br", "deflate"] as const)(
    "http: a body packed by %s is never unpacked",
    async (way) => {
      const bomb = PACK[way](Buffer.from(`{"name":"Ada"}${" ".repeat(8 * 1024 * 1024)}`));
      const headers = { "content-encoding": way, "content-type": "application/json" };
      const request = { method: "POST", headers, body: new Uint8Array(bomb) };
      const response = await fetch(`${product.running.url}/api/guest`, request);
      expect(response.status).toBe(400);
      expectError(((await response.json()) as { error: unknown }).error, "invalid_json", undefined);
    },
  );

  test.each(["/api/openapi.json", "/api/rooms", "/nothing-here", "/healthz", "/api/auth/get-session", "/ws"])(
    "http: %s can't be framed, guessed at or made to run what is not ours",
    async (path) => {
      const { headers } = await fetch(`${product.running.url}${path}`);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(/default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/);
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("access-control-allow-origin")).toBe(null);
    },
  );

  test("people of names that look alike can be told apart by their ids, in every message", async () => {
    const people = await Promise.all(["Ada", "\u0410da"].map((name) => guest(product.running.url, name)));
    const clients = await Promise.all(people.map(({ token }) => join(world, token, LOBBY)));
    for (const [n, client] of clients.entries()) {
      const told = { type: "send", room: LOBBY, id: newId(), body: `I am ${n}`, since: await head(client) };
      expect(await client.ask(told)).toMatchObject({ type: "sent" });
      const isIt = (frame: ServerFrame) => frame.type === "event" && frame.id === told.id;
      const [event] = await waitFor(() => {
        const all = clients.map(({ frames }) => frames.find(isIt));
        return all.every((each) => each !== undefined) && all;
      }, "both to see it");
      expect(event).toMatchObject({ user: people[n]?.user });
    }
    expect(people[0]?.user.id).not.toBe(people[1]?.user.id);
    for (const client of clients) client.close();
  });

  test("frame: none at all until the time for auth is over", async () => {
    await waitFor(() => silent.closed, "the silent connection to be closed", 15_000);
    expect(silent.closed).toEqual({ code: CLOSES.auth_timeout.code, reason: "auth_timeout" });
  });

  test("afterwards the product serves as before", async () => {
    const { running } = product;
    await chat(world);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    expect(running.exitCode()).toBeUndefined();
    expect(running.output()).not.toMatch(/a frame failed|a request failed/);
    await waitFor(async () => (await connections(running.url)) === 0, "every connection to be forgotten");
    expect(memoryMib(running.pid) - memoryBeforeMib).toBeLessThan(MEMORY_GROWTH_MAX_MIB);
  });
}

async function playFrame(world: World, { as, frame, answer }: FrameCase): Promise<void> {
  const { url } = world.running;
  const client =
    as === "member"
      ? await join(world, world.alice.token, world.room)
      : await RawClient.open(url, as === "user" ? world.alice.token : undefined);
  const from = client.frames.length;
  const bad = frame(world);
  const isRaw = typeof bad === "string" || Buffer.isBuffer(bad);
  client.socket.send(isRaw ? bad : JSON.stringify({ ref: 7, ...bad }));
  const got = await waitFor(
    () => client.frames.slice(from).find(({ type }) => ANSWERS.has(type)),
    "an answer",
  );
  expect(got).toMatchObject({ type: answer.type ?? "error" });
  expect("ref" in got ? got.ref : undefined).toBe(answer.ref);
  if (answer.code) expectError(got, answer.code, answer.field);
  if (answer.closed) {
    await waitFor(() => client.closed, "the connection to be closed");
    expect(client.closed).toEqual({ code: CLOSES[answer.closed].code, reason: answer.closed });
  } else {
    const goesOn = await client.ask({ type: "leave", room: "nowhere" });
    expect(goesOn).toMatchObject({ code: as === "stranger" ? "not_authenticated" : "not_member" });
  }
  client.close();
}

async function playRequest(world: World, bad: HttpCase): Promise<void> {
  const token = bad.token?.(world);
  const response = await fetch(`${world.running.url}${bad.path(world)}`, {
    method: bad.method,
    headers: { ...bad.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    ...(bad.body === undefined ? {} : { body: bad.body }),
  });
  expect(response.status).toBe(bad.status);
  expectError(((await response.json()) as { error: unknown }).error, bad.code, bad.field);
  expect(response.headers.get("allow")).toBe(bad.allow ?? null);
}

/** Exactly the fields that an error has, and a message that names the field. */
function expectError(got: unknown, code: keyof typeof ERRORS, field: string | undefined): void {
  const { type: _type, ref: _ref, ...body } = got as Record<string, unknown>;
  const message: unknown = field === undefined ? expect.any(String) : expect.stringContaining(`\`${field}\``);
  expect(body).toEqual({ code, message, retriable: ERRORS[code].retriable });
}

async function join(world: World, token: string, room: string): Promise<RawClient> {
  const client = await RawClient.open(world.running.url, token);
  expect(await client.ask({ type: "join", room })).toMatchObject({ type: "joined", room });
  return client;
}

async function head(client: RawClient): Promise<string> {
  return (await client.next("joined")).head;
}

/** Two users write to each other. */
async function chat(world: World): Promise<void> {
  const { alice, bob, takenRoom: room } = world;
  const clients = [await join(world, alice.token, room), await join(world, bob.token, room)];
  for (const client of clients) {
    const id = newId();
    const since = await head(client);
    expect(await client.ask({ type: "send", room, id, body: "still there?", since })).toMatchObject({
      type: "sent",
      id,
    });
    await waitFor(
      () => clients.every(({ frames }) => frames.some((frame) => frame.type === "event" && frame.id === id)),
      "the message to reach both",
    );
  }
  for (const client of clients) client.close();
}

function isRateLimited(frame: ServerFrame): boolean {
  return frame.type === "error" && frame.code === "rate_limited";
}

function errorIn(answer: Buffer): unknown {
  const text = answer.toString("utf8");
  return (JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as { error: unknown }).error;
}

function connections(url: string): Promise<number> {
  return metricOf({ url }, "skat_node_connections");
}
