/** The main ways through the page by the keyboard alone, and what it says of its connection. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { describeEngine } from "../../functions/test/engines.ts";
import { keepFailure } from "./failures.ts";
import { message, startPageWorld, type PageWorld } from "./page-world.ts";

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
