/** Read marks on the product itself, on embedded engines and over two nodes on real ones; and what a node does when the store is slow or away. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Audience } from "../core/audience.ts";
import type { Frame } from "../core/frame.ts";
import type { Notices } from "../core/notices.ts";
import { ReadMarks, type ReadMark } from "../core/read-marks.ts";
import { ChatError } from "../lib/errors.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { NO_POSITION } from "../protocol.ts";
import { Person, say, sinceOf } from "./api-client.ts";
import { describeEngine } from "./engines.ts";
import { place } from "./events.ts";
import { startWorld } from "./faults/world.ts";
import { startEmbedded, type Embedded } from "./harness.ts";
import { SteppedRuntime } from "./stepped-runtime.ts";
import type { RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

const LARGEST = "9223372036854775807";

interface Listed {
  readonly id: string;
  readonly read?: string;
  readonly unread?: number;
}

async function listed(person: Person, room: string): Promise<Listed | undefined> {
  const { rooms } = await person.do("GET", "/rooms?mine=true");
  return (rooms as Listed[]).find(({ id }) => id === room);
}

/** Until what a node has just written is counted. */
function listedWith(person: Person, room: string, wanted: Partial<Listed>): Promise<unknown> {
  const has = (found: Listed | undefined) =>
    Object.entries(wanted).every(([name, value]) => found?.[name as keyof Listed] === value);
  return waitFor(async () => has(await listed(person, room)), `the list to say ${JSON.stringify(wanted)}`);
}

const heads = (client: RawClient, room: string): string[] => [
  sinceOf(client, room),
  ...client.frames.flatMap((frame) =>
    frame.type === "event" && frame.room === room ? [frame.position] : [],
  ),
];

function describeMarks(urls: () => readonly string[]): void {
  let owner: Person;
  let reader: Person;
  let room: string;
  let speaker: RawClient;
  let devices: RawClient[];
  beforeEach(async () => {
    owner = await Person.on(urls(), "Olga");
    reader = await Person.on(urls(), "Rita");
    room = await owner.room("public");
    speaker = await owner.joined(room);
    devices = await Promise.all([0, 1].map((n) => reader.joined(room, n)));
    return () => [speaker, ...devices].forEach((client) => client.close());
  });

  async function hear(count: number): Promise<string[]> {
    for (let n = 0; n < count; n++) expect(await say(speaker, room, `message ${n}`)).toBe("sent");
    await Promise.all(
      devices.map((device) => waitFor(() => heads(device, room).length > count, "every message to be heard")),
    );
    return heads(devices[0] as RawClient, room).slice(1);
  }

  it("are the same on all devices of a person and nobody else's, and the list counts from them", async () => {
    const [, second = "", third = ""] = await hear(3);
    await listedWith(reader, room, { unread: 3 });
    const [phone, laptop] = devices as [RawClient, RawClient];
    const mark = { type: "read", room, position: second } as const;
    expect(await phone.ask(mark)).toMatchObject(mark);
    expect(await laptop.next("read")).toEqual(mark);
    await listedWith(reader, room, { read: second, unread: 1 });
    expect(await laptop.ask({ ...mark, position: third })).toMatchObject({ position: third });
    await waitFor(
      () => phone.frames.some((frame) => frame.type === "read" && frame.position === third),
      "the phone to hear of the laptop",
    );
    await listedWith(reader, room, { read: third, unread: 0 });
    expect(speaker.frames.filter(({ type }) => type === "read")).toEqual([]);
    expect((await listed(owner, room))?.unread).toBe(0);
  });

  it("only rise, and not above what the room has", async () => {
    const [first = "", second = ""] = await hear(2);
    const [phone] = devices as [RawClient];
    const ask = (position: string) => phone.ask({ type: "read", room, position });
    expect(await ask(LARGEST)).toMatchObject({ type: "read", position: second });
    expect(await ask(first)).toMatchObject({ type: "read", position: second });
    expect(await ask(NO_POSITION)).toMatchObject({ type: "read", position: second });
    await listedWith(reader, room, { read: second, unread: 0 });
    await hear(1);
    await listedWith(reader, room, { read: second, unread: 1 });
  });

  it("[G13] are only for those who have joined the room", async () => {
    const [phone] = devices as [RawClient];
    expect(await phone.ask({ type: "leave", room })).toMatchObject({ type: "left" });
    expect(await phone.ask({ type: "read", room, position: LARGEST })).toMatchObject({ code: "not_member" });
  });
}

describe("read marks on embedded engines", () => {
  let running: Embedded;
  beforeAll(async () => void (running = await startEmbedded()), 60_000);
  afterAll(async () => void (await running?.stop()));
  describeMarks(() => [running.url]);

  it("are in the list that is asked for right after", async () => {
    const reader = await Person.on([running.url], "Rita");
    const room = await reader.room("private");
    const client = await reader.joined(room);
    for (let n = 0; n < 5; n++) {
      expect(await say(client, room, "to myself")).toBe("sent");
      const answer = await client.ask({ type: "read", room, position: LARGEST });
      expect(await listed(reader, room)).toMatchObject({ read: answer.type === "read" && answer.position });
    }
    client.close();
  });

  it("are there after a restart", async () => {
    const reader = await Person.on([running.url], "Rita");
    const room = await reader.room("private");
    const client = await reader.joined(room);
    expect(await say(client, room, "to myself")).toBe("sent");
    const answer = await client.ask({ type: "read", room, position: LARGEST });
    await running.restart();
    expect((await listed(reader, room))?.read).toBe(answer.type === "read" && answer.position);
  }, 60_000);
});

