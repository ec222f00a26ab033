/** Limits: whose address counts, the counters on memory and Redis, every limit on the product, and the page that lists them. */
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { startRedis, type RedisEngine } from "../../scripts/engines/redis.ts";
import { FlexibleRateLimiter } from "../adapters/rate-limiter.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { VARIABLES } from "../config/variables.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import { clientAddress, rateKeyOf } from "../lib/client-address.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { DEFAULT_LIMITS, RATES, type RateName, type ServerFrame } from "../protocol.ts";
import { Person, say } from "./api-client.ts";
import { describeEngine } from "./engines.ts";
import { newId } from "./events.ts";
import { startEmbedded, type Running } from "./harness.ts";
import { RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

describe("the client's address", () => {
  test.each([
    ["no proxy is trusted", "9.9.9.9", "1.1.1.1", 0, "9.9.9.9"],
    ["one is", "9.9.9.9", "1.1.1.1", 1, "1.1.1.1"],
    ["one is, and the client wrote a header itself", "9.9.9.9", "6.6.6.6, 1.1.1.1", 1, "1.1.1.1"],
    ["two are", "9.9.9.9", "6.6.6.6, 1.1.1.1, 2.2.2.2", 2, "1.1.1.1"],
    ["more are trusted than there are", "9.9.9.9", "1.1.1.1", 2, "9.9.9.9"],
    ["one is, and there is no header", "9.9.9.9", undefined, 1, "9.9.9.9"],
    ["IPv4 is written as IPv6", "::FFFF:9.9.9.9", undefined, 0, "9.9.9.9"],
  ])("where %s", (_what, peer, forwardedFor, hops, address) => {
    expect(clientAddress(peer, forwardedFor, hops)).toBe(address);
  });

  test.each([
    ["127.0.0.1", undefined],
    ["127.8.0.1", undefined],
    ["::1", undefined],
    ["9.9.9.9", "9.9.9.9"],
    ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
    ["2001:0db8::5", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ])("%s is counted as %s", (address, key) => {
    expect(rateKeyOf(address)).toBe(key);
  });
});

const RULES = {
  ...DEFAULT_LIMITS.rates,
  joins: "3/60",
  guests: "2/60,3/3600",
  sends: "20/60",
  roomSends: "none",
};
const WAIT = { code: "rate_limited", retriable: true, retryAfterMs: expect.any(Number) };

function describeLimiter(open: () => FlexibleRateLimiter): void {
  let limiter: FlexibleRateLimiter;
  beforeAll(() => void (limiter = open()));
  afterAll(() => limiter.close());

  it("lets through as many as it may, then says how long to wait; each key has its own", async () => {
    const key = newId();
    for (let count = 0; count < 3; count++) await limiter.take("joins", key);
    await expect(limiter.take("joins", key)).rejects.toMatchObject(WAIT);
    await limiter.take("joins", newId());
  });

  it("holds every window of several", async () => {
    const key = newId();
    for (let count = 0; count < 2; count++) await limiter.take("guests", key);
    await expect(limiter.take("guests", key)).rejects.toMatchObject({
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 50_000 && ms <= 60_000),
    });
  });

  it("counts without asking, to the very number", () => {
    const key = newId();
    const waits = Array.from({ length: 21 }, () => limiter.count("sends", key));
    expect(waits.slice(0, 20)).toEqual(Array(20).fill(0));
    expect(waits[20]).toBeGreaterThan(50_000);
    expect(Array.from({ length: 99 }, () => limiter.count("roomSends", key))).toEqual(Array(99).fill(0));
  });
}

describe("rate limits in memory", () => {
  describeLimiter(() => new FlexibleRateLimiter({ rates: RULES, runtime: systemRuntime, logger }));
});

describeEngine(["redis", "control"], "rate limits on Redis", () => {
  let engine: RedisEngine;
  const opened: FlexibleRateLimiter[] = [];
  const open = (stage = "limits") => {
    const redis = { url: engine.url, stage };
    const limiter = new FlexibleRateLimiter({ rates: RULES, runtime: systemRuntime, logger, redis });
    opened.push(limiter);
    return limiter;
  };
  beforeAll(async () => {
    engine = await startRedis();
  }, 30_000);
  afterAll(async () => {
    opened.forEach((limiter) => limiter.close());
    await engine.dispose();
  });

  describeLimiter(() => open());

  /** Counts until it is refused. */
  async function takeAll(limiter: RateLimiter, rate: RateName, key: string): Promise<number> {
    for (let count = 0; ; count++)
      try {
        await limiter.take(rate, key);
      } catch {
        return count;
      }
  }

  /** Both have to do with Redis, not with their own memory. */
  async function together(): Promise<readonly [FlexibleRateLimiter, FlexibleRateLimiter]> {
    const [one, other] = [open(), open()] as const;
    await waitFor(async () => {
      const key = newId();
      return (await takeAll(one, "joins", key)) + (await takeAll(other, "joins", key)) === 3;
    }, "both to be connected");
    return [one, other];
  }

  it("two nodes count together, and stages apart", async () => {
    const [one, other] = await together();
    const key = newId();
    expect(await takeAll(one, "joins", key)).toBe(3);
    expect(await takeAll(other, "joins", key)).toBe(0);
    expect(await takeAll(open("another"), "joins", key)).toBe(3);
  });

  it("what was counted without asking is heard of by the other node", async () => {
    const [one, other] = await together();
    const key = newId();
    for (let count = 0; count < 20; count++) expect(one.count("sends", key)).toBe(0);
    let passed = 0;
    await waitFor(() => other.count("sends", key) > 0 || (passed++, false), "the other node to refuse");
    expect(passed).toBeLessThanOrEqual(20);
    expect(other.count("sends", key)).toBeGreaterThan(20_000);
  });

  it("while Redis is away each node counts by itself; afterwards together again", async () => {
    const [one, other] = await together();
    await engine.kill();
    const key = newId();
    expect([await takeAll(one, "joins", key), await takeAll(other, "joins", key)]).toEqual([3, 3]);
    await engine.start();
    await waitFor(async () => {
      const again = newId();
      return (await takeAll(one, "joins", again)) + (await takeAll(other, "joins", again)) === 3;
    }, "both to be connected again");
  }, 30_000);
});

describe("limits of the product", () => {
  const ENV = {
    TRUSTED_PROXY_HOPS: "1",
    ALLOWED_ORIGINS: "none",
    RATE_GUESTS: "3/60",
    RATE_UPGRADES: "4/60",
    RATE_JOINS: "5/60",
    RATE_ROOMS_MADE: "4/60",
    RATE_SENDS: "6/60",
    RATE_REQUESTS: "30/60",
    CONNECTIONS_PER_USER_MAX: "2",
    CONNECTIONS_PER_ADDRESS_MAX: "3",
    ROOMS_PER_USER_MAX: "2",
    MEMBERS_PER_ROOM_MAX: "2",
  };
  let running: Running;
  beforeAll(async () => {
    running = await startEmbedded(ENV);
  }, 120_000);
  afterAll(async () => void (await running?.stop()));

  const person = (name = "Ada") => Person.on([running.url], name);

  async function guestFrom(address: string): Promise<Response> {
    const headers = { "x-forwarded-for": address };
    return fetch(`${running.url}/api/guest`, { method: "POST", body: '{"name":"x"}', headers });
  }

  it("guests by address: what the client itself wrote into the header makes no other client of it", async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 4; count++)
      statuses.push((await guestFrom(`6.6.6.${count}, 1.1.1.1`)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await guestFrom("1.1.1.1");
    expect((await refused.json()) as object).toEqual({ error: { ...WAIT, message: expect.any(String) } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(30);
    expect((await guestFrom("1.1.1.2")).status).toBe(200);
    expect((await guestFrom("2001:db8::1")).status).toBe(200);
  });

  /** The open socket, or the status of the refusal. */
  function upgradeFrom(address: string): Promise<WebSocket | number> {
    const headers = { "x-forwarded-for": address };
    const socket = new WebSocket(`${running.url.replace("http", "ws")}/ws`, ["skat.v1"], { headers });
    return new Promise((resolve, reject) => {
      socket.on("open", () => resolve(socket));
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
      socket.on("error", reject);
    });
  }

  it("upgrades by address, and connections by address", async () => {
    for (let count = 0; count < 4; count++) {
      const socket = await upgradeFrom("2.2.2.2");
      expect(socket).toBeInstanceOf(WebSocket);
      if (typeof socket === "object") socket.terminate();
    }
    expect(await upgradeFrom("2.2.2.2")).toBe(429);
    const held: (WebSocket | number)[] = [];
    for (let count = 0; count < 4; count++) held.push(await upgradeFrom("2.2.2.3"));
    expect(held.map((socket) => (typeof socket === "number" ? socket : "open"))).toEqual([
      "open",
      "open",
      "open",
      429,
    ]);
    for (const socket of held) if (typeof socket === "object") socket.terminate();
    await waitFor(async () => {
      const socket = await upgradeFrom("2.2.2.3");
      if (typeof socket === "object") socket.terminate();
      return typeof socket === "object";
    }, "a place to be free");
  });

  it("connections by user", async () => {
    const { token } = await person();
    const clients = await Promise.all([
      RawClient.open(running.url, token),
      RawClient.open(running.url, token),
    ]);
    const third = await RawClient.open(running.url);
    third.send({ type: "auth", token });
    await waitFor(() => third.closed, "the third to be closed");
    expect(third.closed).toEqual({ code: 4005, reason: "too_many_connections" });
    clients[0]?.close();
    await waitFor(async () => {
      const again = await RawClient.open(running.url);
      again.send({ type: "auth", token });
      const welcome = await waitFor(() => again.closed ?? again.frames[0], "an answer");
      again.close();
      return "type" in welcome;
    }, "its place to be free");
    clients[1]?.close();
  });

  it("sends, joins, rooms made and requests by user", async () => {
    const one = await person();
    const client = await one.connected();
    await client.ask({ type: "join", room: "lobby" });
    const sends: string[] = [];
    for (let count = 0; count < 6; count++) sends.push(await say(client, "lobby", `m${count}`));
    expect(sends).toEqual(Array(6).fill("sent"));
    const more = { type: "send", room: "lobby", id: newId(), body: "x", since: "0".repeat(19) };
    expect(await client.ask(more)).toMatchObject(WAIT);
    const joins: ServerFrame[] = [];
    for (let count = 0; count < 5; count++) joins.push(await client.ask({ type: "join", room: "lobby" }));
    expect(joins.map(({ type }) => type)).toEqual([...Array<string>(4).fill("joined"), "error"]);
    client.close();
    const two = await person();
    const made: (string | undefined)[] = [];
    for (let count = 0; count < 5; count++) made.push((await two.ask("POST", "/rooms", { name: "r" })).code);
    expect(made).toEqual([undefined, undefined, "limit_reached", "limit_reached", "rate_limited"]);
    await waitFor(
      async () => (await two.ask("GET", "/rooms")).code === "rate_limited",
      "requests to be too many",
    );
    expect((await one.ask("GET", "/rooms")).status).toBe(200);
  });

  it("members of a room, over HTTP, socket and invitation", async () => {
    const [owner, second, third] = await Promise.all([person(), person(), person()]);
    const room = await owner.room("public");
    const { code } = await owner.do("POST", `/rooms/${room}/invitations`, {});
    await second.do("POST", `/rooms/${room}/join`);
    expect((await third.ask("POST", `/rooms/${room}/join`)).code).toBe("limit_reached");
    expect((await third.ask("POST", `/invitations/${String(code)}`)).code).toBe("limit_reached");
    const client = await third.connected();
    expect(await client.ask({ type: "join", room })).toMatchObject({ code: "limit_reached" });
    await second.do("POST", `/rooms/${room}/leave`);
    expect(await client.ask({ type: "join", room })).toMatchObject({ type: "joined" });
    client.close();
  });

  it("`welcome` carries those in force", async () => {
    const client = await (await person()).connected();
    const { limits } = await client.next("welcome");
    expect(limits).toMatchObject({ roomsPerUserMax: 2, membersPerRoomMax: 2, rates: { sends: "6/60" } });
    client.close();
  });
});

describe("docs/limits.md", () => {
  const text = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| (?:`(\w+)`)? *\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map((row) =>
    row.slice(1, 5),
  );
  const variableOf = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

  it("has every rate and every limit with its variable and its default", () => {
    const { rates: _, ...numbers } = DEFAULT_LIMITS;
    const expected = [
      ...Object.entries(RATES).map(([name, what]) => [
        name,
        `RATE_${variableOf(name)}`,
        DEFAULT_LIMITS.rates[name as RateName].replaceAll(",", ", "),
        what,
      ]),
      ...Object.entries(numbers).map(([name, value]) => [
        name,
        variableOf(name),
        String(value),
        expect.any(String),
      ]),
      ...["CONNECTIONS_MAX", "CONNECTIONS_PER_USER_MAX", "CONNECTIONS_PER_ADDRESS_MAX"].map((name) => [
        undefined,
        name,
        VARIABLES[name]?.default,
        expect.any(String),
      ]),
    ];
    expect(rows).toEqual(expected);
    for (const [, variable = ""] of rows) expect(VARIABLES).toHaveProperty(variable);
  });
});
