/** The embedded log: the contract, and what is its own: the pending append, the given clock, bounded memory. */
import { describe, expect, it } from "vitest";
import { MemoryEventLog, type MemoryEventLogOptions } from "../adapters/event-log-memory.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import type { Runtime } from "../core/runtime.ts";
import { silentLogger } from "../lib/logger.ts";
import { collector, describeEventLog, numbered, valuesOf } from "./event-log-contract.ts";

function createLog(options: Partial<MemoryEventLogOptions> = {}): MemoryEventLog {
  return new MemoryEventLog({ runtime: systemRuntime, stage: "test", logger: silentLogger, ...options });
}

describeEventLog("memory", async () => {
  const log = createLog();
  return {
    stage: "test",
    openLog: () => log,
    openConsumer: () => log,
    openDeadLetters: () => log,
    close: () => log.close(),
  };
});

/** A clock that only moves when told to. */
function manualRuntime(): Runtime & { fire(): number[] } {
  let tasks: { delayMs: number; task: () => void }[] = [];
  return {
    ...systemRuntime,
    random: () => 0.5,
    after: (delayMs, task) => {
      const entry = { delayMs, task };
      tasks.push(entry);
      return () => void (tasks = tasks.filter((other) => other !== entry));
    },
    fire: () => {
      const due = tasks;
      tasks = [];
      for (const { task } of due) task();
      return due.map(({ delayMs }) => delayMs);
    },
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

describe("memory log", () => {
  it("[G3] an append is pending until its records were handled", async () => {
    const log = createLog();
    let isHandled = false;
    const append = log.append(numbered("red", 0, 2)).then(() => expect(isHandled).toBe(true));
    await turns();
    await log.start(async () => {
      await turns();
      isHandled = true;
    });
    await append;
    expect(isHandled).toBe(true);
    await log.close();
  });

  it("waits on the given clock alone, longer with each failure", async () => {
    const runtime = manualRuntime();
    const log = createLog({ runtime, partitions: 1, retry: { firstMs: 100, maxMs: 300 } });
    let tries = 0;
    await log.start(async () => {
      if (++tries <= 4) throw new Error("the store is away");
    });
    const append = log.append(numbered("red", 0, 1));
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      await turns();
      expect(tries).toBe(round + 1);
      waits.push(...runtime.fire());
    }
    await append;
    expect(waits).toEqual([50, 100, 150, 150]);
    expect(tries).toBe(5);
  });

  it("on close, appends that were not handled reject", async () => {
    const log = createLog();
    const never = log.append(numbered("red", 0, 1));
    const [outcome] = await Promise.all([never.catch((error: unknown) => error), log.close()]);
    expect(outcome).toMatchObject({ code: "unavailable" });
  });

  it("hands over a bounded number of records at once", async () => {
    const log = createLog({ batchLimit: 10, partitions: 1 });
    const { records, handle } = collector();
    const sizes: number[] = [];
    const appended = log.append(numbered("red", 0, 25));
    await log.start(async (batch) => {
      sizes.push(batch.records.length);
      await handle(batch);
    });
    await appended;
    expect(sizes).toEqual([10, 10, 5]);
    expect(valuesOf(records)).toHaveLength(25);
    await log.close();
  });

  it("keeps the newest letters of a bounded number", async () => {
    const log = createLog({ letterLimit: 2 });
    const letter = { key: "test/red", value: "", stage: "test", partition: 0, reason: "broken" };
    for (const offset of [1n, 2n, 3n]) await log.put({ ...letter, offset });
    expect((await log.list()).map(({ offset }) => offset)).toEqual([2n, 3n]);
  });

  it("is read once", async () => {
    const log = createLog();
    await log.start(async () => {});
    await expect(log.start(async () => {})).rejects.toThrow("read already");
    await log.close();
  });
});
