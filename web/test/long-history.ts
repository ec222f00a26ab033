/**
 * Reads a room of 100,000 messages, or as many as are given, from the newest to the first, in a real browser on real engines, and says
 * what that took: `npx tsx web/test/long-history.ts [messages]`. Fails where the page holds more rows than it should, or messages are missing.
 */
import { chromium, type Page } from "playwright-core";
import pg from "pg";
import { Person } from "../../functions/test/api-client.ts";
import { startWorld, type World } from "../../functions/test/faults/world.ts";
import { findChromium } from "../../scripts/engines/find.ts";

const MESSAGES = Number(process.argv[2] ?? 100_000);
const REPORT_EACH = Math.max(1_000, MESSAGES / 10);
/** Rows that a page holds at once, whatever it has loaded. */
const ROWS_MAX = 150;
/** Between two messages. */
const PAUSE_MS = 50_000;
const STALL_MS = 20_000;
const FRAMES_TO_TOP_MAX = 60;
const FRAME_MS = 1000 / 60;

interface Progress {
  readonly first: number;
  readonly rows: number;
  readonly longestTaskMs: number;
  readonly isBeginning: boolean;
}

/** Messages of the past two months, written where the consumer would have. */
async function seed(world: World, room: string, writer: Person): Promise<void> {
  const client = new pg.Client({ connectionString: world.postgres.url });
  await client.connect();
  try {
    await insertMessages(client, room, writer);
  } finally {
    await client.end();
  }
}

async function insertMessages(client: pg.Client, room: string, writer: Person): Promise<void> {
  const { rows } = await client.query<{ schema: string }>(
    "SELECT schemaname AS schema FROM pg_tables WHERE tablename = 'events'",
  );
  const schema = pg.escapeIdentifier(rows[0]?.schema ?? "");
  await client.query(
    `INSERT INTO ${schema}.events (room, id, position, prev, kind, user_id, user_name, body)
    SELECT $1, gen_random_uuid(), ($3::bigint + n * ${PAUSE_MS}) << 20,
      CASE WHEN n = 1 THEN 0 ELSE ($3::bigint + (n - 1) * ${PAUSE_MS}) << 20 END, 'message',
      CASE WHEN n % 3 = 0 THEN $2 ELSE 'writer-' || n % 3 END, 'Writer ' || n % 3,
      'Message ' || n || repeat(' and some more words', (n * 7 % 11)::int)
    FROM generate_series(1::bigint, ${MESSAGES}) AS n`,
    [room, writer.id, Date.now() - (MESSAGES + 1) * PAUSE_MS],
  );
}

/** Scrolls to the top until there is nothing more, and reports on the way. */
async function readAll(page: Page): Promise<void> {
  await page.evaluate(() => {
    const told = { longestTaskMs: 0 };
    Object.assign(window, { told });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries())
        told.longestTaskMs = Math.max(told.longestTaskMs, duration);
    }).observe({ type: "longtask" });
  });
  let startMs = performance.now();
  let framesAtBeginning = 0;
  let [reached, reachedMs] = [0, startMs];
  let next = MESSAGES - REPORT_EACH;
  for (;;) {
    const progress = await page.evaluate((): Promise<Progress> => {
      const list = document.querySelector(".list") as HTMLElement;
      list.scrollTop = 0;
      return new Promise((resolve) =>
        requestAnimationFrame(() => {
          const articles = [...document.querySelectorAll(".list article")];
          const [, first = "0"] = /Message (\d+)/.exec(articles[0]?.textContent ?? "") ?? [];
          const { longestTaskMs } = (window as unknown as { told: { longestTaskMs: number } }).told;
          const isBeginning =
            document.body.textContent?.includes("This is where the conversation begins") === true;
          resolve({ first: Number(first), rows: articles.length, longestTaskMs, isBeginning });
        }),
      );
    });
    if (progress.rows > ROWS_MAX) throw new Error(`${progress.rows} rows at once, over ${ROWS_MAX}.`);
    if (progress.first <= next || progress.first === 1) {
      await report(page, progress, performance.now() - startMs);
      startMs = performance.now();
      next = progress.first - REPORT_EACH;
    }
    if (progress.isBeginning && progress.first === 1) return;
    if (progress.first !== reached) [reached, reachedMs] = [progress.first, performance.now()];
    if (performance.now() - reachedMs > STALL_MS)
      throw new Error(`Stays at message ${reached}: ${await page.locator(".list").innerText()}`);
    // The last page keeps its place on the screen; the next scroll is to its top.
    framesAtBeginning += progress.isBeginning ? 1 : 0;
    if (framesAtBeginning > FRAMES_TO_TOP_MAX)
      throw new Error(`The conversation begins with message ${progress.first}.`);
  }
}

async function report(page: Page, { first, rows, longestTaskMs }: Progress, ms: number): Promise<void> {
  const heapMb = await page.evaluate(
    () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize / 2 ** 20,
  );
  console.log(
    `at message ${first}: ${rows} rows, ${Math.round(ms / 1000)} s, longest task ${Math.round(longestTaskMs)} ms, heap ${Math.round(heapMb)} MiB`,
  );
  await page.evaluate(
    () => void ((window as unknown as { told: { longestTaskMs: number } }).told.longestTaskMs = 0),
  );
}

/** From the top to the bottom in big steps: how many frames came late. */
async function scrollDown(page: Page): Promise<void> {
  const frames = await page.evaluate(async () => {
    const list = document.querySelector(".list") as HTMLElement;
    const times: number[] = [];
    const step = list.scrollHeight / 600;
    let last = await new Promise<number>(requestAnimationFrame);
    for (let n = 0; n < 600; n++) {
      list.scrollTop += step;
      const now = await new Promise<number>(requestAnimationFrame);
      times.push(now - last);
      last = now;
    }
    return times;
  });
  const late = frames.filter((ms) => ms > FRAME_MS * 1.5).length;
  console.log(
    `down in ${frames.length} steps: ${late} frames late, the longest ${Math.round(Math.max(...frames))} ms`,
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
  const [node] = await Promise.all([world.node(), world.consumer()]);
  const ada = await Person.on([node.url], "Ada");
  const room = await ada.room("public", "Archive");
  await seed(world, room, ada);
  const page = await browser.newPage({ viewport: { width: 1180, height: 740 } });
  const account = JSON.stringify({ token: ada.token, user: { id: ada.id, name: ada.name } });
  await page.addInitScript((kept) => localStorage.setItem("skat.account", kept), account);
  await page.goto(`${node.url}/#/${room}`);
  await page.getByText(`Message ${MESSAGES}`).first().waitFor();
  await readAll(page);
  await scrollDown(page);
  await page.getByText(`Message ${MESSAGES}`).first().waitFor();
} finally {
  await browser.close();
  await world.close();
}