describeEngine(["control"], "read marks on real engines, over two nodes", () => {
  let urls: readonly string[];
  let world: Awaited<ReturnType<typeof startWorld>>;
  beforeAll(async () => {
    world = await startWorld("marks");
    const [first, second] = await Promise.all([world.node(), world.node(), world.consumer()]);
    urls = [first.url, second.url];
  }, 120_000);
  afterAll(async () => void (await world?.close()), 60_000);
  describeMarks(() => urls);
});

describe("read marks of one node", () => {
  const ADA = "ada";
  let runtime: SteppedRuntime;
  let audience: Audience;
  let calls: (readonly ReadMark[])[];
  let answer: (marks: readonly ReadMark[]) => Promise<readonly ReadMark[]>;
  let announced: (readonly ReadMark[])[];
  let hear: (marks: readonly ReadMark[]) => void;
  let marks: ReadMarks;
  beforeEach(() => {
    runtime = new SteppedRuntime();
    audience = new Audience();
    [calls, announced] = [[], []];
    answer = async (given) => given;
    const notices: Notices = {
      announce: async () => {},
      announceReadMarks: async (given) => void announced.push(given),
      onNotice: () => {},
      onReadMarks: (listener) => (hear = listener),
    };
    const raise = (given: readonly ReadMark[]) => (calls.push(given), answer(given));
    marks = new ReadMarks({ store: { raise }, audience, notices, runtime, logger });
    return () => marks.close();
  });

  const mark = (n: number, room = "r", user = ADA): ReadMark => ({ user, room, position: place(n) });
  function device(user = ADA) {
    const told: string[] = [];
    const session = {
      standingChanged: () => {},
      send: ({ text }: Frame) => void told.push((JSON.parse(text) as { position: string }).position),
    };
    audience.add(user, session);
    return { told, session };
  }

  it("are told to the other sessions at once and once, whatever the store does", () => {
    answer = () => new Promise(() => {});
    const [phone, laptop, other] = [device(), device(), device("ben")];
    for (const n of [1, 3, 2, 3]) marks.raise(mark(n), phone.session);
    expect([phone.told, laptop.told, other.told]).toEqual([[], [place(1), place(3)], []]);
  });

  it("are written together, the last of each, and only when there are some", async () => {
    const { session } = device();
    for (let n = 0; n < 100; n++) marks.raise(mark(n), session);
    marks.raise(mark(7, "s"), session);
    await runtime.pass(5_000);
    expect(calls).toEqual([[mark(99), mark(7, "s")]]);
    expect(announced).toEqual(calls);
  });

  it("wait while the store is away, so many and no more, and are written when it is back", async () => {
    answer = () => Promise.reject(new ChatError("unavailable", "away"));
    const { session } = device();
    for (let n = 0; n < 10_005; n++) marks.raise(mark(1, `r${n}`), session);
    await runtime.pass(5_000);
    expect(announced).toEqual([]);
    answer = async (given) => given;
    calls = [];
    await runtime.pass(5_000);
    const written = calls.flat();
    expect([written.length, written[0], written.at(-1)]).toEqual([10_000, mark(1, "r5"), mark(1, "r10004")]);
    expect(Math.max(...calls.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
  });

  it("one that rises while it is written is written again", async () => {
    const { session } = device();
    let finish = () => {};
    answer = (given) => new Promise((resolve) => (finish = () => resolve(given)));
    marks.raise(mark(1), session);
    await runtime.pass(1_500);
    marks.raise(mark(2), session);
    finish();
    answer = async (given) => given;
    await runtime.pass(5_000);
    expect(calls).toEqual([[mark(1)], [mark(2)]]);
  });

  it("a higher one of the store is told to everybody, the one who asked too", async () => {
    answer = async () => [mark(9)];
    const phone = device();
    expect(marks.raise(mark(1), phone.session)).toBe(place(1));
    await runtime.pass(2_000);
    expect(phone.told).toEqual([place(9)]);
    expect(marks.raise(mark(5), phone.session)).toBe(place(9));
  });

  it("those of another node are told here, and not written again", async () => {
    const laptop = device();
    hear([mark(4), mark(3), mark(8, "r", "ben")]);
    await runtime.pass(5_000);
    expect([laptop.told, calls]).toEqual([[place(4)], []]);
  });

  it("a list waits for one's own to be in the store, and for nobody else's", async () => {
    const { session } = device();
    marks.raise(mark(1), session);
    marks.raise(mark(2, "r", "ben"), session);
    await marks.save(ADA);
    expect(calls).toEqual([[mark(1)]]);
  });
});
