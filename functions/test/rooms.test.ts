/** Rooms, people and permissions on the product itself: one embedded node, and two nodes on real engines. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgres } from "../adapters/postgres-client.ts";
import { PrismaAccountStore } from "../adapters/account-store-prisma.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import type { AccountStore } from "../core/accounts.ts";
import { FOREVER_MS } from "../core/room-store.ts";
import type { Store } from "../core/store.ts";
import { readDatabaseUrl } from "../lib/connection-url.ts";
import { CLOSES, type RoomKind, type ServerFrame } from "../protocol.ts";
import { heard, Person, say, sinceOf, type Answer } from "./api-client.ts";
import { describeEngine } from "./engines.ts";
import { newId } from "./events.ts";
import { startWorld } from "./faults/world.ts";
import { startEmbedded } from "./harness.ts";
import { columnOf, PARTS, type Part } from "./permissions-matrix.ts";
import type { RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

interface Product {
  readonly urls: readonly string[];
  stop(): Promise<unknown>;
}

const ENV = { STAGE: "rooms" };
const EFFECT_MS_MAX = 5_000;
const BANS = 20;
const SAMPLES = 100;
const BARRED_MS = 3_600_000;
const VICTIMS = 12;

describe("rooms on embedded engines", () => {
  describeRooms(async () => {
    const running = await startEmbedded(ENV);
    return { urls: [running.url], stop: () => running.stop() };
  });
});

describeEngine(["control"], "rooms on real engines, over two nodes", () => {
  let store: Store;
  let accounts: AccountStore;
  let urls: readonly string[];
  describeRooms(async () => {
    const world = await startWorld(ENV.STAGE, ENV);
    const [first, second] = await Promise.all([world.node(), world.node(), world.consumer()]);
    urls = [first.url, second.url];
    const { url, schema = "skat_rooms" } = readDatabaseUrl(world.env["DATABASE_URL"] ?? "");
    const database = openPostgres({ url, schema, poolMax: 2, statementTimeoutMs: 5_000 });
    store = new PrismaStore(database);
    accounts = new PrismaAccountStore(database);
    return { urls, stop: () => Promise.all([store.close(), world.close()]) };
  });

  it(`[G13] without a notice from Redis, ban, removal and role take effect on both nodes within ${EFFECT_MS_MAX} ms`, async () => {
    const owner = await Person.on(urls, "Olga");
    const by = { id: owner.id, name: owner.name };
    const room = await owner.room("public");
    const speaker = await owner.joined(room);
    const people = await Promise.all(Array.from({ length: 6 }, (_, n) => Person.on(urls, `n${n}`)));
    const clients = await Promise.all(people.map((one, n) => one.joined(room, n)));
    const told = clients.map((client, n) => client.next(n < 4 ? "left" : "room", client.frames.length));
    const startMs = performance.now();
    // As a node does it whose notices are all lost: the store has the change, and nobody is told.
    await Promise.all(
      people.map(({ id, name }, n) => {
        if (n < 2)
          return store.moderation.ban(room, { user: { id, name }, reason: "", untilMs: FOREVER_MS }, by);
        if (n < 4) return store.members.removeMember(room, id, by, { action: "remove" });
        return store.members.setRole(room, id, "read-only", by);
      }),
    );
    const tookMs = await Promise.all(told.map(async (each) => (await each, performance.now() - startMs)));
    console.log(`without a notice: slowest ${Math.max(...tookMs).toFixed(0)} ms`);
    expect(Math.max(...tookMs)).toBeLessThan(EFFECT_MS_MAX);
    expect(await say(speaker, room, "afterwards")).toBe("sent");
    await waitFor(
      () => clients.slice(4).every((client) => heard(client, "afterwards")),
      "those who stayed to hear",
    );
    expect(clients.slice(0, 4).filter((client) => heard(client, "afterwards"))).toEqual([]);
    expect(await Promise.all(clients.slice(4).map((client) => say(client, room, "may I?")))).toEqual([
      "forbidden",
      "forbidden",
    ]);
    for (const client of [...clients, speaker]) client.close();
  });

  it(`[G13] ${SAMPLES} times each: a ban, with and without its notice, is told on the other node, and who is barred is closed there, within ${EFFECT_MS_MAX} ms`, async () => {
    const owner = await Person.on(urls, "Olga");
    const by = { id: owner.id, name: owner.name };
    const room = await owner.room("public");
    const isLeft = ({ frames: told }: RawClient) => told.some(({ type }) => type === "left");
    const measure = async (what: string, act: (one: Person) => Promise<unknown>, isDone: typeof isLeft) => {
      const people = await Promise.all(Array.from({ length: SAMPLES }, (_, n) => Person.on(urls, `n${n}`)));
      const clients = await Promise.all(people.map((one) => one.joined(room, 1)));
      const times: Promise<number>[] = [];
      for (const [n, one] of people.entries()) {
        const startMs = performance.now();
        await act(one);
        const done = waitFor(() => isDone(clients[n] as RawClient), what);
        times.push(done.then(() => performance.now() - startMs));
      }
      const tookMs = (await Promise.all(times)).sort((a, b) => a - b);
      const at = (share: number) => `${tookMs[Math.ceil(share * SAMPLES) - 1]?.toFixed(0)} ms`;
      console.log(`${what}: p50 ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(1)} of ${SAMPLES}`);
      expect(tookMs.at(-1)).toBeLessThan(EFFECT_MS_MAX);
      for (const client of clients) client.close();
    };
    const banned = (one: Person) => ({
      user: { id: one.id, name: one.name },
      reason: "",
      untilMs: FOREVER_MS,
    });
    const ban = ({ id }: Person) => owner.do("PUT", `/rooms/${room}/bans/${id}`, { reason: "" });
    await measure("ban to `left`, with the notice", ban, isLeft);
    await measure("ban to `left`, without it", (one) => store.moderation.ban(room, banned(one), by), isLeft);
    const bar = ({ id }: Person) => accounts.bar(id, Date.now() + BARRED_MS, by);
    const isClosed = ({ closed }: RawClient) => closed?.code === CLOSES.token_revoked.code;
    await measure("barred to closed socket", bar, isClosed);
  }, 120_000);
});

function describeRooms(start: () => Promise<Product>): void {
  let product: Product;
  let owner: Person;
  let other: Person;
  let third: Person;
  beforeAll(async () => {
    product = await start();
    [owner, other, third] = await Promise.all([person("Olga"), person("Otto"), person("Theo")]);
    // A user is known from its first room on.
    for (const one of [owner, other, third]) await one.do("POST", "/rooms/lobby/join");
  }, 120_000);
  afterAll(async () => void (await product?.stop()), 60_000);

  const person = (name: string) => Person.on(product.urls, name);
  const frames = <Type extends ServerFrame["type"]>(client: RawClient, type: Type) =>
    client.frames.filter((frame): frame is Extract<ServerFrame, { type: Type }> => frame.type === type);

  async function member(room: string, role = "member"): Promise<Person> {
    const one = await person(role);
    const { code } = await owner.do("POST", `/rooms/${room}/invitations`, { uses: 1 });
    await one.do("POST", `/invitations/${String(code)}`);
    if (role !== "member") await owner.do("PATCH", `/rooms/${room}/members/${one.id}`, { role });
    return one;
  }

  describe("[G13] every verb for every part in every kind of room", () => {
    const cells = (["public", "private", "direct"] as const).flatMap((kind) =>
      PARTS.filter((part) => columnOf(kind, part).length > 0).map((part) => ({ kind, part })),
    );

    it.each(cells)(
      "$kind, $part",
      async ({ kind, part }) => {
        const { room, actor, target } = await stage(kind, part);
        const answers: (readonly [string, string])[] = [];
        for (const [verb] of columnOf(kind, part))
          answers.push([verb, await perform(verb, room, actor, target)]);
        expect(answers).toEqual(columnOf(kind, part));
      },
      30_000,
    );

    async function stage(kind: RoomKind, part: Part) {
      if (kind === "direct") {
        const target = await person("target");
        await target.do("POST", "/rooms/lobby/join");
        const { id } = await owner.do("POST", "/direct", { users: [target.id] });
        return { room: String(id), actor: part === "member" ? owner : other, target };
      }
      const room = await owner.room(kind);
      const target = await member(room);
      if (part === "owner") return { room, actor: owner, target };
      const actor =
        part === "stranger"
          ? await person("stranger")
          : await member(room, part === "banned" ? "member" : part);
      if (part === "banned") await owner.do("PUT", `/rooms/${room}/bans/${actor.id}`, {});
      return { room, actor, target };
    }

    async function perform(verb: string, room: string, actor: Person, target: Person): Promise<string> {
      const at = `/rooms/${room}`;
      const aim = `${at}/members/${target.id}`;
      const ask = async (...request: Parameters<Person["ask"]>) => codeOf(await actor.ask(...request));
      if (verb === "see") return ask("GET", at);
      if (verb === "read") return readBothWays(room, actor);
      if (verb === "listMembers") return ask("GET", `${at}/members`);
      if (verb === "send") return send(room, actor);
      if (verb === "setTopic") return ask("PATCH", at, { topic: "plans" });
      if (verb === "rename") return ask("PATCH", at, { name: "renamed" });
      if (verb === "archive") {
        const answer = await ask("PATCH", at, { archived: true });
        if (answer === "ok") await owner.do("PATCH", at, { archived: false });
        return answer;
      }
      if (verb === "invite") return ask("POST", `${at}/invitations`, {});
      if (verb === "listInvitations") return ask("GET", `${at}/invitations`);
      if (verb === "revoke") return ask("DELETE", `${at}/invitations/none`);
      if (verb === "mute") return ask("PUT", `${aim}/mute`, {});
      if (verb === "unmute") return ask("DELETE", `${aim}/mute`);
      if (verb === "setRole") return ask("PATCH", aim, { role: "read-only" });
      if (verb === "remove") return ask("DELETE", aim);
      if (verb === "ban") return ask("PUT", `${at}/bans/${target.id}`, {});
      if (verb === "listBans") return ask("GET", `${at}/bans`);
      if (verb === "unban") return ask("DELETE", `${at}/bans/${target.id}`);
      if (verb === "audit") return ask("GET", `${at}/audit`);
      if (verb === "leave") return ask("POST", `${at}/leave`);
      if (verb === "join") return joinBothWays(room, actor, ask);
      throw new Error(`no such verb: ${verb}`);
    }

    /** History over HTTP, and for members live: a stranger's `join` would make it one. */
    async function readBothWays(room: string, actor: Person): Promise<string> {
      const answer = codeOf(await actor.ask("GET", `/rooms/${room}/events`));
      if (answer !== "ok") return answer;
      (await actor.joined(room)).close();
      return answer;
    }

    async function joinBothWays(
      room: string,
      actor: Person,
      ask: (method: string, path: string) => Promise<string>,
    ): Promise<string> {
      const client = await actor.connected();
      const answer = await client.ask({ type: "join", room });
      client.close();
      const overHttp = await ask("POST", `/rooms/${room}/join`);
      expect(answer.type === "error" ? answer.code : "ok").toBe(overHttp);
      return overHttp;
    }

    async function send(room: string, actor: Person): Promise<string> {
      const client = await actor.connected();
      const isMember = (await actor.ask("GET", `/rooms/${room}/members`)).status === 200;
      if (isMember) await client.ask({ type: "join", room });
      const answer = await say(client, room, "hello");
      client.close();
      return answer === "sent" ? "ok" : answer;
    }
  });

  it("[G13] a private room answers a stranger exactly as one that does not exist", async () => {
    const room = await owner.room("private", "secret");
    const { slug } = await owner.do("GET", `/rooms/${room}`);
    const stranger = await person("stranger");
    const ask = async (of: string) => {
      const at = `/rooms/${of}`;
      const answers: unknown[] = [];
      for (const [method, path, body] of [
        ["GET", at, undefined],
        ["PATCH", at, { name: "x", archived: true }],
        ["GET", `${at}/events`, undefined],
        ["POST", `${at}/join`, undefined],
        ["POST", `${at}/leave`, undefined],
        ["GET", `${at}/members`, undefined],
        ["PATCH", `${at}/members/${owner.id}`, { role: "member" }],
        ["DELETE", `${at}/members/${owner.id}`, undefined],
        ["PUT", `${at}/members/${owner.id}/mute`, {}],
        ["GET", `${at}/bans`, undefined],
        ["PUT", `${at}/bans/${owner.id}`, {}],
        ["POST", `${at}/invitations`, {}],
        ["GET", `${at}/audit`, undefined],
      ] as const)
        answers.push(await stranger.ask(method, path, body));
      const client = await stranger.connected();
      answers.push(await client.ask({ type: "join", room: of, ref: 1 }));
      const since = sinceOf(client, of);
      answers.push(await client.ask({ type: "send", room: of, id: newId(), body: "x", since, ref: 2 }));
      client.close();
      return answers;
    };
    const unknown = await ask(newId());
    expect(await ask(room)).toEqual(unknown);
    expect(await ask(String(slug))).toEqual(unknown);
    // A public room of the same name gets the slug that a private one would have had.
    expect((await stranger.do("POST", "/rooms", { name: `secret ${room.slice(-6)}` }))["slug"]).toBe(
      `secret-${room.slice(-6)}`,
    );
    expect(JSON.stringify(await stranger.do("GET", "/rooms"))).not.toContain(room);
  });

  it(`[G13] a ban takes effect on the other node within ${EFFECT_MS_MAX} ms, and nobody else loses anything`, async () => {
    const room = await owner.room("public");
    const watcher = await other.joined(room, 1);
    const speaker = await owner.joined(room);
    const tookMs: number[] = [];
    for (let round = 0; round < BANS; round++) {
      const victim = await person("victim");
      const client = await victim.joined(room, 1);
      const startMs = performance.now();
      await owner.do("PUT", `/rooms/${room}/bans/${victim.id}`, { reason: "spam" });
      const left = await client.next("left");
      tookMs.push(performance.now() - startMs);
      expect(left).toEqual({ type: "left", room, reason: "banned" });
      expect(await say(speaker, room, `after ban ${round}`)).toBe("sent");
      await waitFor(() => heard(watcher, `after ban ${round}`), "the message to reach the other");
      expect(heard(client, `after ban ${round}`)).toBe(false);
      expect(await say(client, room, "still here?")).toBe("banned");
      expect(await client.ask({ type: "join", room })).toMatchObject({ code: "banned" });
      // The change was made on one node and heard of on the victim's: the other may be a moment behind.
      const read = () => victim.ask("GET", `/rooms/${room}/events`);
      const areRefused = async () =>
        (await Promise.all([read(), read()])).every(({ code }) => code === "banned");
      await waitFor(areRefused, "both nodes to refuse the history", EFFECT_MS_MAX);
      client.close();
    }
    const ended = frames(watcher, "member").filter(({ role }) => role === null);
    // One who was banned between a node's look at its joining and at its standing is told twice.
    expect(new Set(ended.map(({ user }) => user.id)).size).toBe(BANS);
    tookMs.sort((a, b) => a - b);
    console.log(
      `ban to left: p50 ${tookMs[BANS / 2]?.toFixed(1)} ms, slowest of ${BANS} ${tookMs.at(-1)?.toFixed(1)} ms`,
    );
    expect(tookMs.at(-1)).toBeLessThan(EFFECT_MS_MAX);
    watcher.close();
    speaker.close();
  }, 60_000);

  it("[G13] while everybody writes and some are put out, those hear nothing after `left`, and nobody else loses anything", async () => {
    const room = await owner.room("public");
    const speakers = [await owner.joined(room), await other.joined(room, 1)];
    const victims = await Promise.all(Array.from({ length: VICTIMS }, (_, n) => person(`victim ${n}`)));
    const clients = await Promise.all(victims.map((victim, n) => victim.joined(room, n)));
    const said: string[] = [];
    let areOut = false;
    const talk = async (speaker: RawClient, n: number) => {
      for (let count = 0; !areOut || count < 10; count++) {
        const body = `${n}: ${count}`;
        expect(await say(speaker, room, body)).toBe("sent");
        said.push(body);
      }
    };
    const talking = speakers.map(talk);
    for (const [n, victim] of victims.entries()) {
      const startMs = performance.now();
      if (n % 3) await owner.do("DELETE", `/rooms/${room}/members/${victim.id}`);
      else await owner.do("PUT", `/rooms/${room}/bans/${victim.id}`, {});
      await (clients[n] as RawClient).next("left");
      expect(performance.now() - startMs).toBeLessThan(EFFECT_MS_MAX);
    }
    const atTheEnd = said.length;
    await waitFor(() => said.length >= atTheEnd + 20, "some more messages", 20_000);
    areOut = true;
    await Promise.all(talking);
    const bodies = (client: RawClient) => frames(client, "event").map(({ body }) => body);
    await waitFor(() => speakers.every((one) => bodies(one).length >= said.length), "all to be heard");
    for (const speaker of speakers) expect(bodies(speaker).toSorted()).toEqual(said.toSorted());
    expect(bodies(speakers[0] as RawClient)).toEqual(bodies(speakers[1] as RawClient));
    for (const { frames: heardFrames } of clients) {
      const leftAt = heardFrames.findIndex(({ type }) => type === "left");
      expect(heardFrames.slice(0, leftAt).some(({ type }) => type === "event")).toBe(true);
      expect(heardFrames.slice(leftAt + 1).filter(({ type }) => type === "event")).toEqual([]);
    }
    for (const client of [...speakers, ...clients]) client.close();
  }, 120_000);

  it("[G2] the retry of what was sent before a ban gets its first answer again; nothing new is taken", async () => {
    const room = await owner.room("public");
    const client = await other.joined(room, 1);
    const frame = { type: "send", room, id: newId(), body: "before", since: sinceOf(client, room) };
    const first = await client.ask(frame);
    expect(first).toMatchObject({ type: "sent" });
    await waitFor(() => frames(client, "saved").some(({ ids }) => ids.includes(frame.id)), "it to be saved");
    await owner.do("PUT", `/rooms/${room}/bans/${other.id}`, {});
    await client.next("left");
    const again = await client.ask(frame);
    expect({ ...again, ref: 0 }).toEqual({ ...first, ref: 0 });
    await waitFor(
      () => frames(client, "saved").filter(({ ids }) => ids.includes(frame.id)).length === 2,
      "`saved` once more",
    );
    expect(await client.ask({ ...frame, id: newId() })).toMatchObject({ code: "banned" });
    const { events } = await owner.do("GET", `/rooms/${room}/events`);
    expect((events as { id: string }[]).filter(({ id }) => id === frame.id)).toHaveLength(1);
    client.close();
  });

  it("a ban that is over, or lifted, lets in again", async () => {
    const room = await owner.room("public");
    await owner.do("PUT", `/rooms/${room}/bans/${other.id}`, { forMs: 300 });
    expect((await other.ask("POST", `/rooms/${room}/join`)).code).toBe("banned");
    await waitFor(
      async () => (await other.ask("POST", `/rooms/${room}/join`)).status === 200,
      "the ban to be over",
    );
    await owner.do("PUT", `/rooms/${room}/bans/${other.id}`, { reason: "again" });
    expect((await owner.do("GET", `/rooms/${room}/bans`))["bans"]).toEqual([
      { user: { id: other.id, name: "Otto" }, reason: "again" },
    ]);
    await owner.do("DELETE", `/rooms/${room}/bans/${other.id}`);
    await other.do("POST", `/rooms/${room}/join`);
  });

  it("[G13] roles, mutes and removals reach those concerned live, and count at once", async () => {
    const room = await owner.room("private");
    const one = await member(room);
    const client = await one.joined(room, 1);
    const watcher = await owner.joined(room);
    await owner.do("PATCH", `/rooms/${room}/members/${one.id}`, { role: "read-only" });
    await waitFor(() => frames(client, "room").some(({ role }) => role === "read-only"), "its new role");
    expect(await say(client, room, "may I?")).toBe("forbidden");
    await owner.do("PATCH", `/rooms/${room}/members/${one.id}`, { role: "member" });
    await waitFor(() => frames(client, "room").at(-1)?.role === "member", "its role of before");
    expect(await say(client, room, "I may")).toBe("sent");
    await owner.do("PUT", `/rooms/${room}/members/${one.id}/mute`, { forMs: 60_000 });
    await waitFor(
      () => frames(watcher, "member").some(({ mutedUntilMs }) => mutedUntilMs),
      "the mute to be told",
    );
    await waitFor(async () => (await say(client, room, "hm")) === "muted", "the mute to count");
    await owner.do("DELETE", `/rooms/${room}/members/${one.id}/mute`);
    await waitFor(async () => (await say(client, room, "free")) === "sent", "the mute to be lifted");
    await owner.do("DELETE", `/rooms/${room}/members/${one.id}?reason=noise`);
    expect(await client.next("left")).toEqual({ type: "left", room, reason: "removed" });
    expect(await say(client, room, "gone?")).toBe("unknown_room");
    const { changes } = await owner.do("GET", `/rooms/${room}/audit`);
    expect((changes as { action: string }[]).map(({ action }) => action)).toEqual([
      ...["remove", "mute", "mute", "role", "role", "join", "invite", "create"],
    ]);
    expect((changes as object[])[0]).toMatchObject({
      user: { id: one.id },
      by: { id: owner.id, name: "Olga" },
      detail: { reason: "noise" },
    });
    client.close();
    watcher.close();
  });

  it("a room that is archived can be read, and not written to until it is brought back; its members are told", async () => {
    const room = await owner.room("public");
    const client = await other.joined(room, 1);
    await owner.do("PATCH", `/rooms/${room}`, { archived: true, topic: "over", name: "Old" });
    const told = await waitFor(() => frames(client, "room").find(({ info }) => info.archived), "the change");
    expect(told.info).toMatchObject({ name: "Old", topic: "over", archived: true });
    expect(await say(client, room, "too late")).toBe("room_archived");
    expect((await other.ask("GET", `/rooms/${room}/events`)).status).toBe(200);
    await owner.do("PATCH", `/rooms/${room}`, { archived: false });
    await waitFor(async () => (await say(client, room, "again")) === "sent", "the room to be back");
    client.close();
  });

  it("a direct room is found again by its members, and a block ends it for both", async () => {
    const waiting = await other.connected(1);
    const first = await owner.do("POST", "/direct", { users: [other.id] });
    expect(await other.do("POST", "/direct", { users: [owner.id, owner.id] })).toEqual(first);
    const room = String(first["id"]);
    expect((await waiting.next("room")).info).toMatchObject({ id: room, kind: "direct" });
    const client = await owner.joined(room);
    await other.do("PUT", `/blocks/${owner.id}`);
    await waitFor(async () => (await say(client, room, "hello?")) === "blocked", "the block to count");
    expect((await owner.ask("POST", "/direct", { users: [other.id] })).code).toBe("blocked");
    expect((await other.do("GET", "/blocks"))["users"]).toEqual([owner.id]);
    await other.do("DELETE", `/blocks/${owner.id}`);
    await waitFor(async () => (await say(client, room, "hello")) === "sent", "the block to be lifted");
    const three = await third.do("POST", "/direct", { users: [owner.id, other.id] });
    expect(three["id"]).not.toBe(room);
    expect((await owner.ask("POST", "/direct", { users: [newId()] })).code).toBe("unknown_user");
    client.close();
    waiting.close();
  });

  it("an invitation is used up, runs out and is taken back, all answered alike", async () => {
    const room = await owner.room("private");
    const invite = async (more: object) =>
      String((await owner.do("POST", `/rooms/${room}/invitations`, more))["code"]);
    const redeem = async (code: string) =>
      codeOf(await (await person("guest")).ask("POST", `/invitations/${code}`));
    const once = await invite({ uses: 1, role: "read-only" });
    expect([await redeem(once), await redeem(once)]).toEqual(["ok", "unknown_invitation"]);
    const brief = await invite({ expiresInMs: 1 });
    await waitFor(async () => (await redeem(brief)) === "unknown_invitation", "the invitation to run out");
    const taken = await invite({});
    await owner.do("DELETE", `/rooms/${room}/invitations/${taken}`);
    expect(await redeem(taken)).toBe("unknown_invitation");
    expect(await redeem("nothing")).toBe("unknown_invitation");
    expect((await owner.do("GET", `/rooms/${room}/invitations`))["invitations"]).toEqual([]);
  });

  it("a moderator has no power over those at its height or above, and a room keeps an owner", async () => {
    const room = await owner.room("public");
    const [moderator, second] = [await member(room, "moderator"), await member(room, "moderator")];
    for (const target of [owner, second])
      for (const [method, path] of [
        ["DELETE", `/rooms/${room}/members/${target.id}`],
        ["PUT", `/rooms/${room}/members/${target.id}/mute`],
        ["PUT", `/rooms/${room}/bans/${target.id}`],
      ] as const)
        expect((await moderator.ask(method, path, method === "PUT" ? {} : undefined)).code).toBe("forbidden");
    const own = `/rooms/${room}/members/${owner.id}`;
    expect((await owner.ask("PATCH", own, { role: "member" })).code).toBe("last_owner");
    expect((await owner.ask("DELETE", own)).code).toBe("last_owner");
    expect((await owner.ask("PUT", `/rooms/${room}/bans/${owner.id}`, {})).code).toBe("last_owner");
    await owner.do("PATCH", `/rooms/${room}/members/${second.id}`, { role: "owner" });
    await owner.do("POST", `/rooms/${room}/leave`);
    expect((await second.ask("POST", `/rooms/${room}/leave`)).code).toBe("last_owner");
  });

  it("rooms are found by slug, members and rooms are paged", async () => {
    const name = `Größe & Ärger ${newId().slice(-8)}`;
    const made = await owner.do("POST", "/rooms", { name });
    expect(made["slug"]).toBe(`grosse-arger-${name.slice(-8)}`.replace("grosse", "gro-e"));
    expect((await other.do("GET", `/rooms/${String(made["slug"])}`))["id"]).toBe(made["id"]);
    const twin = await owner.do("POST", "/rooms", { name });
    expect(twin["slug"]).toMatch(new RegExp(`^${String(made["slug"])}-[0-9a-f]{12}$`));
    const first = await owner.do("GET", "/rooms?limit=2&mine=true");
    const second = await owner.do("GET", `/rooms?limit=2&mine=true&after=${String(first["next"])}`);
    const ids = [first, second].flatMap(({ rooms }) => (rooms as { id: string }[]).map(({ id }) => id));
    expect(new Set(ids).size).toBe(4);
    const room = String(made["id"]);
    const people = [await member(room), await member(room)];
    const page = await owner.do("GET", `/rooms/${room}/members?limit=2`);
    const rest = await owner.do("GET", `/rooms/${room}/members?limit=2&after=${String(page["next"])}`);
    const members = [page, rest].flatMap(({ members: some }) => some as { user: { id: string } }[]);
    expect(members.map(({ user }) => user.id)).toEqual([owner, ...people].map(({ id }) => id).sort());
    expect(rest["next"]).toBeUndefined();
  });

  it.each([
    "'; DROP TABLE rooms; --",
    "{p0}:notices",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u0410dmin",
    "\u05e9\u05dc\u05d5\u05dd",
    "e\u0301",
    "👩‍👩‍👧‍👦",
    "__proto__",
  ])("a name comes back as it is, and its slug is plain: %s", async (name) => {
    const made = await owner.do("POST", "/rooms", { name, topic: name });
    expect(made).toMatchObject({
      name,
      topic: name,
      slug: expect.stringMatching(/^[a-z0-9]+(-[a-z0-9]+)*$/),
    });
    expect(await owner.do("GET", `/rooms/${String(made["slug"])}`)).toEqual(made);
    (await owner.joined(String(made["id"]))).close();
  });

  it("fields that are not one's to set are ignored", async () => {
    const forged = {
      id: "lobby",
      slug: "lobby",
      role: "owner",
      kind: "public",
      archived: true,
      createdAt: 0,
    };
    const made = await owner.do("POST", "/rooms", { name: "Mine", ...forged });
    expect(made).toMatchObject({ name: "Mine", archived: false, role: "owner" });
    expect(made["id"]).not.toBe("lobby");
    const changed = await owner.do("PATCH", `/rooms/${String(made["id"])}`, { ...forged, archived: false });
    expect(changed).toEqual(made);
  });

  it("the OpenAPI document names every route, and all that it refers to is in it", async () => {
    const document = (await (await fetch(`${product.urls[0]}/api/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, object>>;
      components: { schemas: Record<string, object> };
    };
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations).toContain("put /api/rooms/{room}/bans/{user}");
    for (const operation of operations) {
      const [method = "", path = ""] = operation.split(" ");
      const url = `${product.urls[0]}${path.replaceAll(/\{\w+\}/g, "x")}`;
      const { status } = await fetch(url, { method: method.toUpperCase() });
      expect([operation, [400, 401].includes(status)]).toEqual([operation, true]);
    }
    const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, ref]) => ref,
    );
    expect(refs.length).toBeGreaterThan(20);
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining([...new Set(refs)]));
  });
}

function codeOf({ code }: Answer): string {
  return code ?? "ok";
}
