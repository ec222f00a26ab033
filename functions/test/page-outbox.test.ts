/** The page's outbox in a real browser: crashes, lost networks and several tabs lose no message and send none twice. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { describeEngine } from "./engines.ts";
import { startEmbedded, type Embedded } from "./harness.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { waitFor } from "./wait-for.ts";

/** An address for documentation, which the browser alone takes for this machine. A page from there is not secure: it has no Web Locks. */
const INSECURE_HOST = "192.0.2.1";
const NO_PORT = 1;

describeEngine(["chromium"], "the outbox of the page", ({ chromium: executablePath }) => {
  let server: Embedded;
  let proxy: TcpProxy;
  let isReachable: boolean;
  let profile: string;
  let context: BrowserContext;
  /** The bodies of all messages that any tab has sent, in order. */
  let sent: string[];

  beforeAll(async () => {
    server = await startEmbedded();
    proxy = await startTcpProxy(() => (isReachable ? Number(new URL(server.url).port) : NO_PORT));
  }, 90_000);
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    isReachable = true;
    sent = [];
    profile = mkdtempSync(join(tmpdir(), "skat-profile-"));
    await openBrowser();
  });
  afterEach(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  async function openBrowser(): Promise<void> {
    const args = ["--no-sandbox", `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`];
    context = await chromium.launchPersistentContext(profile, { executablePath, args });
    context.on("page", listen);
    context.pages().forEach(listen);
  }

  function listen(page: Page): void {
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        const frame = JSON.parse(String(payload)) as { type: string; body?: string };
        if (frame.type === "send" && frame.body !== undefined) sent.push(frame.body);
      }),
    );
  }

  async function openTab(host = "127.0.0.1"): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`http://${host}:${proxy.port}`);
    const composer = page.getByPlaceholder("Write a message");
    const name = page.getByLabel("Your name");
    await composer.or(name).first().waitFor();
    if (await name.isVisible()) {
      await name.fill("Ada");
      await page.keyboard.press("Enter");
    }
    await composer.waitFor();
    return page;
  }

  async function say(page: Page, ...texts: string[]): Promise<void> {
    for (const text of texts) {
      await page.getByPlaceholder("Write a message").fill(text);
      await page.keyboard.press("Enter");
      await page.locator("article.own").filter({ hasText: text }).waitFor();
    }
  }

  /** The messages that a tab shows of those that begin so, once all are saved. */
  async function savedOf(page: Page, beginning: string, count: number): Promise<string[]> {
    const bodies = () =>
      page
        .locator("article")
        .filter({ has: page.locator('[data-delivery="saved"]') })
        .filter({ hasText: beginning })
        .allInnerTexts();
    const texts = await waitFor(
      async () => {
        const all = await bodies();
        return all.length >= count && all;
      },
      `${count} saved messages`,
      30_000,
    );
    return texts.map((text) => new RegExp(`${beginning} \\w+`).exec(text)?.[0] ?? text);
  }

  const numbers = (beginning: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${beginning} ${index}`);

  it("[K3] three messages written without a network outlive a crash of the browser: all are there once, in order", async () => {
    await openTab();
    await context.close(); // a browser writes down who is signed in when it closes, or after some seconds
    await openBrowser();
    const page = await openTab();
    isReachable = false;
    proxy.cut();
    await page.locator('[data-connection="waiting"]').waitFor();
    await say(page, ...numbers("lonely", 3));
    const session = await context.browser()?.newBrowserCDPSession();
    const closed = new Promise((resolve) => context.once("close", resolve));
    session?.send("Browser.crash").catch(() => {}); // it can't answer
    await closed;
    expect(sent).toEqual([]);
    isReachable = true;
    await openBrowser();
    expect(await savedOf(await openTab(), "lonely", 3)).toEqual(numbers("lonely", 3));
    expect(sent).toEqual(numbers("lonely", 3));
  }, 60_000);

  it("is sent at once when the network returns", async () => {
    const page = await openTab();
    await context.setOffline(true);
    await page.locator('[data-connection="waiting"]').waitFor();
    await say(page, "offline 0");
    await context.setOffline(false);
    expect(await savedOf(page, "offline", 1)).toEqual(["offline 0"]);
  }, 60_000);

  it.each([
    ["Web Locks", "127.0.0.1"],
    ["a lease, where the page is not secure", INSECURE_HOST],
  ])(
    "[K3] of two tabs one sends, by %s, and the other goes on when it is closed",
    async (_, host) => {
      const [one, two] = [await openTab(host), await openTab(host)];
      expect(await one.evaluate("'locks' in navigator")).toBe(host !== INSECURE_HOST);
      await Promise.all([say(one, ...numbers("one", 5)), say(two, ...numbers("two", 5))]);
      for (const tab of [one, two])
        for (const beginning of ["one", "two"])
          expect(await savedOf(tab, beginning, 5)).toEqual(numbers(beginning, 5));
      expect([...sent].sort()).toEqual([...numbers("one", 5), ...numbers("two", 5)]);
      await one.close();
      await say(two, "last 0");
      expect(await savedOf(two, "last", 1)).toEqual(["last 0"]);
      expect(sent.length).toBe(11);
    },
    60_000,
  );
});
