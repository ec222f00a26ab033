/** The lease: of several tabs one has the turn, and when it goes or crashes another gets it. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Cancel } from "../src/runtime.ts";
import { lease, type Lease } from "../src/turn.ts";
import { FakeRuntime } from "./fake-runtime.ts";

const LEASE_MS = 6_000;

/** One tab of a browser whose tabs share a database and a clock. */
class Tab {
  isMine = false;
  isFrozen = false;
  readonly close: Cancel;

  constructor(runtime: FakeRuntime, shared: { held: Lease | undefined }) {
    const change = (next: (held: Lease | undefined) => Lease | undefined) => {
      if (this.isFrozen) return new Promise<void>(() => {});
      shared.held = next(shared.held);
      return Promise.resolve();
    };
    this.close = lease("turn", runtime, change, (isMine) => (this.isMine = isMine));
  }
}

let runtime: FakeRuntime;
let shared: { held: Lease | undefined };
const open = () => new Tab(runtime, shared);

/** Time passes in small steps, so that what was promised in between is done. */
async function pass(ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 500) {
    runtime.advance(Math.min(500, leftMs));
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  }
}

beforeEach(() => {
  runtime = new FakeRuntime();
  shared = { held: undefined };
});

describe("a lease", () => {
  it("is held by the first tab for as long as it lives", async () => {
    const tabs = [open(), open()];
    await pass(60_000);
    expect(tabs.map(({ isMine }) => isMine)).toEqual([true, false]);
  });

  it("goes to another tab when its holder is closed, and when it crashes", async () => {
    const [one, two, three] = [open(), open(), open()];
    await pass(1_000);
    one.close();
    await pass(2_000);
    expect([two.isMine, three.isMine]).toEqual([true, false]);
    two.isFrozen = true;
    await pass(LEASE_MS + 2_000);
    expect(three.isMine).toBe(true);
  });

  it("is not lost for ever when the clock goes back", async () => {
    shared.held = { holder: "gone", untilMs: runtime.now() + 3_600_000 };
    const tab = open();
    await pass(1_000);
    expect(tab.isMine).toBe(true);
  });

  it("is given to each tab whose storage keeps none", async () => {
    const told: boolean[] = [];
    lease(
      "turn",
      runtime,
      () => Promise.reject(new Error("no storage")),
      (isMine) => told.push(isMine),
    );
    await pass(5_000);
    expect(told).toEqual([true]);
  });

  it("is never held by two, whatever opens, closes and crashes", async () => {
    const step = fc.record({ kind: fc.constantFrom("open", "close", "crash", "pass"), at: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        runtime = new FakeRuntime();
        shared = { held: undefined };
        let tabs: Tab[] = [];
        for (const { kind, at } of steps) {
          const tab = tabs[at];
          if (kind === "open" && tabs.length < 4) tabs.push(open());
          if (kind === "crash" && tab !== undefined) tab.isFrozen = true;
          if (kind === "close") tab?.close();
          if (kind === "close" || kind === "crash") tabs = tabs.filter((other) => other !== tab);
          await pass(2_500);
          expect(tabs.filter(({ isMine }) => isMine).length).toBeLessThanOrEqual(1);
        }
        await pass(LEASE_MS + 2_000);
        expect(tabs.filter(({ isMine }) => isMine).length).toBe(Math.min(1, tabs.length));
      }),
    );
  });
});
