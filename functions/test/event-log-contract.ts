/** What every log promises, run against each adapter: describeEventLog for all, describeDurableLog for those that outlive a process. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  LateRecordsError,
  QUARANTINE_MS,
  type DeadLetter,
  type DeadLetters,
  type EventLog,
  type KeptLetter,
  type LogBatch,
  type LogConsumer,
  type LogRecord,
  type ReadRecord,
} from "../core/event-log.ts";

/** A fresh, empty log and the ends of it. */
export interface LogWorld {
  readonly stage: string;
  openLog(): EventLog;
  openConsumer(): LogConsumer;
  openDeadLetters(): DeadLetters;
  /** Closes what was opened. */
  close(): Promise<void>;
}

export const DEADLINE = { timeout: 20_000, interval: 10 };

/** Records "0", "1", … of one room. */
export function numbered(room: string, from: number, count: number): LogRecord[] {
  return Array.from({ length: count }, (_, index) => ({ room, value: String(from + index) }));
}

export function valuesOf(records: readonly ReadRecord[]): string[] {
  return records.map(({ value }) => value);
}

/** A handler that keeps what it gets. */
export function collector(): { records: ReadRecord[]; handle: (batch: LogBatch) => Promise<void> } {
  const records: ReadRecord[] = [];
  return { records, handle: async (batch) => void records.push(...batch.records) };
}

export interface Gate {
  open(): void;
  readonly passed: Promise<void>;
}

export function gate(): Gate {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), passed };
}

const FAILURES: readonly (readonly [string, () => unknown])[] = [
  ["an Error", () => new Error("the store is away")],
  ["a TypeError, as a bug would", () => new TypeError("undefined is not a function")],
  ["a RangeError", () => new RangeError("out of range")],
  ["something that is no error", () => "a text"],
];

