/** Hot room: what a room of very many members costs, with as many of them connected as one machine holds, against a small one. */
import { Person } from "../functions/test/api-client.ts";
import { startConsumer, startNode } from "../functions/test/harness.ts";
import type { BenchEngines } from "./engines.ts";
import { generate } from "./generate.ts";
import type { Contender, Row, RowOptions, Sample } from "./row.ts";
import { openStage } from "./stage.ts";

interface Shape {
  readonly members: number;
  readonly connected: number;
  readonly perSecond: number;
}

const BODY_BYTES = 200;
/** As many deliveries a second in both. */
const HOT: Shape = { members: 100_000, connected: 10_000, perSecond: 2 };
const HOT_QUICK: Shape = { members: 10_000, connected: 2_000, perSecond: 10 };
const SMALL: Shape = { members: 500, connected: 500, perSecond: 40 };

const FILL = `INSERT INTO members (room, "user", user_name)
  SELECT $1, 'member-' || n, 'Member ' || n FROM generate_series(1, $2::int) AS n`;

export const hotRoomRow: Row = {
  name: "hot-room",
  title: `a room of 100,000 members, 10,000 of them on two nodes (--quick: a fifth), 20,000 deliveries/s; against a room of ${SMALL.connected}`,
  unit: "µs CPU/delivery",
  contenders: [room("skat", ({ isQuick }) => (isQuick ? HOT_QUICK : HOT)), room("a small room", () => SMALL)],
  targets: [{ against: "a small room", atLeast: 1 / 1.2 }],
  isLong: true,
};

function room(name: string, shapeOf: (options: RowOptions) => Shape): Contender {
  return { name, measure: (engines, options) => measureRoom(engines, shapeOf(options), options) };
}

async function measureRoom(
  engines: BenchEngines,
  { members, connected, perSecond }: Shape,
  { isQuick }: RowOptions,
): Promise<Sample> {
  const stage = await openStage(engines);
  const nodes = [await startNode(stage.env), await startNode(stage.env)];
  const consumer = await startConsumer(stage.env);
  try {
    const speaker = await Person.on([nodes[0]?.url ?? ""], "speaker");
    const hot = await speaker.room("public", "hot");
    await stage.client.query(FILL, [hot, members - 1]);
    const outcome = await generate({
      ports: nodes.map(({ url }) => Number(new URL(url).port)),
      pids: nodes.map(({ pid }) => pid),
      dialect: "skat",
      token: speaker.token,
      room: hot,
      clients: connected,
      bodyBytes: BODY_BYTES,
      load: { kind: "open", perSecond },
      warmUpMs: 2_000,
      timedMs: isQuick ? 4_000 : 10_000,
    });
    const listMs = await timeOf(() => speaker.do("GET", `/rooms/${hot}/members`));
    const { p50 = 0, p99 = 0, max = 0 } = outcome.latency ?? {};
    return {
      value: outcome.cpuUs.reduce((sum, used) => sum + used, 0) / outcome.deliveries,
      faults: outcome.lost + outcome.doubled + outcome.misordered,
      generatorShare: outcome.generatorShare,
      more: { "p50 ms": p50, "p99 ms": p99, "max ms": max, "ms to list members": listMs },
    };
  } finally {
    await Promise.all([...nodes, consumer].map((one) => one.kill()));
    await stage.end();
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
