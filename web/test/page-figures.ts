/** Measures the page in a real browser, a program of its own: does the job that is its argument, and prints what it saw. */
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type CDPSession, type Page } from "playwright-core";
import { newId } from "../../functions/test/events.ts";
import type { Live, PageFigures, PageJob } from "../../bench/page-job.ts";
import { Person, sinceOf } from "../../functions/test/api-client.ts";
import type { RawClient } from "../../functions/test/test-client.ts";
import { findChromium } from "../../scripts/engines/find.ts";
import { readUpTo } from "./long-room.ts";
import { LONG_TASK_MS, tasksOf } from "./main-thread.ts";
import { byteMeter, cpuMeter, heapBytes, installProbe, readProbe } from "./page-probe.ts";

const PER_SECOND = 50;
const SHORT = 50;
const BURST = 500;
const AT_ONCE = 100;
const ECHOES = 10;
const BODY_BYTES = 200;

/** Somebody who talks in a room by a bare socket. */
class Speaker {
  readonly #client: RawClient;
  readonly #room: string;
  readonly #since: string;
  #said = 0;

  constructor(client: RawClient, room: string) {
    this.#client = client;
    this.#room = room;
    this.#since = sinceOf(client, room);
  }

  get said(): number {
    return this.#said;
  }

  /** Answers when all are sent; what is answered is not kept. */
  async say(count: number): Promise<void> {
    for (let left = count; left > 0; left -= AT_ONCE) {
      const frames = Array.from({ length: Math.min(left, AT_ONCE) }, () => this.#next());
      await Promise.all(frames.map((frame) => this.#client.ask(frame)));
      this.#client.frames.length = 0;
    }
  }

  /** So many a second, each when its time has come. */
  async talk(forMs: number): Promise<number> {
    const startMs = performance.now();
    const count = Math.round((forMs * PER_SECOND) / 1_000);
    for (let index = 0; index < count; index++) {
      await sleep(startMs + (index * 1_000) / PER_SECOND - performance.now());
      this.#client.send(this.#next());
    }
    return count;
  }

  end(): void {
    this.#client.close();
  }

  #next(): object {
    const body = `Message ${++this.#said} `.padEnd(BODY_BYTES, "and so on ");
    return { type: "send", room: this.#room, id: newId(), body, since: this.#since };
  }
}

interface Reader {
  readonly page: Page;
  readonly devtools: CDPSession;
}

async function openReader(browser: Browser, url: string, person: Person, room: string): Promise<Reader> {
  const page = await browser.newPage({ viewport: { width: 1180, height: 740 } });
  await installProbe(page);
  const account = JSON.stringify({ token: person.token, user: { id: person.id, name: person.name } });
  await page.addInitScript((kept) => localStorage.setItem("skat.account", kept), account);
  await page.goto(`${url}/#/${room}`);
  await page.getByPlaceholder("Write a message").waitFor();
  return { page, devtools: await page.context().newCDPSession(page) };
}

const shows = (page: Page, number: number) =>
  page
    .locator("article")
    .filter({ hasText: `Message ${number} ` })
    .first()
    .waitFor({ timeout: 120_000 });

async function live({ page, devtools }: Reader, speaker: Speaker, forMs: number): Promise<Live> {
  await readProbe(page);
  const [cpuMs, bytes] = [await cpuMeter(devtools), await byteMeter(devtools)];
  const before = { cpuMs: await cpuMs(), bytes: bytes() };
  const count = await speaker.talk(forMs);
  await shows(page, speaker.said);
  const { paintMs } = await readProbe(page);
  return {
    cpuMsPerMessage: ((await cpuMs()) - before.cpuMs) / count,
    bytesPerMessage: (bytes() - before.bytes) / count,
    paintMs,
  };
}

async function echo({ page }: Reader): Promise<PageFigures["echoes"]> {
  await readProbe(page);
  for (let index = 0; index < ECHOES; index++) {
    await page.getByPlaceholder("Write a message").fill(`My own ${index}`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page
      .locator("article")
      .filter({ hasText: `My own ${index}` })
      .getByText("Saved")
      .waitFor({ state: "attached" });
  }
  return (await readProbe(page)).echoes;
}

async function burst(browser: Browser, { page }: Reader, speaker: Speaker): Promise<PageFigures["burst"]> {
  const tasks = await tasksOf(browser, page, async () => {
    await speaker.say(BURST);
    await shows(page, speaker.said);
  });
  const long = tasks.filter((ms) => ms > LONG_TASK_MS).length;
  return { tasks: tasks.length, long, longestMs: Math.max(...tasks) };
}

async function flood({ page, devtools }: Reader, speaker: Speaker, count: number): Promise<number> {
  await speaker.say(count);
  await shows(page, speaker.said);
  return heapBytes(devtools);
}

async function measure(
  browser: Browser,
  { url, origin, received, loaded, liveMs }: PageJob,
): Promise<PageFigures> {
  const [ada, ben] = [await Person.on([url], "Ada"), await Person.on([url], "Ben")];
  const room = await ben.room("public", "Arena");
  const speaker = new Speaker(await ben.joined(room), room);
  browser.on("disconnected", () => speaker.end());
  await speaker.say(SHORT);
  const first = await openReader(browser, origin, ada, room);
  await shows(first.page, SHORT);
  const short = await live(first, speaker, liveMs);
  const [some, all] = received;
  const heaps = [await flood(first, speaker, some), await flood(first, speaker, all - some)] as const;
  await first.page.close();

  const second = await openReader(browser, origin, ada, room);
  await shows(second.page, speaker.said);
  await readUpTo(second.page, speaker.said - loaded, () => {});
  await second.page.getByRole("button", { name: "Newest messages" }).click();
  await shows(second.page, speaker.said);
  const long = await live(second, speaker, liveMs);
  const echoes = await echo(second);
  return { short, long, echoes, burst: await burst(browser, second, speaker), heapBytes: heaps };
}

const job = JSON.parse(process.argv[2] ?? "{}") as PageJob;
const browser = await chromium.launch({
  executablePath: findChromium() ?? "",
  args: ["--no-sandbox", `--host-resolver-rules=MAP ${new URL(job.origin).host}:80 ${new URL(job.url).host}`],
});
try {
  console.log(JSON.stringify(await measure(browser, job)));
} finally {
  await browser.close();
}