export function describeEventLog(name: string, createWorld: () => Promise<LogWorld>): void {
  describe(`${name}: the log's contract`, () => {
    let world: LogWorld;
    beforeEach(async () => {
      world = await createWorld();
    });
    afterEach(() => world.close());

    it("hands the records of a room over in the order of their appends", async () => {
      const log = world.openLog();
      const { records, handle } = collector();
      await world.openConsumer().start(handle);
      for (let from = 0; from < 100; from += 10)
        await log.append([...numbered("red", from, 10), ...numbered("blue", from, 10)]);
      await expect.poll(() => records.length, DEADLINE).toBe(200);
      for (const room of ["red", "blue"]) {
        const ofRoom = records.filter(({ key }) => key === `${world.stage}/${room}`);
        expect(valuesOf(ofRoom)).toEqual(valuesOf100());
      }
    });

    it("keeps a room in one partition, with rising offsets, and uses several partitions", async () => {
      const partitions = new Map<string, Set<number>>();
      const offsets = new Map<number, bigint[]>();
      let count = 0;
      await world.openConsumer().start(async ({ partition, records }) => {
        for (const { key, offset } of records) {
          partitions.set(key, (partitions.get(key) ?? new Set()).add(partition));
          offsets.set(partition, [...(offsets.get(partition) ?? []), offset]);
        }
        count += records.length;
      });
      const rooms = Array.from({ length: 40 }, (_, index) => `room-${index}`);
      const log = world.openLog();
      for (let round = 0; round < 3; round++)
        await log.append(rooms.map((room) => ({ room, value: String(round) })));
      await expect.poll(() => count, DEADLINE).toBe(120);
      expect(partitions.size).toBe(40);
      for (const used of partitions.values()) expect(used.size).toBe(1);
      expect(offsets.size).toBeGreaterThan(1);
      for (const list of offsets.values())
        expect(list).toEqual(list.map((_, index) => (list[0] ?? 0n) + BigInt(index)));
    });

    it("[G3] what append acknowledged is read, to the letter, with the stage that wrote it", async () => {
      const values = ['{"body":"\\"quotes\\" \\\\ \\n"}', "🐈‍⬛ שלום ‮", "x".repeat(60_000), "\u0000\u2028"];
      const { records, handle } = collector();
      await world.openConsumer().start(handle);
      await world.openLog().append(values.map((value) => ({ room: "salle à manger", value })));
      await expect.poll(() => records.length, DEADLINE).toBe(values.length);
      expect(valuesOf(records)).toEqual(values);
      expect(new Set(records.map(({ stage }) => stage))).toEqual(new Set([world.stage]));
    });

    for (const [what, fail] of FAILURES) {
      it(`hands a batch over again when the handler threw ${what}, and goes on`, async () => {
        const seen: string[] = [];
        let failures = 0;
        await world.openConsumer().start(async ({ records }) => {
          if (failures < 3) {
            failures++;
            throw fail();
          }
          seen.push(...valuesOf(records));
        });
        const log = world.openLog();
        await log.append(numbered("red", 0, 5));
        await log.append(numbered("red", 5, 5));
        await expect.poll(() => seen.length, DEADLINE).toBe(10);
        expect(failures).toBe(3);
        expect(seen).toEqual(valuesOf100().slice(0, 10));
      });
    }

    it("a handler that throws instead of rejecting is a rejection", async () => {
      const { records, handle } = collector();
      let thrown = 0;
      await world.openConsumer().start((batch) => {
        if (thrown++ === 0) throw new TypeError("a bug");
        return handle(batch);
      });
      await world.openLog().append(numbered("red", 0, 1));
      await expect.poll(() => valuesOf(records), DEADLINE).toEqual(["0"]);
    });

    it("hands batches of one partition over one after another", async () => {
      const inHand = new Map<number, number>();
      let most = 0;
      let count = 0;
      await world.openConsumer().start(async ({ partition, records }) => {
        inHand.set(partition, (inHand.get(partition) ?? 0) + 1);
        most = Math.max(most, ...inHand.values());
        await new Promise((resolve) => setTimeout(resolve, 5));
        inHand.set(partition, (inHand.get(partition) ?? 0) - 1);
        count += records.length;
      });
      const log = world.openLog();
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => log.append(numbered(`room-${index % 5}`, index, 10))),
      );
      await expect.poll(() => count, DEADLINE).toBe(200);
      expect(most).toBe(1);
    });

    it("[G8] progress rises with what was handled, never past it", async () => {
      const consumer = world.openConsumer();
      const [away, back] = [gate(), gate()];
      let isAway = true;
      await consumer.start(async () => {
        if (!isAway) return;
        away.open();
        await back.passed;
      });
      const idle = await consumer.progress();
      expect(idle.length).toBeGreaterThan(1);
      expect(new Set(idle.map(({ partition }) => partition)).size).toBe(idle.length);
      expect(lagOf(idle)).toBe(0n);

      const appended = world.openLog().append(numbered("red", 0, 7));
      await away.passed;
      await expect.poll(async () => lagOf(await consumer.progress()), DEADLINE).toBe(7n);

      isAway = false;
      back.open();
      await appended;
      await expect.poll(async () => lagOf(await consumer.progress()), DEADLINE).toBe(0n);
      const after = await consumer.progress();
      expect(sum(after.map(({ end }) => end)) - sum(idle.map(({ end }) => end))).toBe(7n);
    });

    it("close waits for the batch in hand, which learns of it by keepAlive, and commits it", async () => {
      const consumer = world.openConsumer();
      const [taken, done] = [gate(), gate()];
      const alive: boolean[] = [];
      let handled = 0;
      let closed = false;
      await consumer.start(async (batch) => {
        alive.push(await batch.keepAlive());
        taken.open();
        await done.passed;
        alive.push(await batch.keepAlive().catch(() => false));
        handled += batch.records.length;
      });
      const appended = world.openLog().append(numbered("red", 0, 3));
      await taken.passed;
      const closing = consumer.close().then(() => (closed = true));
      // Long enough for a close that does not wait.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(closed).toBe(false);
      done.open();
      await closing;
      await appended;
      expect(handled).toBe(3);
      expect(alive).toEqual([true, false]);
      expect(lagOf(await world.openConsumer().progress())).toBe(0n);
    });

    it("close ends a wait for the next try of a rejected batch", async () => {
      const consumer = world.openConsumer();
      const rejected = gate();
      await consumer.start(async () => {
        rejected.open();
        throw new Error("the store is away");
      });
      const appended = world
        .openLog()
        .append(numbered("red", 0, 1))
        .catch(() => {});
      await rejected.passed;
      await consumer.close();
      await appended;
    });

    it("append rejects after close", async () => {
      const log = world.openLog();
      await log.close();
      await expect(log.append(numbered("red", 0, 1))).rejects.toThrow();
    });

    it("an empty append resolves", async () => {
      await world.openLog().append([]);
    });

    it("[G9] dead letters are kept with their reason, in order, until they are removed", async () => {
      const letters = world.openDeadLetters();
      const all = [1, 2, 3].map((number) => letter(world.stage, number));
      for (const each of all) await letters.put(each);
      const kept = await letters.list();
      expect(kept.map(plain)).toEqual(all);
      expect(new Set(kept.map(({ id }) => id)).size).toBe(3);
      expect(await letters.list(), "reading changes nothing").toEqual(kept);
      const [first, second, third] = kept.map(({ id }) => id);
      await letters.remove([first ?? "", third ?? ""], "dropped");
      expect(await letters.list()).toEqual(kept.slice(1, 2));
      await letters.remove([second ?? "", second ?? "", "nobody's"], "replayed");
      expect(await letters.list()).toEqual([]);
      await letters.put(letter(world.stage, 4));
      expect((await letters.list()).map(plain)).toEqual([letter(world.stage, 4)]);
    });

    it("[G12] letters of another stage are not listed; one without a stage belongs to who put it", async () => {
      const letters = world.openDeadLetters();
      await letters.put(letter("another-stage", 1));
      await letters.put({ ...letter(world.stage, 2), stage: undefined });
      expect((await letters.list()).map(plain)).toEqual([letter(world.stage, 2)]);
    });
  });
}

