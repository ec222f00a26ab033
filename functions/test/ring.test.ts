/** The ring of an open room: bounded, and it never answers a resume with a part. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { toStreamEvent } from "../core/event.ts";
import { links } from "../core/pages.ts";
import { Ring } from "../core/ring.ts";
import { PAGE_EVENTS } from "../protocol.ts";
import { message, place } from "./events.ts";

const event = (n: number, body = "") => toStreamEvent(message("lobby", n, { body }));

/** A ring that holds the events from `first` on, `count` of them pushed after the page it began with. */
function ringOf(page: number, pushed: number, complete: boolean, body = ""): Ring {
  const ring = new Ring(
    Array.from({ length: page }, (_, n) => event(n, body)),
    complete,
  );
  for (let n = page; n < page + pushed; n++) ring.push(event(n, body));
  return ring;
}

test("[G5] [N4] what follows a position is everything up to the newest, linked, or nothing is answered", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: PAGE_EVENTS }),
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: -2, max: 3_100 }),
      (page, pushed, after) => {
        const last = page + pushed - 1;
        const since = ringOf(page, pushed, true).since(place(after));
        if (since === undefined) return;
        expect(since).toHaveLength(last - after);
        expect(links(place(after), since, place(last))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

test("[N4] at least the newest 512 events are there for a reconnect storm", () => {
  const last = 10_000;
  const ring = ringOf(PAGE_EVENTS, last + 1 - PAGE_EVENTS, true);
  expect(ring.since(place(last - 512))).toHaveLength(512);
  expect(ring.since(place(last - 2_000))).toBeUndefined();
});

test("memory is bounded: long messages leave earlier, but a page of them stays", () => {
  const ring = ringOf(PAGE_EVENTS, 2_000, true, "x".repeat(32 * 1024));
  expect(ring.newest().events).toHaveLength(PAGE_EVENTS);
  expect(ring.since(place(PAGE_EVENTS + 2_000 - 200))).toBeUndefined();
});

test("a page is complete only while nothing older was ever there", () => {
  expect(ringOf(3, 4, true).newest()).toMatchObject({ complete: true, events: { length: 7 } });
  expect(ringOf(3, 4, false).newest().complete).toBe(false);
  expect(ringOf(PAGE_EVENTS, 1, true).newest().complete).toBe(false);
  expect(ringOf(3, 5_000, true).newest().complete).toBe(false);
});
