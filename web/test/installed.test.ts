/** The page as an app of its own, in a real browser: without a network, over a deploy, and with notifications. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Person, say as sayBy } from "../../functions/test/api-client.ts";
import { describeEngine } from "../../functions/test/engines.ts";
import { startEmbedded, type Embedded } from "../../functions/test/harness.ts";
import { waitFor } from "../../functions/test/wait-for.ts";
import { keepFailure, startTrace } from "./failures.ts";
import { message, press, roomOf, say } from "./page-world.ts";
import { startSite, type Site } from "./site.ts";

interface Shown {
  readonly title: string;
  readonly body: string;
}

describeEngine(["chromium"], "the page as an app", ({ chromium: executablePath }) => {
  let server: Embedded;
  let site: Site;
  let profile: string;
  let context: BrowserContext;
  beforeAll(async () => {
    server = await startEmbedded();
    site = await startSite(() => server.url);
  }, 120_000);
  afterAll(async () => {
    await site?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    site.deploy(0);
    site.setReachable(true);
    profile = mkdtempSync(join(tmpdir(), "skat-profile-"));
    await openBrowser();
  });
  afterEach(async (test) => {
    await keepFailure(test, [context]);
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  async function openBrowser(): Promise<void> {
    context = await chromium.launchPersistentContext(profile, { executablePath, args: ["--no-sandbox"] });
    await startTrace(context);
  }

  async function reopenBrowser(): Promise<Page> {
    await context.close();
    await openBrowser();
    return openTab();
  }

  async function openTab(address = ""): Promise<Page> {
    const page = await context.newPage();
    await page.goto(site.url + address);
    return page;
  }

  /** Signed in, with a service worker that has the whole page. */
  async function enter(name: string): Promise<Page> {
    const page = await openTab();
    await page.getByLabel("Your name").fill(name);
    await page.keyboard.press("Enter");
    await page.locator('[data-connection="online"]').waitFor();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    return page;
  }

  const saved = (page: Page, text: string) =>
    message(page, text).locator('[data-delivery="saved"]').waitFor({ state: "attached" });
  const isKept = (page: Page, text: string) =>
    page.waitForFunction(
      (wanted) =>
        Object.entries(localStorage).some(
          ([key, value]) => key.startsWith("skat.kept.") && value.includes(wanted),
        ),
      text,
    );
  const countOutbox = (page: Page) =>
    page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const opened = indexedDB.open("skat");
          opened.addEventListener("success", () => {
            const counted = opened.result.transaction("outbox").objectStore("outbox").count();
            counted.addEventListener("success", () => (opened.result.close(), resolve(counted.result)));
          });
        }),
    );
  const versionOf = (page: Page) => page.evaluate("document.documentElement.dataset.version");
  const cached = async (page: Page) =>
    (await page.evaluate(
      "caches.open('skat.page').then((cache) => cache.keys()).then((keys) => keys.map(({ url }) => new URL(url).pathname))",
    )) as string[];

  it("can be installed", async () => {
    const page = await enter("Ada");
    const devtools = await context.newCDPSession(page);
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    expect(installabilityErrors).toEqual([]);
    const { errors, data = "{}" } = await devtools.send("Page.getAppManifest");
    expect(errors).toEqual([]);
    const { icons } = JSON.parse(data) as { icons: { src: string; sizes: string }[] };
    for (const { src, sizes } of icons.filter(({ sizes: size }) => size !== "any")) {
      const size = `createImageBitmap(await (await fetch("${src}")).blob()).then(({ width, height }) => width + "x" + height)`;
      expect(await page.evaluate(`(async () => ${size})()`)).toBe(sizes);
    }
  }, 60_000);

  it("is new after a deploy with a tab open, with a network and without, and keeps nothing of the version before", async () => {
    const page = await enter("Ada");
    const before = await cached(page);
    expect(before).toContain("/");
    site.deploy(2);
    await say(page, "From the version before");
    await saved(page, "From the version before");
    await page.reload();
    await saved(page, "From the version before");
    expect(await versionOf(page)).toBe("2");
    const script = before.find((path) => path.endsWith(".js")) ?? "";
    await waitFor(async () => !(await cached(page)).includes(script), "the version before to be gone");
    expect(await cached(page)).toHaveLength(before.length);
    site.setReachable(false);
    await page.reload();
    await message(page, "From the version before").waitFor();
    expect(await versionOf(page)).toBe("2");
    site.setReachable(true);
    site.deploy(3);
    await page.reload();
    await page.locator('[data-connection="online"]').waitFor();
    expect(await versionOf(page)).toBe("3");
  }, 60_000);

  it("[K3] without a network it opens and shows what it had; three messages outlive the browser, and are all there once, in order", async () => {
    const ben = await Person.on([server.url], "Ben");
    const room = await ben.room("public", "Harbour");
    const listener = await ben.joined(room);
    const page = await enter("Ada");
    await press(page, "Find rooms");
    await press(page, "Join Harbour");
    await sayBy(listener, room, "The boat leaves at nine");
    await message(page, "The boat leaves at nine").waitFor();
    await isKept(page, "The boat leaves at nine");
    site.setReachable(false);
    const offline = await reopenBrowser();
    await press(offline, "Harbour");
    await message(offline, "The boat leaves at nine").waitFor();
    await offline.getByText("No connection. Trying again").waitFor();
    const texts = ["one", "two", "three"].map((word) => `From the pier ${word}`);
    for (const text of texts) await say(offline, text);
    // A message is on the screen at once, and on the disk as soon as the disk says so.
    await waitFor(
      async () => (await countOutbox(offline)) === texts.length,
      "the messages to be on the disk",
    );
    const again = await reopenBrowser();
    await press(again, "Harbour");
    for (const text of texts) await message(again, text).locator('[data-delivery="waiting"]').waitFor();
    await again.close();
    site.setReachable(true);
    const online = await reopenBrowser();
    // With a count beside the name where the network went before the mark of what was read.
    await press(online, /^Harbour/);
    for (const text of texts) await saved(online, text);
    expect(await online.locator("article .bubble").filter({ hasText: "From the pier" }).count()).toBe(3);
    const heard = () =>
      listener.frames.flatMap((frame) => (frame.type === "event" && frame.room === room ? [frame.body] : []));
    await waitFor(() => heard().length >= 4, "the messages to come to others");
    expect(heard().slice(1)).toEqual(texts);
    listener.close();
  }, 60_000);

  it("[G13] what it had is not shown to somebody who was banned meanwhile, and gone after signing out", async () => {
    const owner = await Person.on([server.url], "Olga");
    const room = await owner.room("public", "Cellar");
    const speaker = await owner.joined(room);
    const page = await enter("Ada");
    await page.goto(`${site.url}/#/${room}`);
    await page.getByRole("heading", { name: "Cellar" }).waitFor();
    await sayBy(speaker, room, "Between these walls");
    await isKept(page, "Between these walls");
    const me = await page.evaluate(
      () => (JSON.parse(localStorage.getItem("skat.account") ?? "") as { user: { id: string } }).user.id,
    );
    await page.goto("about:blank");
    await owner.do("PUT", `/rooms/${room}/bans/${me}`, {});
    await page.goto(`${site.url}/#/${room}`);
    await page.getByText("You are banned from this room.").waitFor();
    expect(await message(page, "Between these walls").count()).toBe(0);
    await page.waitForFunction(
      () => !JSON.stringify(Object.entries(localStorage)).includes("Between these walls"),
    );
    await press(page, "Sign out");
    await page.getByLabel("Your name").waitFor();
    expect(
      await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('skat.kept.'))"),
    ).toEqual([]);
    speaker.close();
  }, 60_000);

  it("notifies of rooms that are not in view, once it was asked to, until they are read", async () => {
    await context.grantPermissions(["notifications"]);
    await context.addInitScript(() => {
      const ask = Notification.requestPermission.bind(Notification);
      Object.assign(window, { asked: 0 });
      Notification.requestPermission = () => {
        Object.assign(window, { asked: 1 });
        return ask();
      };
      const show = ServiceWorkerRegistration.prototype.showNotification;
      ServiceWorkerRegistration.prototype.showNotification = async function (...notice) {
        await show.apply(this, notice);
        Object.assign(window, { isTold: true });
      };
    });
    const ben = await Person.on([server.url], "Ben");
    const room = await ben.room("public", "Garden");
    const speaker = await ben.joined(room);
    const page = await enter("Ada");
    await press(page, "Find rooms");
    await press(page, "Join Garden");
    await page.getByRole("heading", { name: "Garden" }).waitFor();
    expect(await page.evaluate("window.asked")).toBe(0);
    await press(page, "Notify me");
    await page.getByRole("button", { name: "Don’t notify me" }).waitFor();
    expect(await page.evaluate("window.asked")).toBe(1);
    const shown = async () =>
      (await page.evaluate(
        "navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) => all.map(({ title, body }) => ({ title, body })))",
      )) as Shown[];
    await sayBy(speaker, room, "In view");
    await message(page, "In view").waitFor();
    await press(page, /^Lobby/);
    await say(page, "My own");
    await saved(page, "My own");
    await sayBy(speaker, room, "**First**");
    await sayBy(speaker, room, "Second\u202e");
    // Chromium forgets a notification whose list is read while it is about to be shown.
    await waitFor(() => page.evaluate<boolean>("window.isTold === true"), "a notification");
    const [notice] = await shown();
    expect(notice).toEqual({ title: "\u2068Ben in Garden\u2069", body: "\u2068Second (and 1 before)\u2069" });
    expect(await page.title()).toBe("(2) Lobby · Skat");
    const [worker] = context.serviceWorkers();
    await worker?.evaluate(async () => {
      const { registration } = self as unknown as { registration: ServiceWorkerRegistration };
      const [notification] = await registration.getNotifications();
      if (notification === undefined) throw new Error("There is no notification.");
      // As a press on it, which no test can make.
      const { NotificationEvent } = self as unknown as { NotificationEvent: typeof Event };
      self.dispatchEvent(new NotificationEvent("notificationclick", { notification } as EventInit));
    });
    await page.getByRole("heading", { name: "Garden" }).waitFor();
    expect(roomOf(page)).toBe(room);
    await waitFor(async () => (await shown()).length === 0, "the notification to go");
    expect(await page.title()).toBe("Garden · Skat");
    speaker.close();
  }, 60_000);
});
