/** History rows: one page of fifty from a room of very many messages, by the store's adapter and by the bare SQL of the same driver. */
import { openPostgres } from "../functions/adapters/postgres-client.ts";
import { PrismaStore } from "../functions/adapters/store-prisma.ts";
import { fromBigInt, type Position } from "../functions/core/position.ts";
import { Person } from "../functions/test/api-client.ts";
import { startNode } from "../functions/test/harness.ts";
import type { BenchEngines } from "./engines.ts";
import { median } from "./compare.ts";
import { fillRoom, type FilledRoom } from "./fill-room.ts";
import type { Contender, Row, RowOptions, Sample } from "./row.ts";
import { openStage, type Stage } from "./stage.ts";

const PAGE = 50;
const ROWS = { quick: 200_000, full: 10_000_000 };
const PAGES = { quick: 500, full: 2_000 };
const SQL = `SELECT room, position, prev, kind, id, user_id, user_name, body, reply_to FROM events
  WHERE room = $1 AND position < $2 ORDER BY position DESC LIMIT $3`;

interface World {
  readonly stage: Stage;
  readonly room: FilledRoom;
  readonly store: PrismaStore;
  readonly person: Person;
}

type MakeWorld = (engines: BenchEngines, options: RowOptions) => Promise<World>;

/** Reads the page below a position, the newest without one; answers how many events it had. */
type Read = (world: World, before: Position | undefined) => Promise<number>;

export const byStore: Read = async ({ store, room }, before) =>
  (await store.eventsBefore(room.id, before, PAGE)).events.length;

const bySql: Read = async ({ stage, room }, before) => {
  const values = [room.id, before ?? String(2n ** 63n - 1n), PAGE + 1];
  const { rows } = await stage.client.query({ name: "page", text: SQL, values });
  return Math.min(PAGE, rows.length);
};

const byHttp: Read = async ({ person, room }, before) => {
  const query = before === undefined ? "" : `&before=${before}`;
  const { events } = await person.do("GET", `/rooms/${room.id}/events?limit=${PAGE}${query}`);
  return Array.isArray(events) ? events.length : 0;
};

const limits = [{ against: "SQL", atLeast: 1 / 1.2 }];

export function historyRows(): readonly Row[] {
  let made: Promise<World> | undefined;
  const world: MakeWorld = (engines, { isQuick }) =>
    (made ??= makeWorld(engines, isQuick ? ROWS.quick : ROWS.full));
  return [
    {
      name: "history-first",
      title: `the newest page of ${PAGE} from a room of 10 million messages (--quick: 200,000), p99`,
      unit: "ms",
      contenders: [
        reader("skat", world, byStore, first),
        reader("SQL", world, bySql, first),
        reader("over HTTP", world, byHttp, first),
      ],
      targets: limits,
      isLong: true,
    },
    {
      name: "history-deep",
      title: `a page of ${PAGE} anywhere in that room, p99; against the newest: no dearer in the depth`,
      unit: "ms",
      contenders: [
        reader("skat", world, byStore, anywhere),
        reader("SQL", world, bySql, anywhere),
        reader("the newest page", world, byStore, first),
        reader("over HTTP", world, byHttp, anywhere),
      ],
      targets: [...limits, { against: "the newest page", atLeast: 1 / 1.2 }],
      isLong: true,
    },
  ];
}

export function first(): undefined {
  return undefined;
}

/** But for the oldest rows, below which no whole page is. */
export function anywhere({ rows, lowest, highest }: FilledRoom): Position {
  const row = BigInt(PAGE + Math.floor(Math.random() * (rows - PAGE)));
  return fromBigInt(lowest + ((highest - lowest) * row) / BigInt(rows - 1));
}

function reader(
  name: string,
  world: MakeWorld,
  read: Read,
  below: (room: FilledRoom) => Position | undefined,
): Contender {
  return {
    name,
    measure: async (engines, options) => measurePages(await world(engines, options), read, below, options),
  };
}

/** One page after the other, as many before that warm everything up. A page that is not whole is a fault. */
export async function measurePages(
  made: World,
  read: Read,
  below: (room: FilledRoom) => Position | undefined,
  { isQuick }: Pick<RowOptions, "isQuick">,
): Promise<Sample> {
  const pages = isQuick ? PAGES.quick : PAGES.full;
  const tookMs: number[] = [];
  let faults = 0;
  for (let page = -pages / 5; page < pages; page++) {
    const startMs = performance.now();
    const events = await read(made, below(made.room));
    if (page >= 0) tookMs.push(performance.now() - startMs);
    if (events !== PAGE) faults++;
  }
  const p99 = tookMs.toSorted((a, b) => a - b)[Math.floor(pages * 0.99)] ?? Number.NaN;
  const { rows, fillSeconds } = made.room;
  return {
    value: p99,
    faults,
    generatorShare: 0,
    more: { "p50 ms": median(tookMs), "p99 ms": p99, rows, "s to fill": fillSeconds },
  };
}

/** A room made by a person on a real node, and filled behind its back. It goes with the engines. */
export async function makeWorld(engines: BenchEngines, rows: number): Promise<World> {
  const stage = await openStage(engines);
  const node = await startNode(stage.env);
  const person = await Person.on([node.url], "reader");
  const id = await person.room("public", "long room");
  const room = await fillRoom(stage.client, id, rows);
  const store = new PrismaStore(openPostgres(stage.database));
  engines.onEnd(async () => void (await Promise.all([node.kill(), store.close(), stage.client.end()])));
  return { stage, room, store, person };
}
