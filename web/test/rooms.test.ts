/** Rooms in the page, with several people in real browsers: made, found, invited to, moderated, and talked in. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { describeEngine } from "../../functions/test/engines.ts";
import { keepFailure } from "./failures.ts";
import { message, press, roomOf, say, startPageWorld, type PageWorld } from "./page-world.ts";

describeEngine(["chromium"], "rooms in the page", ({ chromium }) => {
  let world: PageWorld;
  let ada: Page;
  let ben: Page;
  let room: string;
  beforeAll(async () => {
    world = await startPageWorld(chromium);
    [ada, ben] = await Promise.all([world.enter("Ada"), world.enter("Ben")]);
  }, 120_000);
  afterEach((test) => keepFailure(test, world.browser.contexts()));
  afterAll(() => world?.stop(), 60_000);

  const saved = (page: Page, text: string) =>
    message(page, text).getByText("Saved").first().waitFor({ state: "attached" });
  const escape = (page: Page) => page.keyboard.press("Escape");

  /** As by another tab that comes before the page: without a screen there is none. */
  const setVisibility = (page: Page, state: DocumentVisibilityState) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);

  async function openPerson(page: Page, name: string): Promise<void> {
    await press(page, "About Council");
    await press(page, `What to do with ${name}`);
  }

  it("a message is read only where its room is in sight: behind another tab it stays unread, and is new when one comes back", async () => {
    await setVisibility(ada, "hidden");
    for (const text of ["While you were away", "And one more"]) {
      await say(ben, text);
      await message(ada, text).waitFor();
    }
    await expect.poll(() => ada.title()).toBe("(2) Lobby · Skat");
    await setVisibility(ada, "visible");
    await expect.poll(() => ada.title()).toBe("Lobby · Skat");
    await ada.locator(".new-line + article", { hasText: "While you were away" }).waitFor();
  });

  it("a private room is made, and entered by its invitation link alone", async () => {
    await press(ada, "New room");
    await ada.getByLabel("Name").fill("Council");
    await ada.getByLabel("By invitation").check();
    await press(ada, "Create room");
    await ada.getByRole("heading", { name: "Council" }).waitFor();
    room = roomOf(ada);
    await say(ada, "For members only");

    await ben.goto(`${world.server.url}/#/${room}`);
    await ben.getByText("This room does not exist.").waitFor();
    await press(ada, "About Council");
    await press(ada, "Invitations");
    await press(ada, "New invitation link");
    const link = await ada.getByLabel("Invitation link").inputValue();
    await escape(ada);
    await ben.goto(link);
    await ben.getByRole("heading", { name: "Council" }).waitFor();
    await message(ben, "For members only").waitFor();
    await say(ben, "Here I am");
    await message(ada, "Here I am").waitFor();
  }, 60_000);

  it("[G13] who is muted is told so, and what was refused can be sent again or discarded", async () => {
    await openPerson(ada, "Ben");
    await press(ada, "Mute for an hour");
    await ada.getByText("muted", { exact: false }).first().waitFor();
    await say(ben, "Against the mute");
    await say(ben, "To be discarded");
    const refused = message(ben, "Against the mute");
    await refused.getByText("Not sent.").waitFor();
    await message(ben, "To be discarded").getByText("Not sent.").waitFor();
    await message(ben, "To be discarded").getByRole("button", { name: "Discard" }).click();
    await message(ben, "To be discarded").waitFor({ state: "detached" });
    await press(ada, "Let write again");
    await ada.getByRole("button", { name: "Mute for an hour" }).waitFor();
    await escape(ada);
    await refused.getByRole("button", { name: "Try again" }).click();
    await saved(ben, "Against the mute");
    await message(ada, "Against the mute").waitFor();
    expect(await message(ada, "To be discarded").count()).toBe(0);
  }, 60_000);

  it("messages keep their shape, are answered, and are never HTML", async () => {
    await say(ada, "**Bold** and `code`: <img src=x onerror=document.title='broken'>");
    const said = message(ben, "onerror");
    await said.locator("strong", { hasText: "Bold" }).waitFor();
    expect(await said.locator("code").innerText()).toBe("code");
    expect(await said.locator("img").count()).toBe(0);
    await said.hover();
    await said.getByRole("button", { name: "Reply to Ada" }).click();
    await ben.getByText("Replying to Ada").waitFor();
    await say(ben, "An answer");
    await message(ada, "An answer").locator(".quotation").getByText("Ada").waitFor();
    await saved(ben, "An answer");
  }, 60_000);

  it("what came while one was elsewhere is counted, in the title too, and stands under a line", async () => {
    await ben.getByPlaceholder("Write a message").fill("Half a thought");
    await press(ben, /^Lobby/);
    await ben.getByRole("heading", { name: "Lobby" }).waitFor();
    await ben.getByRole("button", { name: /Council.*Draft/ }).waitFor();
    await say(ada, "While you were out");
    await say(ada, "And again");
    await ben.getByRole("button", { name: /Council.*2 new/ }).waitFor();
    expect(await ben.title()).toBe("(2) Lobby · Skat");
    await ben.reload();
    await ben.getByRole("button", { name: /Council.*2 new/ }).click();
    await ben.locator(".new-line + article").filter({ hasText: "While you were out" }).waitFor();
    expect(await ben.getByPlaceholder("Write a message").inputValue()).toBe("Half a thought");
    await expect.poll(() => ben.title()).toBe("Council · Skat");
  }, 60_000);

  it("a public room is found and joined; its people can be written to alone", async () => {
    await press(ada, "New room");
    await ada.getByLabel("Name").fill("Garden");
    await ada.getByLabel("What is it about?").fill("Tomatoes, mostly");
    await press(ada, "Create room");
    await ada.getByRole("heading", { name: "Garden" }).waitFor();
    await ben.reload(); // the list of public rooms is as old as the page, or its last focus
    await ben.getByPlaceholder("Write a message").waitFor();
    await press(ben, "Find rooms");
    await ben.getByLabel("Search").fill("tomato");
    await press(ben, "Join Garden");
    await ben.getByRole("heading", { name: "Garden" }).waitFor();
    await press(ben, "About Garden");
    await press(ben, "What to do with Ada");
    await press(ben, "Message");
    await ben.getByRole("heading", { name: "Ada" }).waitFor();
    await say(ben, "Between us");
    await ada.getByRole("button", { name: /^Ben.*1 new/ }).click();
    await message(ada, "Between us").waitFor();
  }, 60_000);

  it("a room is renamed and archived, for everybody at once", async () => {
    await press(ada, /^Garden/);
    await press(ben, /^Garden/);
    await press(ada, "About Garden");
    await press(ada, "Settings");
    await ada.getByLabel("Name").fill("Orchard");
    await press(ada, "Save");
    await ben.getByRole("heading", { name: "Orchard" }).waitFor();
    await press(ada, "Archive the room");
    await ben.getByText("This room is archived.").waitFor();
    await escape(ada);
  }, 60_000);

  it("[G13] who is banned in mid-session is told so and sees no more, and comes back when it is lifted", async () => {
    await press(ada, /^Council/);
    await press(ben, /^Council/);
    await openPerson(ada, "Ben");
    await press(ada, "Ban");
    await press(ada, "Yes");
    await ben.getByText("You are banned from this room.").waitFor();
    expect(await message(ben, "For members only").count()).toBe(0);
    await ben.getByRole("button", { name: /^Council/ }).waitFor({ state: "detached" });
    await press(ada, "Bans");
    await press(ada, "Lift the ban");
    await ada.getByText("Nobody is banned.").waitFor();
    await escape(ada);
    await press(ben, "Go to the lobby");
    await ben.getByRole("heading", { name: "Lobby" }).waitFor();
  }, 60_000);

  it("broke neither its policy nor itself", () => expect(world.faults).toEqual([]));
});
