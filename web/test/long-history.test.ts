/** A long room in a real browser on real engines: read from the newest message to the first and back. `long-history.ts` does so with 100,000. */
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { describeEngine } from "../../functions/test/engines.ts";
import { startWorld, type World } from "../../functions/test/faults/world.ts";
import { keepFailure } from "./failures.ts";
import { moveWhileLoading, openLongRoom, readUpTo, scrollDown } from "./long-room.ts";
import { LONG_TASK_MS, tasksOf } from "./main-thread.ts";

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

  it("is read to its first message with few rows drawn and no long task", async () => {
    const tasks = await tasksOf(browser, page, () => readUpTo(page, 1, () => {}));
    expect(tasks.filter((ms) => ms > LONG_TASK_MS)).toEqual([]);
  }, 120_000);

  it("[K1] and back to its newest, each message once, with no long task", async () => {
    let seen = 0;
    const tasks = await tasksOf(browser, page, async () => ({ seen } = await scrollDown(page, STEP_PX)));
    await page.getByText(`Message ${MESSAGES}`).first().waitFor();
    expect(seen).toBe(MESSAGES);
    expect(tasks.filter((ms) => ms > LONG_TASK_MS)).toEqual([]);
  }, 120_000);
});
