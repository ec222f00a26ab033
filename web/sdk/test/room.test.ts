/** A room's view under drops, repeats, cuts, new fences and late history equals the truth of its model server. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientFrame, RoomEvent } from "../../../functions/protocol.ts";
import { KEPT_EVENTS, Room, type OlderQuestion, type Outcome } from "../src/room.ts";
import { awaitsConfirmation, type HistoryPage } from "../src/view.ts";

type Join = Extract<ClientFrame, { type: "join" }>;
type Op =
  | { readonly kind: "append"; readonly isLost: boolean }
  | { readonly kind: "repeat"; readonly back: number }
  | { readonly kind: "cut" | "answerJoin" | "settle" | "askHistory" | "answerHistory" | "gapReset" }
  | { readonly kind: "askStore"; readonly lag: number }
  | { readonly kind: "fence"; readonly lost: number; readonly hidden: readonly number[] };

const PAGE = 5;
const HISTORY_PAGE = 3;
const pad = (position: number): string => String(position).padStart(19, "0");

/** One room on a server whose stream can lose its memory, and one client of it. */
class World {
  readonly room = new Room("lobby", (event) => this.announced.push(event.id));
  readonly announced: string[] = [];
  truth: RoomEvent[] = [];
  #head = 0;
  #fence = 0;
  /** Events that are in the truth but that no page shows before the store is settled. */
  #hidden = new Set<string>();
  #isSettled = true;
  #made = 0;
  #join: Join | undefined;
  #history: { readonly question: OlderQuestion; readonly page: HistoryPage } | undefined;

  constructor() {
    this.#startJoin();
  }

  run(op: Op): void {
    if (op.kind === "append") this.append(op.isLost);
    else if (op.kind === "repeat") this.#repeat(op.back);
    else if (op.kind === "cut") this.#cut();
    else if (op.kind === "answerJoin") this.answerJoin();
    else if (op.kind === "settle") this.settle();
    else if (op.kind === "askHistory") this.askHistory();
    else if (op.kind === "askStore") this.askHistory(op.lag);
    else if (op.kind === "answerHistory") this.answerHistory();
    else if (op.kind === "gapReset") this.#reset("gap");
    else if (op.kind === "fence") this.#newFence(op.lost, op.hidden);
  }

  append(isLost: boolean): void {
    const event = makeEvent(++this.#made, ++this.#head, this.#prev());
    this.truth.push(event);
    if (!isLost && this.room.isIn) this.#follow(this.room.onEvent(event));
  }

  answerJoin(): void {
    const join = this.#join;
    if (join === undefined) return;
    this.#join = undefined;
    const ref = 1;
    const canResume = join.after !== undefined && join.after >= pad(this.#fence);
    if (join.after !== undefined && !canResume) return this.#reset("fence", ref);
    const all = this.#visible();
    const events =
      join.after === undefined ? all.slice(-PAGE) : all.filter((e) => e.position > (join.after ?? ""));
    const complete = join.after === undefined && events.length === all.length;
    const provisional = !this.#isSettled && join.after === undefined;
    this.room.onJoined({ type: "joined", ref, room: "lobby", head: pad(this.#head), complete, provisional });
    this.#follow(this.room.onEvents(structuredClone(events)));
  }

  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#hidden.clear();
    this.#reset("settled");
  }

  /** With a lag it is the store that answers alone, and lacks every event at such a distance from the newest. */
  askHistory(lag = 0): void {
    const question = this.room.askOlder();
    if (question === undefined || this.#history !== undefined) return;
    const known = this.#visible().filter((_, index, all) => lag === 0 || (all.length - index) % lag !== 0);
    const older = known.filter(({ position }) => position < question.before);
    const events = older.slice(-HISTORY_PAGE);
    const source = lag === 0 ? {} : { source: "store" as const };
    this.#history = { question, page: { events, complete: events.length === older.length, ...source } };
  }

  answerHistory(): void {
    const answer = this.#history;
    this.#history = undefined;
    if (answer !== undefined) this.room.onOlder(answer.question, answer.page);
  }

  #newFence(lost: number, hidden: readonly number[]): void {
    this.truth = this.truth.slice(0, Math.max(0, this.truth.length - lost));
    this.#hidden = new Set(hidden.flatMap((back) => this.truth.at(-1 - back)?.id ?? []));
    this.#head += 10;
    this.#fence = this.#head;
    this.#isSettled = false;
    this.#reset("fence");
  }

  #reset(reason: "fence" | "gap" | "settled", ref?: number): void {
    if (ref === undefined && !this.room.isIn) return;
    const all = this.#visible();
    const events = all.slice(-PAGE);
    this.room.onReset({
      type: "reset",
      ...(ref === undefined ? {} : { ref }),
      room: "lobby",
      reason,
      head: pad(this.#head),
      complete: events.length === all.length,
      provisional: !this.#isSettled,
    });
    this.#follow(this.room.onEvents(structuredClone(events)));
  }

  #repeat(back: number): void {
    const event = this.truth.at(-1 - back);
    const isKnown = event !== undefined && this.room.isIn && event.position <= (this.room.view?.cursor ?? "");
    if (isKnown) expect(this.room.onEvent(event)).toBe("ok");
  }

  #cut(): void {
    this.room.setOut();
    this.#startJoin();
  }

  #startJoin(): void {
    this.#join = this.room.startJoin();
  }

  #follow(outcome: Outcome): void {
    if (outcome === "join" && !this.room.isJoining) this.#startJoin();
  }

