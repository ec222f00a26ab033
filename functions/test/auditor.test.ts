/** The auditor finds each kind of violation in forged histories, and nothing in a sound one: a test on it would else pass whatever is lost. */
import { expect, test } from "vitest";
import type { RoomEvent } from "../protocol.ts";
import {
  judge,
  VIOLATIONS,
  type ClientHistory,
  type Finding,
  type Histories,
  type Violation,
} from "./auditor.ts";
import { message, messages, place } from "./events.ts";

const ROOM = "room";
const rows = messages(ROOM, 120);
const [first, second] = rows as [RoomEvent, RoomEvent];

interface Forged extends Partial<Omit<ClientHistory, "shown" | "isComplete">> {
  readonly view?: readonly RoomEvent[];
  readonly complete?: boolean;
}

/** A client that said the first message, saw it saved, and shows everything. */
function client({ view = rows, complete = true, ...more }: Forged = {}): ClientHistory {
  return {
    name: "c",
    rooms: [ROOM],
    said: new Map([[first.id, { room: ROOM, body: first.body }]]),
    sent: new Map([[first.id, first.position]]),
    saved: new Set([first.id]),
    waiting: 0,
    faults: [],
    resets: 0,
    shown: () => view,
    isComplete: () => complete,
    ...more,
  };
}

function kindsOf(more: Partial<Histories> = {}, forged: Forged = {}): Violation[] {
  const histories = { clients: [client(forged)], rows: new Map([[ROOM, rows]]), log: rows, ...more };
  return [...new Set(judge(histories).findings.map(({ kind }) => kind))].sort();
}

const without = (...gone: readonly RoomEvent[]) =>
  new Map([[ROOM, rows.filter((row) => !gone.includes(row))]]);
const instead = (row: RoomEvent) => new Map([[ROOM, [row, ...rows.slice(1)]]]);
const told = (kind: Violation): readonly Finding[] => [{ kind, text: "seen by the client itself" }];
const absences = [{ room: ROOM, user: "c", fromMs: 100, untilMs: 200 }];
const at = (...times: readonly number[]) => times.map((atMs) => ({ room: ROOM, atMs }));
const unsaved = {
  said: new Map([["x", { room: ROOM, body: "b" }]]),
  sent: new Map([["x", place(300)]]),
  saved: new Set<string>(),
};

test("sound histories have no violation", () => {
  expect(kindsOf()).toEqual([]);
  expect(kindsOf({ whole: true })).toEqual([]);
  expect(kindsOf({}, { view: rows.slice(-50), complete: false })).toEqual([]);
  expect(kindsOf({ whole: true }, { view: rows.slice(-50), complete: false, resets: 1 })).toEqual([]);
  expect(kindsOf({ log: [...rows, second] }), "the log may repeat itself").toEqual([]);
  expect(kindsOf({ absences }, { hearings: at(99, 200) }), "it was a member then").toEqual([]);
  expect(kindsOf({ absences }, { hearings: at(150), name: "d" }), "another was away").toEqual([]);
  expect(kindsOf({}, { leftRooms: new Set([ROOM]), view: [] }), "nobody looks at a closed view").toEqual([]);
  expect(kindsOf({}, { isGone: true, view: [], waiting: 3 }), "nobody looks at who is gone").toEqual([]);
});

