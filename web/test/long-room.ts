/** A room of very many messages in a real browser, and a reader who goes through it from the newest to the first and back. */
import type { Browser, Page } from "playwright-core";
import pg from "pg";
import { Person } from "../../functions/test/api-client.ts";
import type { World } from "../../functions/test/faults/world.ts";

export interface Progress {
  /** The number of the topmost message. */
  readonly first: number;
  /** Rows that are drawn. */
  readonly rows: number;
  /** Nothing is older. */
  readonly isBeginning: boolean;
}

/** Rows that a page holds at once, whatever it has loaded. */
const ROWS_MAX = 150;
/** Between two messages. */
const PAUSE_MS = 50_000;
const STALL_MS = 20_000;
const FRAMES_TO_TOP_MAX = 60;

/** Somebody's page that shows the end of a room of so many messages. */
export async function openLongRoom(world: World, browser: Browser, count: number): Promise<Page> {
  const [node] = await Promise.all([world.node(), world.consumer()]);
  const ada = await Person.on([node.url], "Ada");
  const room = await ada.room("public", "Archive");
  await seed(world, room, ada, count);
  const page = await browser.newPage({ viewport: { width: 1180, height: 740 } });
  const account = JSON.stringify({ token: ada.token, user: { id: ada.id, name: ada.name } });
  await page.addInitScript((kept) => localStorage.setItem("skat.account", kept), account);
  await page.goto(`${node.url}/#/${room}`);
  await page.getByText(`Message ${count}`).first().waitFor();
  return page;
}

/** Messages of the past two months, written where the consumer would have. */
async function seed(world: World, room: string, writer: Person, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: world.postgres.url });
  await client.connect();
  try {
    await insertMessages(client, room, writer, count);
  } finally {
    await client.end();
  }
}

async function insertMessages(client: pg.Client, room: string, writer: Person, count: number): Promise<void> {
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
    FROM generate_series(1::bigint, ${count}) AS n`,
    [room, writer.id, Date.now() - (count + 1) * PAUSE_MS],
  );
}

/** Scrolls to the top until that message is there, and tells of each new one. Fails where too many rows are drawn or nothing more comes. */
export async function readUpTo(page: Page, last: number, onProgress: (progress: Progress) => unknown) {
  let [reached, reachedMs] = [Infinity, performance.now()];
  let framesAtBeginning = 0;
  for (;;) {
    const progress = await scrollToTop(page);
    const { first, rows, isBeginning } = progress;
    if (rows > ROWS_MAX) throw new Error(`${rows} rows at once, over ${ROWS_MAX}.`);
    if (first !== reached) {
      [reached, reachedMs] = [first, performance.now()];
      await onProgress(progress);
    }
    if (first <= last) return;
    if (performance.now() - reachedMs > STALL_MS)
      throw new Error(`Stays at message ${reached}: ${await page.locator(".list").innerText()}`);
    // The last page keeps its place on the screen; the next scroll is to its top.
    framesAtBeginning += isBeginning ? 1 : 0;
    if (framesAtBeginning > FRAMES_TO_TOP_MAX)
      throw new Error(`The conversation begins with message ${first}.`);
  }
}

/** What is drawn there with the next frame. */
function scrollToTop(page: Page): Promise<Progress> {
  return page.evaluate(() => {
    const list = document.querySelector(".list") as HTMLElement;
    list.scrollTop = 0;
    return new Promise((resolve) =>
      requestAnimationFrame(() => {
        const articles = [...document.querySelectorAll(".list article")];
        const [, first = "0"] = /Message (\d+)/.exec(articles[0]?.textContent ?? "") ?? [];
        const top = document.querySelector(".list-top")?.textContent ?? "";
        const isBeginning = top.includes("This is where the conversation begins");
        resolve({ first: Number(first), rows: articles.length, isBeginning });
      }),
    );
  });
}

export interface Descent {
  /** How long each frame took, in milliseconds. */
  readonly frames: readonly number[];
  /** How many messages were on the page in any of them. */
  readonly seen: number;
}

/** From the top to the bottom, so many pixels each frame; `untilDrawn`: no further before the list is drawn where it is. */
export function scrollDown(page: Page, stepPx: number, untilDrawn = false): Promise<Descent> {
  return page.evaluate(
    async ([step, isPatient]) => {
      const list = document.querySelector(".list") as HTMLElement;
      const seen = new Set<string>();
      const frames: number[] = [];
      const { top, bottom } = list.getBoundingClientRect();
      list.scrollTop = 0;
      let last = await new Promise<number>(requestAnimationFrame);
      // Once more at the end, so that it is drawn.
      for (let framesAtEnd = 0; framesAtEnd < 3;) {
        // In its place, for tsx gives a function with a name a helper that the page does not have.
        const rows = [...list.querySelectorAll("article")].map((row) => row.getBoundingClientRect());
        const isDrawn = rows.some((row) => row.top <= top) && rows.some((row) => row.bottom >= bottom);
        if (!isPatient || isDrawn || list.scrollTop === 0) list.scrollTop += step;
        const now = await new Promise<number>(requestAnimationFrame);
        frames.push(now - last);
        last = now;
        for (const row of document.querySelectorAll<HTMLElement>(".list article"))
          seen.add(row.dataset["message"] ?? "");
        framesAtEnd += list.scrollTop + list.clientHeight >= list.scrollHeight - 1 ? 1 : 0;
      }
      return { frames, seen: seen.size };
    },
    [stepPx, untilDrawn] as const,
  );
}

const HISTORY = /\/events\?/;

/** How far what is in view moved, in pixels, in any frame since older messages came above it. */
export async function moveWhileLoading(page: Page): Promise<number> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(HISTORY, async (route) => {
    await released;
    await route.continue();
  });
  await settleNearTop(page);
  const moved = page.evaluate(watchRow);
  release();
  const farthest = await moved;
  await page.unroute(HISTORY);
  return farthest;
}

/** Near enough to the top for older messages to be asked for, and all that is drawn there measured. */
function settleNearTop(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const list = document.querySelector(".list") as HTMLElement;
    for (let [same, last] = [0, 0]; same < 5;) {
      await new Promise(requestAnimationFrame);
      // What was asked for before may still come.
      if (list.scrollTop > 590) list.scrollTop = 500;
      same = list.scrollHeight === last ? same + 1 : 0;
      last = list.scrollHeight;
    }
  });
}

/** In the page: until ten frames after the list has grown. */
async function watchRow(): Promise<number> {
  const list = document.querySelector(".list") as HTMLElement;
  const { top } = list.getBoundingClientRect();
  const rows = [...document.querySelectorAll(".list article")];
  const row = rows.find((article) => article.getBoundingClientRect().top > top + 100);
  if (!row) throw new Error("There is no message in view.");
  const [heightBefore, before] = [list.scrollHeight, row.getBoundingClientRect().top];
  let moved = 0;
  for (let framesAfter = 0; framesAfter < 10; framesAfter += list.scrollHeight > heightBefore ? 1 : 0) {
    await new Promise(requestAnimationFrame);
    moved = Math.max(moved, row.isConnected ? Math.abs(row.getBoundingClientRect().top - before) : Infinity);
  }
  return moved;
}
