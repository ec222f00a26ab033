/** Draws `web/public/icon-*.png` from `icon.svg`, with Chromium: `npx tsx web/icons.ts`. The maskable ones fill their square, for phones cut them to a shape of their own. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findChromium } from "../scripts/engines/find.ts";

const PUBLIC = join(import.meta.dirname, "public");
const GROUND = "#f7f5f0";
/** A circle of four fifths of the width is never cut away. */
const MASKABLE_SCALE = 0.62;

const executablePath = findChromium();
if (executablePath === undefined) throw new Error("No Chromium was found: install the package chromium.");
const svg = readFileSync(join(PUBLIC, "icon.svg"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  for (const size of [192, 512])
    for (const isMaskable of [false, true]) {
      const page = await browser.newPage({ viewport: { width: size, height: size } });
      const drawn = Math.round(size * (isMaskable ? MASKABLE_SCALE : 1));
      const body = `margin:0;height:100vh;display:grid;place-items:center;background:${isMaskable ? GROUND : "transparent"}`;
      await page.setContent(
        `<body style="${body}"><div style="width:${drawn}px;height:${drawn}px">${svg}</div></body>`,
      );
      const picture = await page.screenshot({ omitBackground: true });
      writeFileSync(join(PUBLIC, `icon-${isMaskable ? "maskable-" : ""}${size}.png`), picture);
    }
} finally {
  await browser.close();
}