  #visible(): readonly RoomEvent[] {
    return this.truth.filter(({ id }) => !this.#hidden.has(id));
  }

  #prev(): string {
    const last = this.truth.at(-1)?.position ?? pad(0);
    return last > pad(this.#fence) ? last : pad(this.#fence);
  }
}

function makeEvent(number: number, position: number, prev: string): RoomEvent {
  const user = { id: "u", name: "U" };
  const id = `m${number}`;
  return {
    type: "event",
    room: "lobby",
    position: pad(position),
    prev,
    kind: "message",
    id,
    user,
    body: id,
    at: 0,
  };
}

/** Everything that is under way comes to its end: answers arrive, the store settles, one more live event shows every hole. */
function comeToRest(world: World): void {
  world.answerHistory();
  for (let round = 0; round < 4; round++) world.answerJoin();
  world.settle();
  world.append(false);
  for (let round = 0; round < 4; round++) world.answerJoin();
  for (let view = world.room.view; view !== undefined && awaitsConfirmation(view); view = world.room.view) {
    world.askHistory();
    world.answerHistory();
  }
}

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("append"), isLost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat"), back: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cut") }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("answerJoin") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("settle") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("askHistory") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("askStore"), lag: fc.integer({ min: 2, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("answerHistory") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("gapReset") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fence"),
      lost: fc.nat(2),
      hidden: fc.array(fc.nat(8), { maxLength: 4 }),
    }),
  },
);

