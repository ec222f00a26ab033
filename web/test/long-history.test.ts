/** A long room in a real browser on real engines: read from the newest message to the first and back. `long-history.ts` does so with 100,000, and says what that costs. */
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { describeEngine } from "../../functions/test/engines.ts";
import { startWorld, type World } from "../../functions/test/faults/world.ts";
import { keepFailure, startTrace } from "./failures.ts";
import { moveWhileLoading, openLongRoom, readUpTo, scrollDown } from "./long-room.ts";

const MESSAGES = 1_200;
/** Less than is drawn at once. */
const STEP_PX = 500;

describeEngine(["chromium", "control"], `a room of ${MESSAGES} messages`, ({ chromium: executablePath }) => {
  let world: World;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    world = await startWorld("long-history");
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await openLongRoom(world, browser, MESSAGES);
    await startTrace(page.context());
  }, 180_000);
  afterEach((test) => keepFailure(test, browser.contexts()));
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  }, 60_000);

  it("does not move what is in view while older messages come above it", async () => {
    await readUpTo(page, MESSAGES - 100, () => {});
    for (let load = 0; load < 3; load += 1) expect(await moveWhileLoading(page)).toBeLessThanOrEqual(1);
  }, 60_000);

  it("is read to its first message with few rows drawn", async () => {
    await readUpTo(page, 1, () => {});
  }, 120_000);

  it("[K1] and back to its newest, each message once", async () => {
    const { seen } = await scrollDown(page, STEP_PX, true);
    await page.getByText(`Message ${MESSAGES}`).first().waitFor();
    expect(seen).toBe(MESSAGES);
  }, 120_000);
});
