/** History while the store is away: what the stream has, linked without a gap and marked as such, or a retriable error. */
import { beforeEach, describe, expect, test } from "vitest";
import { StreamMemory, type MemoryRoomStream } from "../adapters/room-stream-memory.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";
import { decodeEvent, encodeDraft } from "../core/event.ts";
import { deletedSubject, DeletedUsers } from "../core/deleted-users.ts";
import { Fences } from "../core/fences.ts";
import { History, type HistoryPage, type Range } from "../core/history.ts";
import { next, previous, ZERO, type Position } from "../core/position.ts";
import type { EventStore } from "../core/store.ts";
import { ChatError } from "../lib/errors.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { DELETED_NAME, LOBBY, type RoomEvent } from "../protocol.ts";
import { newId } from "./events.ts";

/** A store that does not answer. */
const away = new Proxy({} as EventStore, {
  get: () => () => Promise.reject(new ChatError("unavailable", "The store does not answer.")),
});

let memory: StreamMemory;
let stream: MemoryRoomStream;
let fences: Fences;
let history: History;
let deletedUsers: DeletedUsers;
let positions: Position[];

beforeEach(async () => {
  memory = new StreamMemory(runtime);
  stream = memory.connect();
  fences = new Fences({ stream, runtime, metrics: createMetrics(), logger });
  deletedUsers = new DeletedUsers();
  history = new History({
    stream,
    fences,
    deletedUsers,
    store: away,
    isStoreAway: () => false,
    isStreamAway: () => false,
  });
  positions = [];
  await append(10);
});

async function append(count: number): Promise<void> {
  const fence = await fences.of(LOBBY);
  for (let n = 0; n < count; n++) {
    const draft = encodeDraft({ room: LOBBY, id: newId(), user: { id: "u", name: "Ada" }, body: `${n}` });
    positions.push((await stream.append(draft, fence, fences.floor)).position);
  }
}

const read = (range: Range, limit = 50) => history.read(LOBBY, range, limit);
const placesOf = ({ events }: HistoryPage) => events.map(({ position }) => position);
const refusal = (range: Range) =>
  read(range).then(
    () => "answered",
    (error: unknown) => (error instanceof ChatError ? error.code : String(error)),
  );
const at = (index: number): Position => positions.at(index) ?? ZERO;

test("[G8] the newest events come from the stream, which is said, and there may be older ones", async () => {
  const page = await read({ before: undefined }, 4);
  expect(page).toMatchObject({ complete: false, source: "stream" });
  expect(placesOf(page)).toEqual(positions.slice(-4));
});

test("[G8] paging back goes on as far as the stream reaches, and is refused beyond", async () => {
  expect(placesOf(await read({ before: at(6) }, 4))).toEqual(positions.slice(2, 6));
  expect(placesOf(await read({ before: at(2) }, 4))).toEqual(positions.slice(0, 2));
  expect(placesOf(await read({ before: next(at(-1)) }, 4))).toEqual(positions.slice(-4));
  expect(await refusal({ before: at(0) })).toBe("unavailable");
});

test("[G8] paging forward starts at an event that is there, and is complete at the head", async () => {
  const part = await read({ after: at(2) }, 3);
  expect(part).toMatchObject({ complete: false, source: "stream" });
  expect(placesOf(part)).toEqual(positions.slice(3, 6));
  const rest = await read({ after: at(5) }, 4);
  expect(rest.complete).toBe(true);
  expect(placesOf(rest)).toEqual(positions.slice(6));
  expect(placesOf(await read({ after: at(-1) }))).toEqual([]);
  expect(await refusal({ after: previous(previous(at(0))) })).toBe("unavailable");
});

test("[G4] [G8] what was trimmed away is not passed over in silence", async () => {
  await stream.trim(LOBBY, at(4));
  expect(placesOf(await read({ after: at(4) }))).toEqual(positions.slice(5));
  expect(await refusal({ after: at(3) })).toBe("unavailable");
  expect(await refusal({ before: at(5) })).toBe("unavailable");
});

