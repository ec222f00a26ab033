/** What every room stream, feed and outbox promises, run against each adapter. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeAt, encodeDraft } from "../core/event.ts";
import { fromMs, max, next, previous, ZERO, type Position } from "../core/position.ts";
import {
  partitionOf,
  StaleFenceError,
  type Appended,
  type EventDraft,
  type Fence,
  type RoomFeed,
  type RoomOutbox,
  type RoomStream,
  type StreamEvent,
} from "../core/room-stream.ts";
import { newId } from "./events.ts";
import { waitFor } from "./wait-for.ts";

export interface StreamConnection {
  readonly stream: RoomStream & RoomOutbox;
  readonly feed: RoomFeed;
}

/** One empty memory. Each `connect` is a node of its own. */
export interface StreamWorld {
  connect(): Promise<StreamConnection>;
  /** Everything is gone; process and connections stay. */
  flush(): Promise<void>;
  /** Cuts every connection; nothing is lost from the memory. */
  cut(): Promise<void>;
  /** Comes back empty, as another process. */
  restart(): Promise<void>;
  /** Takes a snapshot; what is returned comes back with it, as another process. */
  snapshot(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface StreamWorldOptions {
  readonly roomEntriesMax: number;
}

export const ROOM = "general";
const PARTITION = partitionOf(ROOM);
const HOUR_MS = 3_600_000;

export function draftOf(body: string, room = ROOM, id = newId()): EventDraft {
  return encodeDraft({ room, id, user: { id: "u1", name: "Ada" }, body });
}

/** Opens as soon as the connection stands. */
export function opened(stream: RoomStream, known?: Fence, floor = ZERO): Promise<Fence> {
  const opening = { nowMs: Date.now(), floor, ...(known && { known }) };
  return waitFor(() => stream.open(PARTITION, opening).catch(() => undefined), "a fence");
}

export async function appendMany(stream: RoomStream, fence: Fence, count: number): Promise<Appended[]> {
  const drafts = Array.from({ length: count }, (_, n) => draftOf(`message ${n}`));
  return Promise.all(drafts.map((draft) => stream.append(draft, fence, ZERO)));
}

function positions(events: readonly StreamEvent[]): Position[] {
  return events.map(({ position }) => position);
}

function expectChain(events: readonly StreamEvent[], start: Position): void {
  const prevs = events.map(({ prev }) => prev);
  expect(prevs).toEqual([start, ...positions(events).slice(0, -1)].slice(0, events.length));
  expect(positions(events)).toEqual([...new Set(positions(events))].sort());
}

export function describeRoomStream(
  name: string,
  createWorld: (options?: StreamWorldOptions) => Promise<StreamWorld>,
): void {
  describe(`${name} room stream`, () => {
    let world: StreamWorld;
    let stream: RoomStream & RoomOutbox;
    let feed: RoomFeed;

    beforeEach(async () => {
      world = await createWorld();
      ({ stream, feed } = await world.connect());
    });
    afterEach(() => world.close());

    it("[S3] links each event to the one before, the first to the fence", async () => {
      const fence = await opened(stream);
      const appended = await appendMany(stream, fence, 20);
      const { events, head } = await stream.readAfter(ROOM, fence, ZERO, 100);
      expect(positions(events)).toEqual(appended.map(({ position }) => position));
      expectChain(events, fence.position);
      expect(head).toBe(events.at(-1)?.position);
    });

    it("[S2] answers a repeat with the first place and changes nothing", async () => {
      const fence = await opened(stream);
      const draft = draftOf("once");
      const first = await stream.append(draft, fence, ZERO);
      await stream.append(draftOf("between"), fence, ZERO);
      const before = await stream.readNewest(ROOM, fence, 100);
      expect(first.repeated).toBe(false);
      expect(await stream.append(draft, fence, ZERO)).toEqual({ ...first, repeated: true });
      expect(await stream.readNewest(ROOM, fence, 100)).toEqual(before);
    });

    it.each([
      ["emoji", "👩‍👩‍👧‍👦 🏳️‍🌈 𝒳"],
      ["quotes and backslashes", `"it's" \\ \\" \\u0041 %d %s`],
      ["right to left", "שלום مرحبا \u202eabc\u202c"],
      ["control characters", "\u0000\u0001\t\r\n\u007f\u2028\u2029"],
      ["a lone surrogate", "\ud800"],
    ])("writes the JSON that encodeAt writes, byte for byte: %s", async (_, body) => {
      const fence = await opened(stream);
      const draft = draftOf(body);
      const { position, prev } = await stream.append(draft, fence, ZERO);
      const { events } = await stream.readNewest(ROOM, fence, 1);
      expect(events).toEqual([{ position, prev, json: encodeAt(draft, position, prev) }]);
    });

    it("[S3] appends above the floor, also when that is far ahead of the clock", async () => {
      const fence = await opened(stream);
      const floor = fromMs(Date.now() + HOUR_MS);
      const first = await stream.append(draftOf("a"), fence, floor);
      const second = await stream.append(draftOf("b"), fence, ZERO);
      expect(first.position).toBe(next(floor));
      expect(second).toEqual({ position: next(first.position), prev: first.position, repeated: false });
    });

    it("[S3] carries the counter of a full millisecond over", async () => {
      const fence = await opened(stream);
      const ahead = fromMs(Date.now() + HOUR_MS);
      const { position } = await stream.append(draftOf("a"), fence, previous(previous(ahead)));
      const after = await stream.append(draftOf("b"), fence, ZERO);
      expect([position, after.position]).toEqual([previous(ahead), ahead]);
    });

    const losses: [string, () => Promise<() => Promise<void>>][] = [
      ["a flush", async () => () => world.flush()],
      ["a restart", async () => () => world.restart()],
      ["the restore of an older snapshot", () => world.snapshot()],
    ];

    it.each(losses)("[N1] never reuses or lowers a position after %s", async (_, prepare) => {
      const fence = await opened(stream);
      await appendMany(stream, fence, 3);
      const lose = await prepare();
      // An hour ahead: to the memory that comes back this is as if its clock had gone back.
      const last = await stream.append(draftOf("lost"), fence, fromMs(Date.now() + HOUR_MS));
      await lose();
      const later = await opened(stream, fence, last.position);
      expect(later.position > last.position).toBe(true);
      const { position, prev } = await stream.append(draftOf("new"), later, ZERO);
      expect(prev).toBe(later.position);
      expect(position > later.position).toBe(true);
    });

    it("[N1] sets no fence below the one that the caller knows", async () => {
      const known = { position: fromMs(Date.now() + HOUR_MS), memory: "another" };
      expect((await opened(stream, known)).position).toBe(next(known.position));
    });

    it.each(losses)("[S1] refuses a stale caller after %s and changes nothing", async (_, prepare) => {
      const other = await world.connect();
      const stale = await opened(stream);
      await opened(other.stream);
      await (
        await prepare()
      )();
      const fence = await opened(other.stream, stale);
      await opened(stream);
      expect(fence.position > stale.position).toBe(true);
      const calls = [
        stream.append(draftOf("x"), stale, ZERO),
        stream.readAfter(ROOM, stale, ZERO, 1),
        stream.readNewest(ROOM, stale, 1),
        stream.find(ROOM, stale, newId()),
      ];
      for (const call of await Promise.allSettled(calls))
        expect(call).toMatchObject({ status: "rejected", reason: expect.any(StaleFenceError) as unknown });
      expect(await stream.entries(ROOM, ZERO, 10)).toEqual({ events: [], length: 0 });
      expect(await stream.activeRooms(PARTITION)).toEqual([]);
    });

    it("[N1] counts a fence only on the connection where it was opened", async () => {
      const fence = await opened(stream);
      await stream.append(draftOf("a"), fence, ZERO);
      const other = await world.connect();
      await expect(other.stream.append(draftOf("b"), fence, ZERO)).rejects.toThrow(StaleFenceError);
      await world.cut();
      await waitFor(() => stream.inspect(PARTITION, []).catch(() => undefined), "the connection");
      await expect(stream.append(draftOf("c"), fence, ZERO)).rejects.toThrow(StaleFenceError);
      expect(await opened(stream, fence)).toEqual(fence);
      await stream.append(draftOf("d"), fence, ZERO);
      expect((await stream.entries(ROOM, ZERO, 10)).length).toBe(2);
    });

    it("[N1] opens to the same fence while the memory lives, unless the caller knows a higher one", async () => {
      const other = await world.connect();
      const fence = await opened(stream);
      expect(await opened(stream)).toEqual(fence);
      expect(await opened(other.stream, fence)).toEqual(fence);
      const higher = await opened(stream, { ...fence, position: next(fence.position) });
      expect(higher.position > next(fence.position)).toBe(true);
      expect(await opened(other.stream, fence)).toEqual(higher);
      const highest = await opened(other.stream, { ...higher, position: next(higher.position) });
      expect(highest.position > higher.position).toBe(true);
    });

    it("reads ranges at every edge", async () => {
      const fence = await opened(stream);
      expect(await stream.readAfter(ROOM, fence, ZERO, 10)).toEqual({ events: [], head: fence.position });
      expect(await stream.readNewest(ROOM, fence, 10)).toEqual({ events: [], head: fence.position });
      const all = (await appendMany(stream, fence, 5)).map(({ position }) => position);
      const head = max(ZERO, ...all);
      await stream.trim(ROOM, all[1] ?? ZERO);
      const read = async (after: Position, limit = 10) => {
        const tail = await stream.readAfter(ROOM, fence, after, limit);
        expect(tail.head).toBe(head);
        return positions(tail.events);
      };
      expect(await read(ZERO)).toEqual(all.slice(2));
      expect(await read(all[0] ?? ZERO)).toEqual(all.slice(2));
      expect(await read(all[1] ?? ZERO, 1)).toEqual(all.slice(2, 3));
      expect(await read(previous(all[3] ?? ZERO))).toEqual(all.slice(3));
      expect(await read(head)).toEqual([]);
      expect(await read(next(head))).toEqual([]);
      expect(positions((await stream.readNewest(ROOM, fence, 2)).events)).toEqual(all.slice(3));
      expect(positions((await stream.readNewest(ROOM, fence, 10)).events)).toEqual(all.slice(2));
      const below = await stream.readNewest(ROOM, fence, 1, all[4]);
      expect(below).toMatchObject({ events: [{ position: all[3] }], head });
      expect((await stream.readNewest(ROOM, fence, 10, all[2])).events).toEqual([]);
    });

    it("finds an id in its own room alone, also after its entry was trimmed", async () => {
      const fence = await opened(stream);
      const draft = draftOf("a");
      const { position, prev } = await stream.append(draft, fence, ZERO);
      await stream.trim(ROOM, position);
      expect(await stream.find(ROOM, fence, draft.id)).toEqual({ position, prev });
      expect(await stream.find(ROOM, fence, newId())).toBeUndefined();
    });

    it("[N3] inspects fence and heads, and sees a flush", async () => {
      const fence = await opened(stream);
      const [appended] = await appendMany(stream, fence, 1);
      expect(await stream.inspect(PARTITION, [ROOM])).toEqual({
        fence: fence.position,
        heads: [appended?.position],
      });
      await world.flush();
      expect(await stream.inspect(PARTITION, [ROOM])).toEqual({ heads: [ZERO] });
    });

    it("[N3] sees that an older memory came back, though it holds the fence and all that was there", async () => {
      const [appended] = await appendMany(stream, await opened(stream), 1);
      const restore = await world.snapshot();
      await restore();
      const state = await waitFor(
        () => stream.inspect(PARTITION, [ROOM]).catch(() => undefined),
        "it to be back",
      );
      expect(state).toEqual({ heads: [appended?.position] });
    });

    it("[C5] tells the fence of the present memory alone", async () => {
      expect(await stream.fenceOf(PARTITION)).toBeUndefined();
      const fence = await opened(stream);
      expect(await stream.fenceOf(PARTITION)).toBe(fence.position);
      const restore = await world.snapshot();
      await restore();
      const answer = await waitFor(
        () =>
          stream.fenceOf(PARTITION).then(
            (found) => ({ found }),
            () => undefined,
          ),
        "the connection",
      );
      expect(answer.found).toBeUndefined();
      const present = await opened(stream, fence);
      expect(await stream.fenceOf(PARTITION)).toBe(present.position);
      await world.flush();
      expect(await stream.fenceOf(PARTITION)).toBeUndefined();
    });

    it("[S4] breaks no link when two write at once", async () => {
      const other = await world.connect();
      const fence = await opened(stream);
      await opened(other.stream);
      await Promise.all([appendMany(stream, fence, 250), appendMany(other.stream, fence, 250)]);
      const { events, length } = await stream.entries(ROOM, ZERO, 1000);
      expect(length).toBe(500);
      expectChain(events, fence.position);
    });

    it("[S4] lets a subscriber hear each event in order, with its fence, and only of its rooms", async () => {
      const heard: [string, Position, StreamEvent][] = [];
      feed.listen({ onEvent: (...event) => heard.push(event), onInterrupted: () => undefined });
      await feed.subscribe(ROOM);
      await feed.subscribe(ROOM);
      const fence = await opened(stream);
      await appendMany(stream, fence, 50);
      await waitFor(() => heard.length >= 50, "50 events");
      const { events } = await stream.entries(ROOM, ZERO, 100);
      expect(heard).toEqual(events.map((event) => [ROOM, fence.position, event]));
      await feed.unsubscribe(ROOM);
      const other = await world.connect();
      const late: StreamEvent[] = [];
      other.feed.listen({
        onEvent: (_room, _fence, event) => late.push(event),
        onInterrupted: () => undefined,
      });
      await other.feed.subscribe(ROOM);
      await appendMany(stream, fence, 1);
      await waitFor(() => late.length === 1, "the other subscriber's event");
      expect(heard).toHaveLength(50);
    });

    it("[N3] tells a subscriber of an interruption, and lets it hear again without being asked", async () => {
      const heard: StreamEvent[] = [];
      let interruptions = 0;
      feed.listen({
        onEvent: (_room, _fence, event) => heard.push(event),
        onInterrupted: () => interruptions++,
      });
      await feed.subscribe(ROOM);
      const before = interruptions;
      await world.cut();
      await waitFor(() => interruptions > before, "onInterrupted");
      // It was cut off from all servers, and not all are back at once: what it missed meanwhile is for the caller to find.
      const isHeard = async () => {
        await appendMany(stream, await opened(stream), 1);
        return heard.length > 0;
      };
      await waitFor(isHeard, "an event after the interruption");
      const isWhole = () =>
        feed.probe().then(
          () => true,
          () => false,
        );
      await waitFor(isWhole, "every connection to be back");
    });

    it("[C4] is the outbox: active rooms, entries, trim and retire", async () => {
      const fence = await opened(stream);
      expect(await stream.activeRooms(PARTITION)).toEqual([]);
      expect(await stream.trim(ROOM, fence.position)).toBe(0);
      const all = (await appendMany(stream, fence, 4)).map(({ position }) => position);
      expect(await stream.activeRooms(PARTITION)).toEqual([ROOM]);
      expect(await stream.activeRooms((PARTITION + 1) % 128)).toEqual([]);
      const { events, length } = await stream.entries(ROOM, all[0] ?? ZERO, 2);
      expect([positions(events), length]).toEqual([all.slice(1, 3), 4]);
      expect(await stream.trim(ROOM, all[1] ?? ZERO)).toBe(2);
      expect(positions((await stream.entries(ROOM, ZERO, 10)).events)).toEqual(all.slice(2));
      await stream.retire(ROOM, HOUR_MS);
      expect(await stream.activeRooms(PARTITION)).toEqual([ROOM]);
      await stream.retire(ROOM, 0);
      expect(await stream.activeRooms(PARTITION)).toEqual([]);
    });

    it("[S4] refuses with room_full, and takes more once entries were trimmed", async () => {
      const small = await createWorld({ roomEntriesMax: 2 });
      try {
        const { stream: full } = await small.connect();
        const fence = await opened(full);
        const draft = draftOf("a");
        const first = await full.append(draft, fence, ZERO);
        await full.append(draftOf("b"), fence, ZERO);
        await expect(full.append(draftOf("c"), fence, ZERO)).rejects.toMatchObject({ code: "room_full" });
        expect(await full.append(draft, fence, ZERO)).toEqual({ ...first, repeated: true });
        await full.trim(ROOM, first.position);
        expect((await full.append(draftOf("d"), fence, ZERO)).repeated).toBe(false);
      } finally {
        await small.close();
      }
    });
  });
}
