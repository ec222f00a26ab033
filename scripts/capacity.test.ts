/** The formulas of capacity: known answers, what must rise with what, the edges, and what is refused. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { costOf } from "./capacity/cost.ts";
import { readDemand, type Demand } from "./capacity/demand.ts";
import { figuresOf, pricesOf, readData, withBench, withSet } from "./capacity/figures.ts";
import { planFor } from "./capacity/formulas.ts";
import { notesOn } from "./capacity/tell.ts";

const data = readData();
const [figures, prices] = [figuresOf(data), pricesOf(data)];
const demandOf = (words: string): Demand => readDemand(words.split(" ")).demand;
const planOf = (words: string) => planFor(demandOf(words), figures);
const MILLION = "--users 1e6 --rooms 2e5 --rate 5000";

const dir = mkdtempSync(join(tmpdir(), "skat-capacity-"));
afterAll(() => rmSync(dir, { recursive: true }));

describe("capacity: formulas", () => {
  it("count what can be counted by hand", () => {
    const { load, nodes, log, store } = planOf(`${MILLION} --members 50 --online 0.2 --body 200 --mean 0.5`);
    expect(load.connections).toBe(200_000);
    expect(load.deliveries).toBe(5000 * 10);
    expect(load.messagesPerYear).toBe(5000 * 0.5 * 365 * 86_400);
    expect(nodes.needed).toBe(Math.ceil(200_000 / (10_000 * 0.6)));
    expect(nodes.count).toBe(nodes.needed + 1);
    expect(log.megabytesPerSecond).toBeCloseTo((5000 * 600) / 1e6);
    expect(log.storageGb).toBeCloseTo((5000 * 600 * 0.5 * 7 * 86_400 * 3) / 1e9);
    expect(store.rows).toBeCloseTo(load.messagesPerYear);
    expect(store.storageGb).toBeCloseTo((store.rows * (115 + 216 + 200)) / 1e9 / 0.7);
    expect(store.partitionDays).toBe(Math.floor(1e9 / (5000 * 0.5 * 86_400)));
    expect(planOf("--users 1e6 --rooms 2e5 --rate 500").store.partitionDays).toBe(31);
  });

  it("give the least that is safe to a team of ten", () => {
    const plan = planOf("--users 10 --rooms 5 --rate 0.1");
    expect(plan.nodes).toMatchObject({ count: 2, by: "availability" });
    expect(plan.redis).toMatchObject({ shards: 1, by: "least" });
    expect(plan.log).toMatchObject({ brokers: 3, partitions: 6, consumers: 2 });
    expect(plan.store.partitionDays).toBeUndefined();
  });

  it("need as many nodes as they say, and not one less", () => {
    for (const words of [
      MILLION,
      `${MILLION} --members 2000`,
      "--users 1e5 --rooms 10 --rate 50 --members 1e4",
    ]) {
      const demand = demandOf(words);
      const { nodes } = planFor(demand, figures);
      const eased = planFor(demand, { ...figures, connectionsPerNode: 1e12 }).nodes;
      expect(eased.needed).toBeLessThanOrEqual(nodes.needed);
      expect(nodes.coreShare).toBeLessThanOrEqual(demand.headroom);
    }
  });

  const size = fc.record({
    users: fc.integer({ min: 1000, max: 1e7 }),
    rooms: fc.integer({ min: 1, max: 1e6 }),
    rate: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
    members: fc.integer({ min: 2, max: 1000 }),
  });
  const grown = [
    "users",
    "rate",
    "members",
    "bodyBytes",
    "retentionDays",
    "hotRate",
    "mean",
    "streamKeep",
  ] as const;

  it("never need less of anything when more is asked", () => {
    const needs = (demand: Demand) => {
      const plan = planFor(demand, figures);
      const { nodes, redis, log, store } = plan;
      const counts = [nodes.count, redis.shards, redis.memoryGb, log.partitions, log.brokers, log.consumers];
      return [
        ...counts,
        log.storageGb,
        store.storageGb,
        store.cores,
        costOf(plan, demand, figures, prices).total,
      ];
    };
    fc.assert(
      fc.property(
        size,
        fc.constantFrom(...grown),
        fc.double({ min: 1, max: 20, noNaN: true }),
        (asked, key, times) => {
          const { users, rooms, rate, members } = asked;
          const demand = demandOf(
            `--users ${users} --rooms ${rooms} --rate ${rate} --members ${members} --hot-members 1000 --hot-rate 1 --mean 0.04`,
          );
          const before = needs(demand);
          const after = needs({ ...demand, [key]: demand[key] * times });
          after.forEach((need, n) => expect(need).toBeGreaterThanOrEqual((before[n] ?? 0) * (1 - 1e-9)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("a room of 100,000 members is carried by nodes, and said to keep others waiting", () => {
    const words = "--users 2e5 --rooms 1000 --rate 10 --members 20 --online 1";
    const calm = planOf(words);
    const demand = demandOf(`${words} --hot-members 100000 --hot-rate 20`);
    const hot = planFor(demand, figures);
    expect(hot.load.deliveries - calm.load.deliveries).toBe(2_000_000);
    expect(hot.nodes.by).toBe("connections");
    const fast = planFor({ ...demand, hotRate: 100 }, figures);
    expect(fast.nodes.by).toBe("cpu");
    expect(fast.nodes.count).toBeGreaterThan((100 * 100_000 * figures.deliveryUs) / 1e6 / demand.headroom);
    expect(hot.hot.messageMs).toBeCloseTo((100_000 / hot.nodes.count) * (figures.deliveryUs / 1000));
    const few = planFor({ ...demand, hotRate: 0.1 }, { ...figures, connectionsPerNode: 1e9 });
    expect(notesOn(few, demand).join()).toContain("keeps each node busy");
    expect(notesOn(hot, demand).join()).not.toContain("busy");
    const celebrated = { ...demand, hotRate: 20_000 };
    const past = planFor(celebrated, figures);
    expect(past.hot.partitionShare).toBeCloseTo((20_000 * (figures.recordBytes + 200)) / 5e6);
    expect(notesOn(past, celebrated).join()).toMatch(/of a Redis shard's core.*of what a partition/);
    expect(notesOn(hot, { ...demand, hotMembers: 100_001 }).join()).toContain("MEMBERS_PER_ROOM_MAX");
  });

  it("more nodes than members do not get every message", () => {
    const one = planOf("--users 1e7 --rooms 5e6 --rate 1000 --members 10 --online 0.1");
    expect(one.nodes.count).toBeGreaterThan(100);
    const expected = 1000 * (figures.redisAppendUs + figures.redisDeliveryUs) * 1e-6;
    expect(one.redis.cores).toBeCloseTo(expected);
  });

  it("cost what its parts cost, by the price of each", () => {
    const demand = demandOf(MILLION);
    const plan = planFor(demand, figures);
    const cost = costOf(plan, demand, figures, prices);
    const { total, ...parts } = cost;
    expect(total).toBeCloseTo(Object.values(parts).reduce((sum, part) => sum + part, 0));
    expect(cost.nodes).toBe(plan.nodes.count * prices.nodeMonth * 12);
    const dearer = costOf(plan, demand, figures, { ...prices, egressGb: prices.egressGb * 2 });
    expect(dearer.total - total).toBeCloseTo(cost.egress);
  });
});

describe("capacity: figures", () => {
  it("name their unit and where they come from, and prices the day and that they are assumed", () => {
    for (const entry of Object.values(data.figures)) {
      expect(entry.value).toBeGreaterThan(0);
      expect(entry.unit.length * (entry.from ?? "").length).toBeGreaterThan(0);
    }
    for (const name of Object.keys(prices)) {
      const entry = data.prices[name as keyof typeof prices];
      expect(entry.asOf).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(entry.from).toMatch(/^assumed: /);
    }
    expect(data.prices.asOf).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(data.prices.note).toMatch(/[Aa]ssum/);
  });

  it("are all in the page, with their values", () => {
    const page = readFileSync(new URL("../docs/capacity.md", import.meta.url), "utf8");
    for (const [name, { value }] of Object.entries(data.figures))
      expect(page).toContain(`| \`${name}\` | ${value} |`);
    for (const [name, value] of Object.entries(prices)) expect(page).toContain(`| \`${name}\` | ${value} |`);
  });

  it("are taken from a report of the bench where its row counts, and it is said where it does not", () => {
    const file = join(dir, "results.json");
    const sample = (more: Record<string, number>) => ({ value: 0, faults: 0, generatorShare: 0, more });
    const row = (name: string, median: number, voids: string[] = [], samples = [sample({})]) => ({
      name,
      voids,
      figures: [
        { contender: "baseline", median: 99, samples },
        { contender: "skat", median, samples },
      ],
    });
    const idle = [3, 1, 2].map((us) => sample({ "µs CPU/s/idle connection": us }));
    const rows = [row("fan-out-1", 7), row("connect", 80, ["lost 1"]), row("idle", 9, [], idle)];
    writeFileSync(
      file,
      JSON.stringify({ at: "2027-01-02T00:00:00Z", machine: "m", rounds: 1, rows, left: [] }),
    );
    const { data: bench, notes } = withBench(data, file);
    expect(bench.figures.deliveryUs).toMatchObject({ value: 7, from: expect.stringContaining("2027-01-02") });
    expect(bench.figures.idleUs.value).toBe(2);
    expect(bench.figures.connectUs).toEqual(data.figures.connectUs);
    expect(notes.map((note) => /row (\S+)/.exec(note)?.[1])).toEqual(["connect", "ingest"]);
    writeFileSync(file, "{}");
    expect(() => withBench(data, file)).toThrow(/results\.json of/);
    expect(() => withBench(data, join(dir, "none.json"))).toThrow(/ENOENT/);
  });

  it("and prices can be set, and nothing else", () => {
    const set = withSet(data, ["deliveryUs=5", "egressGb=0"]);
    expect(figuresOf(set).deliveryUs).toBe(5);
    expect(pricesOf(set).egressGb).toBe(0);
    for (const wrong of [
      "nothing=1",
      "currency=1",
      "deliveryUs=",
      "deliveryUs=-1",
      "deliveryUs=x",
      "deliveryUs",
    ])
      expect(() => withSet(data, [wrong])).toThrow(wrong);
  });
});

describe("capacity: the command", () => {
  it("tells every fault of its arguments at once", () => {
    const faults = (words: string) => {
      try {
        readDemand(words.split(" "));
      } catch (error) {
        return String(error);
      }
      return "";
    };
    expect(faults("--users x --online 2")).toMatch(
      /--users x.*\n.*--online 2.*above 0 to 1.*\n.*--rooms.*\n.*--rate/,
    );
    expect(faults(`${MILLION} --rate 0`)).toContain("above 0");
    expect(faults(`${MILLION} --what 1`)).toContain("--what");
    expect(faults(`${MILLION} --members 2e6`)).toContain("only 1000000 users");
    expect(faults(`${MILLION} --members 100 --hot-members 50`)).toContain("--hot-members 50");
    expect(faults(`${MILLION} --hot-rate 5`)).toContain("--hot-rate needs");
    expect(faults(MILLION)).toBe("");
  });

  it("prints a plan, or all of it as JSON, and ends with 2 where an argument is wrong", () => {
    const command = ["--import", "tsx", "scripts/capacity.ts"];
    const run = (words: string) =>
      execFileSync(process.execPath, [...command, ...words.split(" ")], { encoding: "utf8" });
    const text = run(MILLION);
    for (const word of ["nodes", "shard", "partitions", "rows/s", "USD a year", "assum", data.prices.asOf])
      expect(text.toLowerCase()).toContain(word.toLowerCase());
    const json = JSON.parse(run(`${MILLION} --json`));
    expect(json.plan).toEqual(planOf(MILLION));
    expect(Object.keys(json)).toEqual(["demand", "plan", "cost", "notes", "figures", "prices"]);
    const wrong = spawnSync(process.execPath, [...command, "--users", "0"], { encoding: "utf8" });
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("--users 0");
    expect(wrong.stderr).not.toMatch(/\n\s+at /);
  }, 60_000);
});
