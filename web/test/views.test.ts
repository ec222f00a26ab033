/** Every view of the page: nothing that axe-core finds, in both themes; no scrolling sideways, and right-to-left without a fault. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { describeEngine } from "../../functions/test/engines.ts";
import { keepFailure } from "./failures.ts";
import { startPageWorld, type PageWorld } from "./page-world.ts";
import { tellStory, type Story } from "./story.ts";
import { openView, VIEWS } from "./views.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

describeEngine(["chromium"], "the views of the page", ({ chromium }) => {
  let world: PageWorld;
  let story: Story;
  beforeAll(async () => {
    world = await startPageWorld(chromium);
    story = await tellStory(world.server.url);
  }, 120_000);
  afterEach((test) => keepFailure(test, world.browser.contexts()));
  afterAll(() => world?.stop(), 60_000);

  /** What axe-core finds, in a line each. */
  async function findingsOf(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const options = JSON.stringify({ runOnly: { type: "tag", values: RULES } });
    const { violations } = (await page.evaluate(`axe.run(document, ${options})`)) as AxeResults;
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  it.each(VIEWS)(
    "$name is accessible on a desktop in light and on a narrow phone in dark, and fits",
    async (view) => {
      for (const [colorScheme, width] of [
        ["light", 1180],
        ["dark", 320],
      ] as const) {
        const page = await world.newPage({
          colorScheme,
          viewport: { width, height: 640 },
          reducedMotion: "reduce",
        });
        await openView(page, world.server.url, story, view);
        expect(await findingsOf(page), `${colorScheme}, ${width} px`).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
        await page.context().close();
      }
    },
    60_000,
  );

  it("has the conversation beside the rooms on a desktop, in the height of the window", async () => {
    const page = await world.newPage({ viewport: { width: 1180, height: 640 } });
    const view = VIEWS.find(({ name }) => name === "conversation");
    if (view === undefined) throw new Error("There is no such view.");
    await openView(page, world.server.url, story, view);
    const side = await page.locator(".side").boundingBox();
    const main = await page.locator(".main").boundingBox();
    expect(side).toMatchObject({ x: 0, y: 0, height: 640 });
    expect(main).toEqual({ x: side?.width, y: 0, width: 1180 - (side?.width ?? 0), height: 640 });
    expect(main?.width).toBeGreaterThan(800);
  }, 60_000);

  it("is whole from right to left and at 200 %", async () => {
    // Twice as large is as if the window were half as wide.
    const page = await world.newPage({ viewport: { width: 590, height: 370 }, deviceScaleFactor: 2 });
    await page.addInitScript(
      "document.addEventListener('DOMContentLoaded', () => document.documentElement.dir = 'rtl')",
    );
    const view = VIEWS.find(({ name }) => name === "people");
    if (view === undefined) throw new Error("There is no such view.");
    await openView(page, world.server.url, story, view);
    expect(await findingsOf(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    const avatar = await page.locator("article.other .avatar").last().boundingBox();
    const bubble = await page.locator("article.other .bubble").last().boundingBox();
    expect(avatar?.x).toBeGreaterThan(bubble?.x ?? Infinity);
  }, 60_000);

  it("broke neither its policy nor itself", () => expect(world.faults).toEqual([]));
});
