/** The node's rules, N1–N8, one by one: the whole core under stepped time, and one thing at a time that goes wrong. */
import { beforeEach, expect, test } from "vitest";
import { deletedSubject } from "../core/deleted-users.ts";
import { decodeEvent } from "../core/event.ts";
import { fromMs, next, ZERO } from "../core/position.ts";
import { partitionOf } from "../core/room-stream.ts";
import { sleep } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";
import { DELETED_NAME, LOBBY, PAGE_EVENTS, type ServerFrame } from "../protocol.ts";
import { message } from "./events.ts";
import { openRulesWorld } from "./rules-world.ts";

let world: ReturnType<typeof openRulesWorld>;
beforeEach(() => {
  world = openRulesWorld();
  return () => world.close();
});

const placeOf = (answer: ServerFrame) => (answer.type === "sent" ? answer.position : JSON.stringify(answer));
/** The store is known to hold everything from before the present memory: pages are no longer provisional. */
async function settle(): Promise<void> {
  await world.runtime.pass(7_000);
  await world.caughtUp();
  await world.runtime.pass(1_000);
}

async function makeRoom(id = uuidV7(world.runtime)): Promise<{ id: string }> {
  const room = { id, slug: id, kind: "public", name: "room", topic: "", archived: false } as const;
  await world.store.rooms.createRoom(room, { id: uuidV7(world.runtime), name: "Ada" });
  return room;
}

test("[N1] a connection that was cut is asked for its fence again: the send is refused, retriable, and goes through later", async () => {
  const ada = await world.member();
  await ada.send("one");
  const id = uuidV7(world.runtime);
  world.memory.restart(world.memory.snapshot());
  const since = ada.headOf(LOBBY);
  expect(await ada.send("two", { id, since })).toMatchObject({ code: "unavailable", retriable: true });
  await settle();
  expect(await ada.send("two", { id, since })).toMatchObject({ type: "sent", id });
  expect(ada.shown(LOBBY)).toEqual(["one", "two"]);
});

test("[N2] a new fence resets every room of its partition, provisionally", async () => {
  const ada = await world.member();
  const { id: other } = await makeRoom();
  let neighbour = uuidV7(world.runtime);
  while (partitionOf(neighbour) !== partitionOf(LOBBY)) neighbour = uuidV7(world.runtime);
  await makeRoom(neighbour);
  const bob = await world.member([LOBBY, neighbour, other]);
  await settle();
  const before = { ada: ada.of("reset").length, bob: bob.of("reset").length };
  world.memory.restart();
  await world.runtime.pass(3_000);
  const told = (member: typeof ada, from: number) =>
    member
      .of("reset")
      .slice(from)
      .map(({ room, reason, provisional }) => ({ room, reason, provisional }));
  const reset = { reason: "fence", provisional: true };
  expect(told(ada, before.ada)).toEqual([{ room: LOBBY, ...reset }]);
  expect(told(bob, before.bob)).toEqual(
    expect.arrayContaining([LOBBY, neighbour, other].map((room) => ({ room, ...reset }))),
  );
});

test("[N3] an event that the feed lost is read from the stream before the next one is shown", async () => {
  const ada = await world.member();
  world.stream.isLost = ({ json }) => json.includes("second");
  for (const body of ["first", "second", "third"]) await ada.send(body);
  await world.runtime.until(() => ada.of("event").length === 3, "the third");
  expect(ada.shown(LOBBY)).toEqual(["first", "second", "third"]);
  expect(ada.of("reset")).toEqual([]);
});

test("[N3] a lost last event is found by the look at the heads", async () => {
  const ada = await world.member();
  world.stream.isLost = () => true;
  await ada.send("the last");
  expect(ada.shown(LOBBY)).toEqual([]);
  await world.runtime.pass(2_500);
  expect(ada.shown(LOBBY)).toEqual(["the last"]);
});

test("[N3] a stream that vanished under its fence gets a new fence, above everything shown", async () => {
  const ada = await world.member();
  const shown = placeOf(await ada.send("before"));
  await settle();
  const resets = ada.of("reset").length;
  world.memory.contents.streams.delete(LOBBY);
  await world.runtime.pass(3_000);
  expect(ada.of("reset").length).toBeGreaterThan(resets);
  expect(ada.headOf(LOBBY) > shown).toBe(true);
  await settle();
  expect(placeOf(await ada.send("after")) > shown).toBe(true);
  expect(ada.shown(LOBBY)).toEqual(["before", "after"]);
});

