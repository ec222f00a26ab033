/** A standing that changes while a join or a look into history is under way counts for it: on one node, with its engines held back. */
import { beforeEach, expect, test } from "vitest";
import { FOREVER_MS } from "../core/room-store.ts";
import { chatRoutes } from "../http/chat-routes.ts";
import { ChatError } from "../lib/errors.ts";
import { DEFAULT_LIMITS, LOBBY, PAGE_EVENTS, type User } from "../protocol.ts";
import { auth, openRulesWorld, type Member } from "./rules-world.ts";

const MODERATOR = { id: "moderator", name: "Olga" };
const REF = 99;

let world: ReturnType<typeof openRulesWorld>;
beforeEach(() => {
  world = openRulesWorld();
  return () => world.close();
});

/** A speaker in the lobby, and somebody whose join waits for the stream until `goOn`. */
async function joinUnderWay(): Promise<{ speaker: Member; late: Member; goOn: () => void }> {
  const first = await world.member();
  await world.runtime.pass(7_000); // the clock is past the fence, so that positions have room between them
  const after = first.headOf(LOBBY);
  for (let n = 0; n < PAGE_EVENTS + 10; n++) await first.send(`${n}`); // more than a ring begins with
  first.session.ended();
  await world.runtime.pass(60_000); // the room is closed, and its ring with it
  const speaker = await world.member();
  const late = await world.member([]);
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  world.stream.beforeRead = (method) => (method === "readAfter" ? held : undefined);
  late.session.receive(JSON.stringify({ type: "join", ref: REF, room: LOBBY, after }));
  await world.runtime.pass(100);
  return { speaker, late, goOn };
}

const answerTo = async (member: Member) => {
  const answer = () => member.frames.find((frame) => "ref" in frame && frame.ref === REF);
  await world.runtime.until(answer, "the join to be answered");
  return answer();
};

async function ban(member: Member): Promise<void> {
  const user = { id: member.session.userId, name: "Ada" };
  await world.store.moderation.ban(LOBBY, { user, reason: "", untilMs: FOREVER_MS }, MODERATOR);
  await world.runtime.until(() => member.of("left").length > 0, "the ban to take effect");
}

test("[G13] who is put out while its join is under way gets no page and no event, whatever else changes meanwhile", async () => {
  const { speaker, late, goOn } = await joinUnderWay();
  await ban(late);
  await speaker.send("said after the ban took effect");
  await world.store.rooms.updateRoom(LOBBY, { topic: "changed" }, MODERATOR);
  await world.runtime.until(() => speaker.of("room").at(-1)?.info.topic === "changed", "the change too");
  goOn();
  expect(await answerTo(late)).toMatchObject({ type: "error", code: "banned" });
  await speaker.send("later still");
  expect(late.shown(LOBBY)).toEqual([]);
  expect(late.of("left")).toEqual([{ type: "left", room: LOBBY, reason: "banned" }]);
});

test("[G13] a room that is archived while a join is under way takes nothing from who joins it", async () => {
  const { speaker, late, goOn } = await joinUnderWay();
  await world.store.rooms.updateRoom(LOBBY, { archived: true }, MODERATOR);
  await world.runtime.until(() => speaker.of("room").at(-1)?.info.archived, "the change to take effect");
  goOn();
  expect(await answerTo(late)).toMatchObject({ type: "joined" });
  expect(await late.send("too late")).toMatchObject({ type: "error", code: "room_archived" });
});

test("[G13] a join that fails leaves nothing behind: its room is not joined", async () => {
  const late = await world.member([]);
  world.stream.beforeRead = () => Promise.reject(new Error("away"));
  expect(await late.ask({ type: "join", room: LOBBY })).toMatchObject({ code: "unavailable" });
  expect(await late.send("not yet")).toMatchObject({ code: "not_member" });
});

test("[G13] who is put out while its page of history is being read does not get it", async () => {
  const reader = await world.member();
  const user = { id: reader.session.userId, name: "Ada" };
  await reader.send("said before");
  world.storeHooks.before = (method) => {
    if (method === "eventsBefore") throw new ChatError("unavailable", "away"); // so that the stream is read
  };
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  world.stream.beforeRead = () => held;
  const answer = historyOf(user).then(
    (page) => page,
    ({ code }: ChatError) => code,
  );
  await ban(reader);
  goOn();
  expect(await answer).toBe("banned");
});

/** As the route answers it, whose user was proved before. */
async function historyOf(user: User): Promise<unknown> {
  const { node, runtime } = world;
  const rates = { take: async () => {}, count: () => 0 };
  const routes = chatRoutes({ node, auth, rates, limits: DEFAULT_LIMITS, nowMs: () => runtime.now() });
  const route = routes.find(({ path }) => path === "/api/rooms/:room/events");
  const principal = await auth.verify(user.id);
  const input = { user, principal, headers: new Headers(), body: {}, address: "127.0.0.1" };
  return route?.handle({ ...input, param: () => LOBBY, query: { limit: PAGE_EVENTS } });
}
