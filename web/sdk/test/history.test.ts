/** What lies before a view: when it is asked for again, and what an answer leaves in doubt. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode, RoomEvent } from "../../../functions/protocol.ts";
import type { Api, HistoryQuery } from "../src/api.ts";
import { ClientError } from "../src/errors.ts";
import { History } from "../src/history.ts";
import { Room } from "../src/room.ts";
import { awaitsConfirmation, type HistoryPage } from "../src/view.ts";
import { FakeRuntime } from "./fake-runtime.ts";

const pad = (position: number): string => String(position).padStart(19, "0");
const events = Array.from({ length: 9 }, (_, index): RoomEvent => ({
  type: "event",
  room: "lobby",
  position: pad(index + 1),
  prev: pad(index),
  kind: "message",
  id: `m${index + 1}`,
  user: { id: "u", name: "U" },
  body: "",
  at: 0,
}));

let runtime: FakeRuntime;
let room: Room;
let history: History;
let asked: HistoryQuery[];
let answers: (HistoryPage | ClientError)[];

const header = { room: "lobby", complete: false, provisional: false };

/** A view of these events, the end of a longer room. */
function open(shown: readonly RoomEvent[]): void {
  runtime = new FakeRuntime();
  room = new Room("lobby", () => {});
  [asked, answers] = [[], []];
  const answer = async (_token: string, _room: string, query: HistoryQuery): Promise<HistoryPage> => {
    asked.push(query);
    const next = answers.shift();
    if (next === undefined || next instanceof ClientError) throw next ?? new Error("asked too often");
    return next;
  };
  const api: Pick<Api, "history"> = { history: answer };
  const deps = { runtime, token: () => "t", onChange: () => {}, onSessionError: () => {} };
  history = new History(room, { ...deps, api: api as Api });
  room.startJoin();
  room.onJoined({ type: "joined", ...header, head: shown.at(-1)?.position ?? "" });
  room.onEvents(shown);
}

const isInDoubt = () => room.view !== undefined && awaitsConfirmation(room.view);
const refusal = (code: ErrorCode) => new ClientError(code, undefined, { retriable: false });
const whole: HistoryPage = { events: events.slice(0, 4), complete: true };

async function later(): Promise<void> {
  runtime.advance(60_000);
  await turn();
}

describe("what a reset left in doubt", () => {
  beforeEach(() => {
    open(events.slice(0, 6));
    room.onReset({ type: "reset", reason: "settled", ...header, head: pad(9) });
    room.onEvents(events.slice(4, 9));
  });

  it("is asked for until it is confirmed", async () => {
    answers = [new ClientError("unreachable"), whole];
    await history.load();
    expect([history.state, isInDoubt()]).toEqual(["failed", true]);
    await later();
    expect([history.state, isInDoubt(), room.view?.complete]).toEqual(["idle", false, true]);
    expect(asked.map(({ before }) => before)).toEqual([pad(5), pad(5)]);
  });

  it("[G4] is asked for again after a refusal while the room is open: another node may not know yet who was let in", async () => {
    answers = [refusal("not_member"), whole];
    await history.load();
    await later();
    expect([history.state, isInDoubt()]).toEqual(["idle", false]);
  });

  it("is not asked for after a refusal once this user is out of the room", async () => {
    answers = [refusal("not_member")];
    room.setOut();
    await history.load();
    await later();
    expect([asked.length, history.state]).toEqual([1, "failed"]);
  });

  it("[N5] is not confirmed by the store alone", async () => {
    answers = [{ events: events.slice(1, 4), complete: true, source: "store" }, whole];
    await history.load();
    expect(isInDoubt()).toBe(true);
    expect(room.view?.events).toEqual(events);
    await later();
    expect(isInDoubt()).toBe(false);
  });
});

it("[N5] older events that the store alone has brought are shown, and confirmed later", async () => {
  open(events.slice(4));
  answers = [{ events: events.slice(2, 4), complete: false, source: "store" }, whole];
  await history.load();
  expect([isInDoubt(), room.view?.events]).toEqual([true, events.slice(2)]);
  await later();
  expect([isInDoubt(), room.view?.events]).toEqual([false, events]);
});