test("[N3] an older memory that holds just what is shown is found by the look at the fences: what it lost before anybody heard it is shown", async () => {
  const ada = await world.member();
  await ada.send("heard");
  await settle();
  const older = world.memory.snapshot();
  world.stream.isLost = () => true;
  await ada.send("unheard");
  world.memory.restart(older);
  world.stream.isLost = () => false;
  await world.runtime.pass(3_000);
  await settle();
  expect(ada.shown(LOBBY)).toEqual(["heard", "unheard"]);
});

test("[N4] a resume is whole: from the ring, from the stream, from stream and store; else a reset, never a part", async () => {
  const ada = await world.member();
  await settle(); // the clock is past the fence, so that positions have room between them
  const start = ada.headOf(LOBBY);
  const places: string[] = [];
  for (let n = 0; n < 60; n++) {
    places.push(placeOf(await ada.send(`${n}`)));
    await world.runtime.pass(1);
  }
  const resume = async (after: string) => {
    const bob = await world.member([]);
    const answer = await bob.ask({ type: "join", room: LOBBY, after });
    bob.session.ended();
    return { type: answer.type, shown: bob.shown(LOBBY) };
  };
  const all = places.map((_, n) => `${n}`);
  expect(await resume(start)).toEqual({ type: "joined", shown: all });
  expect(await resume(places[9] ?? "")).toEqual({ type: "joined", shown: all.slice(10) });
  ada.session.ended();
  await world.runtime.pass(60_000); // the room is closed, and its ring with it
  expect(await resume(start), "from the stream").toEqual({ type: "joined", shown: all });
  await world.runtime.pass(60_000);
  await world.stream.trim(LOBBY, places[29] ?? "");
  expect(await resume(places[4] ?? ""), "from stream and store").toEqual({
    type: "joined",
    shown: all.slice(5),
  });
  const between = await resume(next(places[4] ?? ""));
  expect(between, "no event is there").toEqual({ type: "reset", shown: all.slice(-50) });
  const before = await resume(ZERO);
  expect(before, "before the fence").toEqual({ type: "reset", shown: all.slice(-50) });
});

test("[N4] a room is not closed while somebody joins it, however long that takes", async () => {
  const ada = await world.member();
  await settle();
  const start = ada.headOf(LOBBY);
  const missed = Array.from({ length: PAGE_EVENTS + 10 }, (_, n) => `${n}`); // more than a ring begins with
  for (const body of missed) await ada.send(body);
  ada.session.ended();
  await world.runtime.pass(60_000); // the room is closed, and its ring with it
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  world.stream.beforeRead = (method) => (method === "readAfter" ? opened : undefined);
  const bob = await world.member([]);
  bob.session.receive(JSON.stringify({ type: "join", ref: 99, room: LOBBY, after: start }));
  await world.runtime.pass(60_000);
  expect(bob.of("joined")).toEqual([]);
  open();
  await world.runtime.until(() => bob.of("joined").length > 0, "the join to be answered");
  await (await world.member()).send("later");
  expect(bob.shown(LOBBY)).toEqual([...missed, "later"]);
});