describe("a room's view", () => {
  it("[K1] [K2] [G4] equals the truth from where it begins, whatever was lost, repeated, cut or reset", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60, size: "max" }), (ops) => {
        const world = new World();
        for (const one of ops) world.run(one);
        comeToRest(world);
        const { view } = world.room;
        const shown = view?.events.map(({ id, position }) => `${id}@${position}`) ?? [];
        const truth = world.truth.map(({ id, position }) => `${id}@${position}`);
        expect(shown).toEqual(truth.slice(truth.length - shown.length));
        expect(shown.length).toBeGreaterThan(0);
        if (view?.complete) expect(shown.length).toBe(truth.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it("[K1] tells of each live event once", () => {
    const world = new World();
    world.answerJoin();
    world.append(false);
    world.run({ kind: "repeat", back: 0 });
    world.append(true);
    world.append(false);
    world.answerJoin();
    expect(world.announced).toEqual(["m1", "m2", "m3"]);
  });

  it("[K1] keeps the very objects of a view whose reset says the same, so that nothing is drawn anew", () => {
    const world = new World();
    world.answerJoin();
    for (let index = 0; index < 12; index++) world.append(false);
    const before = world.room.view?.events ?? [];
    world.run({ kind: "fence", lost: 0, hidden: [] });
    world.settle();
    const after = world.room.view?.events ?? [];
    expect(after.length).toBe(12);
    after.forEach((event, index) => expect(event).toBe(before[index]));
  });

  it("[K2] joins a provisional view without `after`, and a settled one with its cursor", () => {
    const world = new World();
    world.answerJoin();
    world.append(false);
    world.run({ kind: "fence", lost: 0, hidden: [] });
    world.room.setOut();
    expect(world.room.startJoin()).toEqual({ type: "join", room: "lobby" });
    world.room.setOut();
    world.run({ kind: "cut" });
    world.answerJoin();
    world.settle();
    expect(world.room.startJoin()).toEqual({ type: "join", room: "lobby", after: world.room.view?.cursor });
  });

  it("[K1] forgets what a page does not reach: a reader never sees both sides of a hole", () => {
    const world = new World();
    world.answerJoin();
    for (let index = 0; index < 3; index++) world.append(false);
    for (let index = 0; index < 20; index++) world.append(true);
    world.run({ kind: "gapReset" });
    expect(world.room.view?.events.map(({ id }) => id)).toEqual(["m19", "m20", "m21", "m22", "m23"]);
  });

  it("[K1] [K2] goes on from a view that was kept: shows it at once, resumes from it, and tells what came since", () => {
    const world = new World();
    world.answerJoin();
    for (let index = 0; index < 3; index++) world.append(false);
    const told: string[] = [];
    const kept = world.room.view;
    const room = new Room("lobby", ({ id }) => told.push(id), kept);
    expect(room.view).toBe(kept);
    expect(room.startJoin()).toEqual({ type: "join", room: "lobby", after: kept?.cursor });
    world.append(true);
    const [missed] = world.truth.slice(-1) as [RoomEvent];
    const header = { room: "lobby", head: missed.position, complete: true, provisional: false } as const;
    room.onJoined({ type: "joined", ...header });
    expect(room.onEvents([missed])).toBe("ok");
    expect(room.view?.events).toEqual(world.truth);
    expect(told).toEqual([missed.id]);
  });

  it.each([
    ["does not link on", [makeEvent(9, 9, pad(8))]],
    ["ends short of its head", [makeEvent(2, 2, pad(1))]],
  ])("joins afresh when a resume %s", (_, events) => {
    const world = new World();
    world.answerJoin();
    world.append(false);
    const { room } = world;
    room.setOut();
    room.startJoin();
    const header = { room: "lobby", head: pad(9), complete: false, provisional: false } as const;
    room.onJoined({ type: "joined", ...header });
    expect(room.onEvents(events)).toBe("join");
    expect(room.startJoin()).toEqual({ type: "join", room: "lobby" });
  });

  it("[K1] does not grow with what comes live, unless the reader has loaded more; what is let go can be loaded again", () => {
    const world = new World();
    world.answerJoin();
    const shown = () => world.room.view?.events ?? [];
    for (let count = 0; count <= 2 * KEPT_EVENTS; count++) world.append(false);
    expect(shown()).toEqual(world.truth.slice(-KEPT_EVENTS));
    expect(world.room.view?.complete).toBe(false);
    world.askHistory();
    world.answerHistory();
    expect(shown()).toEqual(world.truth.slice(-KEPT_EVENTS - HISTORY_PAGE));
    for (let count = 0; count < KEPT_EVENTS; count++) world.append(false);
    expect(shown()).toHaveLength(2 * KEPT_EVENTS + HISTORY_PAGE);
  });
});
