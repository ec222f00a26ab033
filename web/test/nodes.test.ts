/** The page on two nodes behind a balancer, as deployed, in real browsers: what a team meets when machines, networks and roles change under it. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { BrowserContextOptions, Page } from "playwright-core";
import { Person, say as sayBy } from "../../functions/test/api-client.ts";
import { describeEngine } from "../../functions/test/engines.ts";
import { startWorld, type World } from "../../functions/test/faults/world.ts";
import type { Running } from "../../functions/test/harness.ts";
import { startBalancer, type Balancer } from "../../functions/test/tcp-proxy.ts";
import { keepFailure } from "./failures.ts";
import { message, openBrowser, press, say, type PageBrowser } from "./page-world.ts";

const ROOMS = 20;
/** A slow phone network, as in a lift. */
const SLOW = { offline: false, latency: 400, downloadThroughput: 40_000, uploadThroughput: 20_000 };

describeEngine(["chromium", "control"], "the page on two nodes", ({ chromium }) => {
  let world: World;
  let nodes: Running[];
  let balancer: Balancer;
  let pages: PageBrowser;
  beforeAll(async () => {
    world = await startWorld("page");
    const [first, second] = await Promise.all([world.node(), world.node(), world.consumer()]);
    nodes = [first, second];
    balancer = await startBalancer(() =>
      nodes.filter((node) => node.exitCode() === undefined).map(({ url }) => Number(new URL(url).port)),
    );
    pages = await openBrowser(chromium, () => balancer.url);
  }, 180_000);
  afterEach(async (test) => {
    await keepFailure(test, pages.browser.contexts());
    await Promise.all(pages.browser.contexts().map((context) => context.close()));
  });
  afterAll(async () => {
    await pages?.browser.close();
    await balancer?.close();
    await world?.close();
  }, 60_000);

  const urls = () => nodes.map(({ url }) => url);
  const saved = (page: Page, text: string) =>
    message(page, text).locator('[data-delivery="saved"]').waitFor({ state: "attached" });
  const bodies = async (page: Page, beginning: string) =>
    (await page.locator("article .bubble").filter({ hasText: beginning }).allInnerTexts()).map(
      (text) => new RegExp(`${beginning} \\d+`).exec(text)?.[0],
    );
  const numbers = (beginning: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${beginning} ${index}`);

  /** A device of somebody who is signed in. */
  async function deviceOf({ id, name, token }: Person, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await pages.newPage(options);
    await page.addInitScript(
      (account) => localStorage.setItem("skat.account", account),
      JSON.stringify({ token, user: { id, name } }),
    );
    await page.goto(balancer.url);
    await page.locator('[data-connection="online"]').waitFor();
    return page;
  }

  it("unread counts of twenty rooms are the same on two devices, and what one reads is read on the other", async () => {
    const ada = await Person.on(urls(), "Ada");
    const ben = await Person.on(urls(), "Ben");
    const names = Array.from({ length: ROOMS }, (_, index) => `Room ${String.fromCharCode(65 + index)}`);
    const rooms = await Promise.all(
      names.map(async (name, index) => {
        const room = await ben.room("public", name);
        await ada.do("POST", `/rooms/${room}/join`);
        const speaker = await ben.joined(room, index);
        for (let n = 0; n <= index % 4; n++) await sayBy(speaker, room, `${name}, message ${n}`);
        speaker.close();
        return room;
      }),
    );
    const laptop = await deviceOf(ada);
    const phone = await deviceOf(ada, { viewport: { width: 900, height: 700 } });
    for (const page of [laptop, phone])
      for (const [index, name] of names.entries())
        await page.getByRole("button", { name: `${name} ${(index % 4) + 1} new`, exact: true }).waitFor();
    const total = rooms.reduce((sum, _, index) => sum + (index % 4) + 1, 0);
    expect(await laptop.title()).toBe(`(${total}) Lobby · Skat`);
    await press(laptop, "Room D 4 new");
    await message(laptop, "Room D, message 3").waitFor();
    await phone.getByRole("button", { name: "Room D", exact: true }).waitFor();
    await expect.poll(() => phone.title()).toBe(`(${total - 4}) Lobby · Skat`);
    await press(phone, "Room T 4 new");
    await laptop.getByRole("button", { name: "Room T", exact: true }).waitFor();
    await expect.poll(() => laptop.title()).toBe(`(${total - 8}) Room D · Skat`);
  }, 90_000);

  it("on a slow network one's own words are there at once, and come to others in their order, once", async () => {
    const ada = await pages.enter("Ada");
    const ben = await pages.enter("Ben");
    const devtools = await ben.context().newCDPSession(ben);
    await devtools.send("Network.enable");
    await devtools.send("Network.emulateNetworkConditions", SLOW);
    await ben.reload();
    await ben.locator('[data-connection="online"]').waitFor();
    const words = numbers("slow", 5);
    for (const text of words) {
      await say(ben, text);
      await ben.evaluate("new Promise(requestAnimationFrame)");
      expect(await message(ben, text).count(), "painted with the next frame").toBe(1);
    }
    for (const text of words) await saved(ben, text);
    expect(await bodies(ben, "slow")).toEqual(words);
    await message(ada, "slow 4").waitFor();
    expect(await bodies(ada, "slow")).toEqual(words);
  }, 60_000);

  it("[G13] who is removed in mid-session is told so, on another node, and sees no more of the room", async () => {
    const owner = await Person.on(urls(), "Olga");
    const ada = await Person.on(urls(), "Ada");
    const room = await owner.room("private", "Vault");
    const { code } = await owner.do("POST", `/rooms/${room}/invitations`, {});
    await ada.do("POST", `/invitations/${String(code)}`);
    const page = await deviceOf(ada);
    await press(page, /^Vault/);
    await say(page, "I was here");
    await saved(page, "I was here");
    await owner.do("DELETE", `/rooms/${room}/members/${ada.id}`);
    await page.getByText("You were removed from this room.").waitFor();
    expect(await message(page, "I was here").count()).toBe(0);
    await page.getByRole("button", { name: /^Vault/ }).waitFor({ state: "detached" });
  }, 60_000);

  it("[G2] [G5] a node is killed in mid-conversation: the other takes over, and every message is there once, in order", async () => {
    const people = await Promise.all(["Ada", "Ben", "Cleo"].map((name) => pages.enter(name)));
    const [ada, ben] = people as [Page, Page, Page];
    for (const text of numbers("before", 3)) await say(ada, text);
    await message(ben, "before 2").waitFor();
    const talk = (async () => {
      for (const text of numbers("during", 10)) await say(ada, text);
    })();
    await message(ben, "during 0").waitFor();
    await nodes[0]?.kill();
    await talk;
    await say(ben, "answer 0");
    for (const page of people) {
      await message(page, "during 9").waitFor();
      await message(page, "answer 0").waitFor();
    }
    for (const text of numbers("during", 10)) await saved(ada, text);
    for (const page of people) {
      expect(await bodies(page, "before")).toEqual(numbers("before", 3));
      expect(await bodies(page, "during")).toEqual(numbers("during", 10));
    }
  }, 90_000);

  it("broke neither its policy nor itself", () => expect(pages.faults).toEqual([]));
});