test("[N5] what is stored and trimmed between the two reads of a page is on it", async () => {
  const ada = await world.member();
  const places: string[] = [];
  for (let n = 0; n < 10; n++) places.push(placeOf(await ada.send(`${n}`)));
  ada.session.ended();
  await world.runtime.pass(60_000);
  world.stream.afterRead = () => world.stream.trim(LOBBY, places[8] ?? "");
  const bob = await world.member();
  expect(bob.shown(LOBBY)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

test("[N5] what is stored and trimmed just before the stream is read is on the page: the store is read after it", async () => {
  const ada = await world.member();
  world.log.before = async () => {
    throw new Error("down");
  };
  const places: string[] = [];
  for (let n = 0; n < 10; n++) places.push(placeOf(await ada.send(`${n}`))); // on the stream, and not stored
  ada.session.ended();
  await world.runtime.pass(60_000);
  world.stream.beforeRead = async () => {
    const { events } = await world.stream.entries(LOBBY, ZERO, 100);
    await world.store.insertEvents(events.map(({ json }) => decodeEvent(json)));
    await world.stream.trim(LOBBY, places[8] ?? "");
  };
  const bob = await world.member();
  expect(bob.shown(LOBBY)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

test("[N5] a page ends where the stream did when it was read, though the store is already further", async () => {
  const ada = await world.member();
  await ada.send("first");
  const bob = await world.member([]);
  world.log.before = async () => {
    throw new Error("down");
  };
  await ada.send("second"); // on the stream, and not stored
  ada.session.ended();
  await world.runtime.pass(60_000);
  let once = true;
  world.stream.afterRead = async () => {
    if (!once) return;
    once = false;
    // A later event, appended by another node and stored already, while the one before it is not.
    const other = world.memory.connect();
    const fence = await other.open(partitionOf(LOBBY), { nowMs: world.runtime.now(), floor: ZERO });
    const id = uuidV7(world.runtime);
    const draft = {
      room: LOBBY,
      id,
      fields: `"kind":"message","id":"${id}","user":{"id":"u","name":"U"},"body":"third"`,
    };
    const { position, prev } = await other.append(draft, fence, ZERO);
    await world.store.insertEvents([
      {
        type: "event",
        room: LOBBY,
        position,
        prev,
        kind: "message",
        id,
        user: { id: "u", name: "U" },
        body: "third",
        at: world.runtime.now(),
      },
    ]);
  };
  await bob.ask({ type: "join", room: LOBBY });
  await world.runtime.pass(3_000);
  expect(bob.shown(LOBBY)).toEqual(["first", "second", "third"]);
});

test("[N5] without the store the page is from the stream alone, provisional, and comes again when the store is back", async () => {
  const ada = await world.member();
  await ada.send("kept");
  await settle();
  ada.session.ended();
  await world.runtime.pass(60_000);
  world.storeHooks.before = (method) => {
    if (method === "eventsBefore") throw new ChatError("unavailable", "away");
  };
  const bob = await world.member();
  expect(bob.of("joined")).toMatchObject([{ complete: false, provisional: true }]);
  expect(bob.shown(LOBBY)).toEqual(["kept"]);
  world.storeHooks.before = () => {};
  await settle();
  expect(bob.of("reset").at(-1)).toMatchObject({ complete: true, provisional: false });
});

test("[N6] saved follows the log's acknowledgement, and nothing else", async () => {
  const ada = await world.member();
  let acknowledge = () => {};
  world.log.before = () => new Promise<void>((resolve) => (acknowledge = resolve));
  await ada.send("waits");
  await world.runtime.pass(2_000);
  expect(ada.of("saved")).toEqual([]);
  acknowledge();
  await world.runtime.until(() => ada.of("saved").length === 1, "saved");
});

test("[N6] an old entry that the stream still has goes to the log at its place", async () => {
  const ada = await world.member();
  const down = () => Promise.reject(new Error("down"));
  world.log.before = down;
  const place = placeOf(await ada.send("late"));
  await world.runtime.pass(10_000);
  world.log.before = () => {};
  await world.runtime.until(() => ada.of("saved").length === 1, "saved");
  expect(world.log.records.map(({ position }) => position)).toEqual([place]);
});

test("[N6] [N7] an old entry that the stream has lost is sent again by the node itself, though its client is gone", async () => {
  const ada = await world.member();
  await settle();
  world.log.before = () => Promise.reject(new Error("down"));
  const place = placeOf(await ada.send("orphan"));
  ada.session.ended();
  await world.runtime.pass(6_000);
  world.memory.flush();
  await world.runtime.pass(3_000);
  world.log.before = () => {};
  await world.runtime.pass(3_000);
  expect(world.log.records, "nothing under the old fence").toEqual([]);
  await settle();
  await world.runtime.until(() => world.log.records.length > 0, "the node to send it again");
  const [record] = world.log.records;
  expect(record?.body).toBe("orphan");
  expect((record?.position ?? "") > place).toBe(true);
});

test("[N7] a retry that Redis can't judge waits for the settled store, and then gets its first place", async () => {
  const ada = await world.member();
  await settle();
  const since = ada.headOf(LOBBY);
  const id = uuidV7(world.runtime);
  const place = placeOf(await ada.send("once", { id, since }));
  await world.runtime.until(() => ada.of("saved").length === 1, "saved");
  world.memory.restart();
  await world.runtime.pass(3_000);
  expect(await ada.send("once", { id, since })).toMatchObject({ code: "unavailable", retriable: true });
  await settle();
  expect(placeOf(await ada.send("once", { id, since }))).toBe(place);
  await world.runtime.until(() => ada.of("saved").length === 2, "saved again");
  expect(world.log.records).toHaveLength(1);
  expect(ada.shown(LOBBY)).toEqual(["once"]);
});

test("[N7] a retry whose place is lost between the append's answer and the look at it is not called saved", async () => {
  const ada = await world.member();
  await settle();
  world.log.before = () => Promise.reject(new Error("no broker"));
  const retried = { id: uuidV7(world.runtime), since: ada.headOf(LOBBY) };
  placeOf(await ada.send("once", retried));
  world.stream.beforeRead = () => {
    world.stream.beforeRead = () => {};
    world.memory.flush();
  };
  expect(await ada.send("once", retried)).toMatchObject({ code: "unavailable", retriable: true });
  expect(ada.of("saved")).toEqual([]);
});

test("[N7] an id older than two minutes is not left to Redis", async () => {
  const ada = await world.member();
  const id = uuidV7(world.runtime);
  const since = ada.headOf(LOBBY);
  const place = placeOf(await ada.send("once", { id, since }));
  await world.runtime.pass(300_000);
  expect(world.memory.contents.ids.size, "not looked at since").toBe(1);
  expect(placeOf(await ada.send("once", { id, since }))).toBe(place);
  expect(ada.shown(LOBBY)).toEqual(["once"]);
});

test("[N8] a page of the quarantine is followed by a second one, once the store is settled and not before", async () => {
  const ada = await world.member();
  expect(ada.of("joined")).toMatchObject([{ provisional: true }]);
  await world.caughtUp();
  await world.runtime.pass(20_000);
  expect(ada.of("reset"), "the consumer is not past the fence").toEqual([]);
  await world.caughtUp();
  await world.runtime.pass(1_000);
  expect(ada.of("reset")).toMatchObject([{ reason: "settled", provisional: false }]);
  await world.runtime.pass(20_000);
  expect(ada.of("reset"), "once").toHaveLength(1);
});

test("[N8] a page counts as settled by what the store said before it was read, not after", async () => {
  const late = message(LOBBY, 0, { position: fromMs(world.runtime.now() - 1_000), prev: ZERO, body: "late" });
  world.stream.beforeRead = (method) => method === "readNewest" && sleep(world.runtime, 20_000);
  // The consumer stores it and is caught up while the page is read.
  world.storeHooks.before = async (method) => {
    if (method !== "caughtUpAt") return;
    world.storeHooks.before = () => {};
    await world.store.insertEvents([late]);
    await world.caughtUp();
  };
  const ada = await world.member();
  world.stream.beforeRead = () => {};
  await world.runtime.pass(20_000);
  expect([...ada.of("joined"), ...ada.of("reset")].at(-1)).toMatchObject({ provisional: false });
  expect(ada.shown(LOBBY)).toEqual(["late"]);
});

test("[N3] who has deleted the account is named no more, in live events, pages and resumes; their places are what they were", async () => {
  const [ada, ben] = [await world.member(), await world.member()];
  await ada.send("one");
  await ada.send("two");
  const [one, two] = ben.of("event");
  if (!one || !two) throw new Error("nothing was heard");
  expect(one.user.name).not.toBe(DELETED_NAME);
  world.deletedUsers.learn(deletedSubject(ada.session.userId));
  await ada.send("three");
  const user = { id: ada.session.userId, name: DELETED_NAME };
  const nameless = [one, two, ...ben.of("event").slice(2)].map((event) => ({ ...event, user }));
  expect(ben.of("event")[2]).toEqual(nameless[2]);
  const late = await world.member();
  expect(late.of("events")[0]?.events).toEqual(nameless);
  const back = await world.member([]);
  await back.ask({ type: "join", room: LOBBY, after: one.position });
  expect(back.of("events")[0]?.events).toEqual(nameless.slice(1));
});
