/** Browsers on a node of ours: people who enter the page, what they write, and what the page did that it must not. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { startEmbedded, type Embedded, type Env } from "../../functions/test/harness.ts";
import { startTrace } from "./failures.ts";

export interface PageBrowser {
  readonly browser: Browser;
  /** Errors of the pages, and what their own policy kept them from. */
  readonly faults: readonly string[];
  newPage(options?: BrowserContextOptions): Promise<Page>;
  /** Somebody on a device of their own who enters as a guest. */
  enter(name: string, options?: BrowserContextOptions & { path?: string }): Promise<Page>;
}

export interface PageWorld extends PageBrowser {
  readonly server: Embedded;
  stop(): Promise<void>;
}

/** `url` is that of the page. */
export async function openBrowser(executablePath: string, url: () => string): Promise<PageBrowser> {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const faults: string[] = [];
  const newPage = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ viewport: { width: 1180, height: 740 }, ...options });
    await startTrace(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (line) => {
      if (/content security policy/i.test(line.text())) faults.push(line.text());
    });
    return page;
  };
  return {
    browser,
    faults,
    newPage,
    enter: async (name, { path = "/", ...options } = {}) => {
      const page = await newPage(options);
      await page.goto(url() + path);
      await page.getByLabel("Your name").fill(name);
      await page.keyboard.press("Enter");
      await page.getByPlaceholder("Write a message").waitFor();
      return page;
    },
  };
}

export async function startPageWorld(executablePath: string, env: Env = {}): Promise<PageWorld> {
  const server = await startEmbedded(env);
  const pages = await openBrowser(executablePath, () => server.url);
  return {
    ...pages,
    server,
    stop: async () => {
      await pages.browser.close();
      await server.stop();
    },
  };
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByPlaceholder("Write a message").fill(text);
  await page.keyboard.press("Enter");
}

export function message(page: Page, text: string | RegExp) {
  return page.locator("article").filter({ hasText: text });
}

export async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** The room that the address names. */
export function roomOf(page: Page): string {
  return decodeURIComponent(new URL(page.url()).hash.slice(2));
}