export function describeDurableLog(name: string, createWorld: () => Promise<LogWorld>): void {
  describe(`${name}: a log that outlives its processes`, () => {
    let world: LogWorld;
    beforeEach(async () => {
      world = await createWorld();
    });
    afterEach(() => world.close());

    it("[G3] what was appended before anybody read is read from the oldest on", async () => {
      await world.openLog().append(numbered("red", 0, 50));
      const { records, handle } = collector();
      await world.openConsumer().start(handle);
      await expect.poll(() => records.length, DEADLINE).toBe(50);
      expect(valuesOf(records)).toEqual(valuesOf100().slice(0, 50));
    });

    it("[N8] a batch that comes too late is refused, all of it, and one in time is taken", async () => {
      const log = world.openLog();
      const known = (value: string, agoMs: number): LogRecord => ({
        room: "red",
        value,
        knownAtMs: Date.now() - agoMs,
      });
      const late = [known("young", 0), known("late", QUARANTINE_MS + 1_000)];
      await expect(log.append(late)).rejects.toThrow(LateRecordsError);
      await log.append([known("in time", QUARANTINE_MS / 2)]);
      const { records, handle } = collector();
      await world.openConsumer().start(handle);
      await log.append(numbered("red", 0, 1));
      await expect.poll(() => records.length, DEADLINE).toBe(2);
      expect(valuesOf(records)).toEqual(["in time", "0"]);
    });

    it("[G8] a consumer closed before it committed leaves its batch to the next one", async () => {
      const log = world.openLog();
      const first = world.openConsumer();
      const early = collector();
      let rejections = 0;
      await first.start(async (batch) => {
        if (early.records.length < 10) return early.handle(batch);
        rejections++;
        throw new Error("the store is away");
      });
      await log.append(numbered("red", 0, 10));
      await expect.poll(() => early.records.length, DEADLINE).toBe(10);
      await log.append(numbered("red", 10, 10));
      await expect.poll(() => rejections, DEADLINE).toBeGreaterThan(0);
      await first.close();
      const late = collector();
      await world.openConsumer().start(late.handle);
      await expect.poll(() => late.records.length, DEADLINE).toBe(10);
      expect(valuesOf(early.records)).toEqual(valuesOf100().slice(0, 10));
      expect(valuesOf(late.records)).toEqual(valuesOf100().slice(10, 20));
    });

    it("what was committed does not come again, to whoever reads next", async () => {
      const log = world.openLog();
      const first = world.openConsumer();
      const early = collector();
      await first.start(early.handle);
      await log.append(numbered("red", 0, 10));
      await expect.poll(() => early.records.length, DEADLINE).toBe(10);
      await first.close();
      await log.append(numbered("red", 10, 1));
      const late = collector();
      await world.openConsumer().start(late.handle);
      await expect.poll(() => late.records.length, DEADLINE).toBe(1);
      expect(valuesOf(late.records)).toEqual(["10"]);
    });

    it("two consumers share the partitions; when one leaves, the other reads them all", async () => {
      const rooms = Array.from({ length: 60 }, (_, index) => `room-${index}`);
      const log = world.openLog();
      const consumers = [world.openConsumer(), world.openConsumer()] as const;
      const read: [string[], string[]] = [[], []];
      const keep = (into: string[]) => async (batch: LogBatch) => void into.push(...valuesOf(batch.records));
      await Promise.all([consumers[0].start(keep(read[0])), consumers[1].start(keep(read[1]))]);

      let round = 0;
      await expect
        .poll(async () => {
          await log.append(rooms.map((room) => ({ room, value: `${round++}` })));
          return read[0].length > 0 && read[1].length > 0;
        }, DEADLINE)
        .toBe(true);

      await consumers[0].close();
      const before = read[0].length;
      await log.append(rooms.map((room) => ({ room, value: "last" })));
      await expect.poll(() => read[1].filter((value) => value === "last").length, DEADLINE).toBe(60);
      expect(read[0].length).toBe(before);
    });
  });
}

function letter(stage: string, number: number): DeadLetter {
  return {
    key: `${stage}/red`,
    value: `{"broken ${number} 🐈`,
    stage,
    partition: number % 2,
    offset: BigInt(number) * 10_000_000_000n,
    reason: `not JSON: “${number}”`,
  };
}

/** Without what keeping it added. */
function plain({ id: _, putAtMs: __, ...given }: KeptLetter): DeadLetter {
  return given;
}

function lagOf(progress: readonly { end: bigint; committed: bigint }[]): bigint {
  return sum(progress.map(({ end, committed }) => end - committed));
}

function sum(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, number) => total + number, 0n);
}

function valuesOf100(): string[] {
  return Array.from({ length: 100 }, (_, index) => String(index));
}
