/** `npm run screenshots`: pictures of every view of the page, or of those named, in light and dark, on a phone and on a desktop. */
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium, devices, type Browser } from "playwright-core";
import { startEmbedded } from "../../functions/test/harness.ts";
import { tellStory, type Story } from "./story.ts";
import { openView, VIEWS, type View } from "./views.ts";
import { findChromium } from "../../scripts/engines/find.ts";

const OUT = resolve(import.meta.dirname, "../../dist/screenshots");
const DOCS = resolve(import.meta.dirname, "../../docs");
/** Those that the README shows, and how large each may be. */
const SHOWN = {
  "conversation-desktop-light": "page.png",
  "conversation-phone-dark": "page-phone.png",
} as const;
const SHOWN_BYTES_MAX = 150_000;

const DEVICES = {
  desktop: { viewport: { width: 1180, height: 740 } },
  phone: { ...devices["Pixel 7"], viewport: { width: 393, height: 760 }, deviceScaleFactor: 1.5 },
} as const;
const SCHEMES = ["light", "dark"] as const;

interface Shot {
  readonly view: View;
  readonly device: keyof typeof DEVICES;
  readonly scheme: (typeof SCHEMES)[number];
}

async function take(browser: Browser, url: string, story: Story, shot: Shot): Promise<void> {
  const { view, device, scheme } = shot;
  const options = { ...DEVICES[device], colorScheme: scheme, locale: "en-GB", timezoneId: "Europe/Berlin" };
  // Where it may be asked: a browser without a window is refused by itself.
  const context = await browser.newContext({ ...options, permissions: ["notifications"] });
  const page = await context.newPage();
  await openView(page, url, story, view);
  await page.evaluate("document.fonts.ready");
  await page.screenshot({ path: join(OUT, `${view.name}-${device}-${scheme}.png`), animations: "disabled" });
  await context.close();
}

function copyShown(): void {
  for (const [name, shown] of Object.entries(SHOWN)) {
    const from = join(OUT, `${name}.png`);
    const { size } = statSync(from);
    if (size > SHOWN_BYTES_MAX) throw new Error(`${name} has ${size} bytes, over ${SHOWN_BYTES_MAX}.`);
    copyFileSync(from, join(DOCS, shown));
  }
}

const names = process.argv.slice(2);
const views = VIEWS.filter(({ name }) => names.length === 0 || names.includes(name));
const executablePath = findChromium();
if (executablePath === undefined) throw new Error("No Chromium was found: install the package chromium.");
mkdirSync(OUT, { recursive: true });
const server = await startEmbedded();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const story = await tellStory(server.url);
  for (const view of views)
    for (const device of ["desktop", "phone"] as const)
      for (const scheme of SCHEMES) await take(browser, server.url, story, { view, device, scheme });
  copyShown();
  console.log(`${views.length * 4} pictures are in ${OUT}`);
} finally {
  await browser.close();
  await server.stop();
}