/** One forgery at least for each kind; where another kind can't but show as well, it is named too. */
const forgeries: readonly (readonly [Violation, string, Partial<Histories>, Forged?, Violation[]?])[] = [
  [
    "saved_lost",
    "a saved message is not stored",
    { rows: without(first), log: rows.slice(1) },
    { view: rows.slice(1) },
  ],
  ["saved_changed", "it is stored with another body", { rows: instead({ ...first, body: "!" }) }],
  [
    "saved_moved",
    "it is stored where it was not acknowledged",
    {},
    { sent: new Map([[first.id, place(500)]]) },
  ],
  ["sent_lost", "a sent message is nowhere", {}, unsaved],
  [
    "sent_moved",
    "a sent message is stored elsewhere",
    { whole: true },
    { sent: new Map([[first.id, place(500)]]), saved: new Set() },
  ],
  [
    "stored_twice",
    "an id has two rows",
    { rows: new Map([[ROOM, [...rows, { ...second, position: place(200) }]]]) },
    {},
    ["log_unstored", "stored_unlogged", "view_lacks"],
  ],
  [
    "position_reused",
    "two rows at one position",
    { rows: new Map([[ROOM, [first, ...rows]]]).set(ROOM, [message(ROOM, 0), ...rows]) },
    {},
    ["stored_unlogged", "view_lacks"],
  ],
  [
    "position_reused",
    "two clients were told the same place",
    {},
    { ...unsaved, sent: new Map([["x", first.position]]) },
    ["sent_lost"],
  ],
  [
    "position_reused",
    "the log holds two at one place",
    { log: [...rows, message(ROOM, 0)] },
    {},
    ["log_unstored"],
  ],
  ["log_unstored", "a record of the log is not stored", { log: [...rows, message(ROOM, 300)] }],
  ["stored_unlogged", "a row was never on the log", { log: rows.slice(1) }],
  ["view_lacks", "nothing is shown", {}, { view: [], complete: false }],
  ["view_lacks", "the last message is not shown", {}, { view: rows.slice(0, -1) }],
  ["view_lacks", "one in the midst is not shown", {}, { view: rows.filter((_, index) => index !== 90) }],
  ["view_lacks", "less than the newest page is shown", {}, { view: rows.slice(-49), complete: false }],
  [
    "view_lacks",
    "a view begins late where nothing was reset",
    { whole: true },
    { view: rows.slice(-50), complete: false },
  ],
  ["view_extra", "one is shown that is not stored", {}, { view: [...rows, message(ROOM, 200)] }],
  [
    "view_order",
    "two are shown in the wrong order",
    {},
    { view: [...rows.slice(0, 60), ...rows.slice(60, 62).toReversed(), ...rows.slice(62)] },
  ],
  ["complete_hole", "a complete view begins late", {}, { view: rows.slice(-50) }],
  [
    "heard_after_left",
    "a frame of a room that it had left was told",
    {},
    { faults: told("heard_after_left") },
  ],
  ["heard_after_left", "it was told of the room while it was no member", { absences }, { hearings: at(100) }],
  ["shut_out", "a member was told to leave", {}, { faults: told("shut_out") }],
  ["stranger", "a message of a foreign room was told", {}, { faults: told("stranger") }],
  ["shown_moved", "a message was shown at two places", {}, { faults: told("shown_moved") }],
  ["refused", "an error for good", {}, { faults: told("refused") }],
  ["outbox", "an outbox did not empty", {}, { waiting: 1 }],
  ["alarm", "the core raised an alarm", {}, { faults: told("alarm") }],
  ["unsettled", "the system did not come to rest", {}, { faults: told("unsettled") }],
];

for (const [kind, what, histories, forged = {}, besides = []] of forgeries)
  test(`${kind}: ${what}`, () => expect(kindsOf(histories, forged)).toEqual([kind, ...besides].sort()));

test("every kind of violation has its forgery", () => {
  expect(new Set(forgeries.map(([kind]) => kind))).toEqual(new Set(Object.keys(VIOLATIONS)));
});

test("a loss that is excused is counted with its reason, and a saved message never is", () => {
  const excuse = (): string => "Redis lost it";
  const lost = judge({ clients: [client(unsaved)], rows: new Map([[ROOM, rows]]), excuse });
  expect(lost.findings).toEqual([]);
  expect(lost.losses).toEqual([`x of c at ${place(300)}: Redis lost it`]);
  expect(kindsOf({ rows: without(first), log: rows.slice(1), excuse }, { view: rows.slice(1) })).toEqual([
    "saved_lost",
  ]);
});
