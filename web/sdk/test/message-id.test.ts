/** Message ids are UUIDv7 on the server's clock and sort as they were made. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeRuntime } from "./fake-runtime.ts";
import { fullJitterMs } from "../src/backoff.ts";
import { MessageIds } from "../src/message-id.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const timeOf = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

describe("message ids", () => {
  it("[N7] carry the server's time, however wrong the client's own is", () => {
    const runtime = new FakeRuntime();
    const ids = new MessageIds(runtime);
    ids.setClock(1_795_000_000_000);
    runtime.advance(1_234);
    expect(timeOf(ids.make())).toBe(1_795_000_001_234);
    ids.setClock(1_600_000_000_000);
    expect(timeOf(ids.make())).toBe(1_600_000_000_000);
  });

  it("[K3] sort as they were made, also when the server's clock seems to go back a little between two connections", () => {
    const runtime = new FakeRuntime();
    const ids = new MessageIds(runtime);
    ids.setClock(1_795_000_000_000);
    const made = [ids.make()];
    ids.setClock(1_794_999_999_900);
    made.push(...Array.from({ length: 5_000 }, () => ids.make()));
    runtime.advance(200);
    made.push(ids.make());
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });

  it("are valid, differ, and sort as they were made", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 2, maxLength: 300, size: "max" }), (stepsMs) => {
        const runtime = new FakeRuntime();
        const ids = new MessageIds(runtime);
        ids.setClock(1_795_000_000_000);
        const made = stepsMs.map((stepMs) => {
          runtime.advance(stepMs);
          return ids.make();
        });
        made.forEach((id) => expect(id).toMatch(UUID_V7));
        expect([...made].sort()).toEqual(made);
        expect(new Set(made).size).toBe(made.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe("back-off", () => {
  it("spreads over the whole range, doubles and is capped", () => {
    expect(fullJitterMs(0, { random: () => 0 })).toBe(0);
    expect(fullJitterMs(0, { random: () => 0.999 })).toBe(499);
    expect(fullJitterMs(3, { random: () => 0.5 })).toBe(2_000);
    expect(fullJitterMs(50, { random: () => 0.5 })).toBe(15_000);
  });
});
