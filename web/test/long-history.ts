/**
 * Reads a room of 100,000 messages, or as many as are given, from the newest to the first and back, in a real browser on real engines, and
 * says what that took: `npx tsx web/test/long-history.ts [messages]`. Fails where the page holds more rows than it should, or messages are missing.
 */
import { chromium, type Page } from "playwright-core";
import { startWorld } from "../../functions/test/faults/world.ts";
import { findChromium } from "../../scripts/engines/find.ts";
import { openLongRoom, readUpTo, scrollDown, type Progress } from "./long-room.ts";
import { LONG_TASK_MS, tasksOf } from "./main-thread.ts";

const MESSAGES = Number(process.argv[2] ?? 100_000);
const REPORT_EACH = Math.max(1_000, MESSAGES / 10);
/** Of the last messages the tasks are traced: there the list is longest. */
const TRACED = Math.min(10_000, MESSAGES / 2);
const FRAME_MS = 1000 / 60;
const STEPS = 600;

/** Tells each so many messages where the reader is. */
function reporter(page: Page): (progress: Progress) => Promise<void> {
  let startMs = performance.now();
  let next = MESSAGES - REPORT_EACH;
  return async ({ first, rows }) => {
    if (first > next) return;
    const heapMb = await page.evaluate(
      () =>
        (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 2 ** 20,
    );
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    console.log(`at message ${first}: ${rows} rows, ${seconds} s, heap ${Math.round(heapMb)} MiB`);
    startMs = performance.now();
    next = first - REPORT_EACH;
  };
}

function tell(what: string, tasks: readonly number[]): void {
  const long = tasks.filter((ms) => ms > LONG_TASK_MS).length;
  const longest = Math.max(...tasks).toFixed(1);
  console.log(
    `${what}: ${tasks.length} tasks, ${long} of more than ${LONG_TASK_MS} ms of CPU, the longest ${longest}`,
  );
}

const executablePath = findChromium();
if (executablePath === undefined) throw new Error("No Chromium was found: install the package chromium.");
const world = await startWorld("history");
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--enable-precise-memory-info"],
});
try {
  const page = await openLongRoom(world, browser, MESSAGES);
  const report = reporter(page);
  await readUpTo(page, TRACED, report);
  tell(`the last ${TRACED} up`, await tasksOf(browser, page, () => readUpTo(page, 1, report)));
  const heightPx = await page.evaluate(() => document.querySelector(".list")?.scrollHeight ?? 0);
  let frames: readonly number[] = [];
  const tasks = await tasksOf(
    browser,
    page,
    async () => ({ frames } = await scrollDown(page, heightPx / STEPS)),
  );
  const late = frames.filter((ms) => ms > FRAME_MS * 1.5).length;
  tell(`down in ${frames.length} frames`, tasks);
  console.log(`${late} frames late, the longest ${Math.round(Math.max(...frames))} ms`);
  await page.getByText(`Message ${MESSAGES}`).first().waitFor();
} finally {
  await browser.close();
  await world.close();
}
