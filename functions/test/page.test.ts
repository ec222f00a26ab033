/** The page in a real browser: two people chat, see both ticks, and find everything again. */
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEngine } from "./engines.ts";
import { startEmbedded, type Embedded } from "./harness.ts";

describeEngine(["chromium"], "the page", ({ chromium: executablePath }) => {
  let server: Embedded;
  let browser: Browser;
  /** What the page's own policy kept it from. */
  const policyFaults: string[] = [];
  beforeAll(async () => {
    server = await startEmbedded();
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function enter(name: string, width: number): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 700 } });
    const page = await context.newPage();
    page.on("console", (line) => {
      if (/content security policy/i.test(line.text())) policyFaults.push(line.text());
    });
    await page.goto(server.url);
    await page.getByRole("textbox").first().fill(name);
    await page.keyboard.press("Enter");
    await page.getByPlaceholder("Write a message").waitFor();
    return page;
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByPlaceholder("Write a message").fill(text);
    await page.keyboard.press("Enter");
  }

  it("[G3] two tabs chat, both ticks come, and a reload and a restart find the history", async () => {
    const ada = await enter("Ada", 1280);
    const ben = await enter("Ben", 360);
    await say(ada, "Hello Ben");
    await ben.getByText("Hello Ben").first().waitFor();
    await ada.getByText("Saved").first().waitFor({ state: "attached" });
    await say(ben, "Hello Ada");
    await ada.getByText("Hello Ada").first().waitFor();
    await ada.reload();
    await ada.getByText("Hello Ada").first().waitFor();
    await server.restart();
    await say(ben, "Still here");
    await ada.getByText("Still here").first().waitFor({ timeout: 30_000 });
    expect(await ben.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    expect(policyFaults).toEqual([]);
  }, 90_000);
});
