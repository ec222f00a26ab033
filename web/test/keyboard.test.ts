/** The main ways through the page by the keyboard alone, and what it says of its connection. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { Person } from "../../functions/test/api-client.ts";
import { describeEngine } from "../../functions/test/engines.ts";
import { keepFailure } from "./failures.ts";
import { message, roomOf, startPageWorld, type PageWorld } from "./page-world.ts";

const PASSWORD = "correct horse battery";

describeEngine(["chromium"], "the page by keyboard", ({ chromium }) => {
  let world: PageWorld;
  let page: Page;
  beforeAll(async () => {
    world = await startPageWorld(chromium);
    page = await world.newPage();
    await page.goto(world.server.url);
  }, 120_000);
  afterEach((test) => keepFailure(test, world.browser.contexts()));
  afterAll(() => world?.stop(), 60_000);

  /** What has the focus, as it is called. */
  const focused = () =>
    page.evaluate<string>(
      "(({ ariaLabel, innerText, labels }) => ariaLabel ?? labels?.[0]?.innerText ?? innerText)(document.activeElement)",
    );

  async function tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused()).trim() === name) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${name} can't be reached by Tab; the focus is on ${await focused()}`);
  }

  it("from the name to a room, a message, an answer, and another role", async () => {
    expect(await focused()).toBe("Your name");
    await page.keyboard.type("Ada");
    await page.keyboard.press("Enter");
    await page.getByPlaceholder("Write a message").waitFor();
    expect(await focused()).toBe("Message to Lobby");

    await page.evaluate("document.activeElement.blur()");
    await tabTo("New room");
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Name");
    await page.keyboard.type("Kitchen");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Kitchen" }).waitFor();
    await page.getByPlaceholder("Write a message").waitFor();

    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("Tab");
    await tabTo("Skip to the message field");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Message to Kitchen");
    await page.keyboard.type("First");
    await page.keyboard.press("Enter");
    await message(page, "First").getByText("Saved").waitFor({ state: "attached" });

    await page.evaluate("document.querySelector('.list').focus()");
    await tabTo("Reply to Ada");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Message to Kitchen");
    await page.keyboard.press("Escape");
    expect(await page.getByText("Replying to Ada").count()).toBe(0);

    await page.evaluate("document.activeElement.blur()");
    await tabTo("About Kitchen");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused()).toBe("About Kitchen");
  }, 60_000);

  it("into a room that was found, and its owner mutes, bans, and lifts the ban", async () => {
    const ben = await Person.on([world.server.url], "Ben");
    const harbour = await ben.room("public", "Harbour");
    await page.evaluate("document.activeElement.blur()");
    await tabTo("Find rooms");
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Search by name or topic");
    await page.keyboard.type("harb");
    await tabTo("Join Harbour");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Harbour" }).waitFor();
    expect(roomOf(page)).toBe(harbour);
    await expect.poll(focused).toBe("Message to Harbour");

    await page.evaluate("document.activeElement.blur()");
    await tabTo("Kitchen");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Kitchen" }).waitFor();
    const listener = await ben.joined(roomOf(page));
    await page.evaluate("document.activeElement.blur()");
    await tabTo("About Kitchen");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Ben").waitFor();
    await tabTo("What to do with Ben");
    await page.keyboard.press("Enter");
    await tabTo("Mute for an hour");
    await page.keyboard.press("Enter");
    await dialog.getByText("muted").waitFor();
    expect(await focused()).toBe("Let write again");
    await tabTo("Ban");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Yes");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Ban");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await dialog.getByText("Ben").waitFor({ state: "detached" });
    await expect.poll(focused).toBe("About Kitchen");
    await tabTo("Bans");
    await page.keyboard.press("Enter");
    await tabTo("Lift the ban");
    await page.keyboard.press("Enter");
    await dialog.getByText("Nobody is banned.").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await focused()).toBe("About Kitchen");
    listener.close();
  }, 60_000);

  it("an account: made, left, and come back to", async () => {
    const other = page;
    page = await world.newPage();
    await page.goto(world.server.url);
    await tabTo("Create an account");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Your name");
    await page.keyboard.type("Grace");
    await tabTo("E-mail");
    await page.keyboard.type("grace@example.org");
    await tabTo("Password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByPlaceholder("Write a message").waitFor();
    expect(await focused()).toBe("Message to Lobby");

    await page.evaluate("document.activeElement.blur()");
    await tabTo("Sign out");
    await page.keyboard.press("Enter");
    await expect.poll(focused).toBe("Your name");
    await tabTo("I have an account");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("E-mail");
    await page.keyboard.type("grace@example.org");
    await tabTo("Password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByPlaceholder("Write a message").waitFor();
    await page.context().close();
    page = other;
  }, 60_000);

  it("a lost connection is told in plain words; what is written then goes out when it is back", async () => {
    await page.context().setOffline(true);
    await page.getByText("No connection. Trying again").waitFor();
    await page.getByPlaceholder("Write a message").fill("From the tunnel");
    await page.keyboard.press("Enter");
    await message(page, "From the tunnel").getByText("Sending").waitFor({ state: "attached" });
    await page.context().setOffline(false);
    await message(page, "From the tunnel").getByText("Saved").waitFor({ state: "attached" });
    await page.getByText("No connection. Trying again").waitFor({ state: "detached" });
  }, 60_000);

  it("broke neither its policy nor itself", () => expect(world.faults).toEqual([]));
});