test("[G4] [G6] [G8] behind a new fence the newest events are not known, until there are new ones", async () => {
  memory.restart(memory.snapshot());
  expect(await refusal({ before: undefined })).toBe("unavailable");
  expect(await refusal({ after: at(-1) })).toBe("unavailable");
  await append(2);
  expect(placesOf(await read({ before: undefined }))).toEqual(positions.slice(-2));
  expect(await refusal({ after: at(5) })).toBe("unavailable");
});

describe("with a store that lacks the latest", () => {
  /** Holds what a test has put there. */
  let rows: RoomEvent[];
  const lagging = {
    eventsBefore: async (_: string, before: Position | undefined, limit: number) => {
      const below = rows.filter(({ position }) => before === undefined || position < before);
      return { events: below.slice(-limit), complete: below.length <= limit };
    },
    findEvent: async (_: string, id: string) => rows.find((row) => row.id === id),
  } as Partial<EventStore> as EventStore;
  const read = (before: Position | undefined, limit: number): Promise<HistoryPage> =>
    new History({ stream, fences, deletedUsers, store: lagging, isStoreAway: no, isStreamAway: no }).read(
      LOBBY,
      { before },
      limit,
    );
  const no = () => false;
  const places = ({ events }: HistoryPage) => events.map(({ position }) => position);

  beforeEach(async () => {
    const { events } = await stream.entries(LOBBY, ZERO, 1_000);
    rows = events.map(({ json }) => decodeEvent(json)).filter((_, index) => index % 2 === 0);
  });

  test("[N5] a page back lacks nothing that waits in the stream to be stored", async () => {
    const end = positions.length - 1;
    expect(places(await read(positions[end], 3))).toEqual(positions.slice(end - 3, end));
    expect(places(await read(undefined, 4))).toEqual(positions.slice(-4));
    expect(await read(positions[2], 2)).toMatchObject({ complete: true });
    expect(await read(positions[3], 2)).toMatchObject({ complete: false });
  });

  test("[N5] a page back that only the store could answer says so: it may lack what waits in the stream", async () => {
    const end = positions.length;
    const alone = { events: rows.slice(-2), complete: false, source: "store" };
    expect(await read(undefined, 2)).not.toHaveProperty("source");
    const silent = () => Promise.reject(new ChatError("unavailable", "Redis does not answer."));
    Reflect.set(stream, "readNewest", silent);
    expect(await read(positions[end], 2)).toEqual(alone);
    const reads = { isStoreAway: no, isStreamAway: () => true };
    const known = new History({ stream, fences, deletedUsers, store: lagging, ...reads });
    expect(await known.read(LOBBY, { before: undefined }, 2)).toEqual(alone);
  });

  test("[N5] what is stored and trimmed while a page is read is in it", async () => {
    const missing = rows.shift();
    // Between the two reads, whichever comes first.
    const move = async () => {
      rows.unshift(...(missing ? [missing] : []));
      await stream.trim(LOBBY, positions[0] ?? ZERO);
    };
    let moved: Promise<void> | undefined;
    for (const [engine, method] of [
      [stream, "readNewest"],
      [lagging, "eventsBefore"],
    ] as const) {
      const ask = Reflect.get(engine, method) as (...args: unknown[]) => Promise<unknown>;
      Reflect.set(engine, method, async (...args: unknown[]) => {
        const answer = await ask.apply(engine, args);
        await (moved ??= move());
        return answer;
      });
    }
    expect(places(await read(undefined, 1_000))).toEqual(positions);
  });

  test("[G2] a first place that an older memory brought back is not shown beside the one where its message is stored", async () => {
    const [first] = rows;
    memory.restart(memory.snapshot());
    stream = memory.connect();
    fences = new Fences({ stream, runtime, metrics: createMetrics(), logger });
    rows = first ? [{ ...first, position: next(positions.at(-1) ?? ZERO) }] : [];
    const shown = await read(positions[2], 10);
    expect(places(shown)).toEqual(positions.slice(1, 2));
  });
});

test("who has deleted the account is not named, whatever the stream holds", async () => {
  deletedUsers.learn(deletedSubject("u"));
  const page = await read({ before: undefined });
  expect(placesOf(page)).toEqual(positions);
  expect(page.events.map(({ user }) => user)).toEqual(positions.map(() => ({ id: "u", name: DELETED_NAME })));
});
