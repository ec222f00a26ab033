/** Ways into the page and out of it, in a real browser: accounts, guests who become members, sessions that end. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { describeEngine } from "../../functions/test/engines.ts";
import { waitFor } from "../../functions/test/wait-for.ts";
import { keepFailure } from "./failures.ts";
import { message, press, say, startPageWorld, type PageWorld } from "./page-world.ts";

const PASSWORD = "correct horse battery";
const ACCESS_S = 4;

describeEngine(["chromium"], "accounts in the page", ({ chromium }) => {
  let world: PageWorld;
  beforeAll(async () => {
    world = await startPageWorld(chromium, {
      AUTH_ACCESS_SECONDS: String(ACCESS_S),
      AUTH_GRACE_SECONDS: "1",
    });
  }, 120_000);
  afterEach((test) => keepFailure(test, world.browser.contexts()));
  afterAll(() => world?.stop(), 60_000);

  const composer = (page: Page) => page.getByPlaceholder("Write a message");

  async function signUp(page: Page, email: string): Promise<void> {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
  }

  async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
    await press(page, "I have an account");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
  }

  it("from sign-up to a first message, out, and in again on another device", async () => {
    const page = await world.newPage();
    await page.goto(world.server.url);
    await press(page, "Create an account");
    await page.getByLabel("Your name").fill("Ada");
    await signUp(page, "ada@example.org");
    await composer(page).waitFor();
    await say(page, "My first words");
    await message(page, "My first words").getByText("Saved").waitFor({ state: "attached" });
    await press(page, "Sign out");
    await page.getByLabel("Your name").waitFor();
    await page.reload();
    await page.getByLabel("Your name").waitFor();

    const other = await world.newPage();
    await other.goto(world.server.url);
    await signIn(other, "ada@example.org", "not the password");
    await other.getByText("E-mail or password is not right.").waitFor();
    await other.getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await message(other, "My first words").getByText("You").waitFor({ state: "attached" });
  }, 60_000);

  it("[G13] a member's token is renewed in time, without a new connection", async () => {
    const page = await world.newPage();
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.goto(world.server.url);
    const tokens = { count: 0 };
    page.on("response", (response) => {
      if (response.url().endsWith("/api/token")) tokens.count += 1;
    });
    await signIn(page, "ada@example.org");
    await composer(page).waitFor();
    await waitFor(() => tokens.count >= 3, "three tokens", ACCESS_S * 4_000);
    await say(page, "Still the same socket");
    await message(page, "Still the same socket").getByText("Saved").waitFor({ state: "attached" });
    expect(sockets.length).toBe(1);
  }, 60_000);

  it("[G13] a session that is ended elsewhere is told in plain words, and what was begun is kept", async () => {
    const page = await world.newPage();
    await page.goto(world.server.url);
    await signIn(page, "ada@example.org");
    await composer(page).fill("Not finished");
    await page.evaluate(
      "fetch('/api/auth/revoke-sessions', {method:'POST', headers:{'content-type':'application/json'}, body:'{}'})",
    );
    await page.getByRole("button", { name: "Sign in again" }).waitFor();
    await press(page, "Sign in again");
    await signIn(page, "ada@example.org");
    await composer(page).waitFor();
    expect(await composer(page).inputValue()).toBe("Not finished");
  }, 60_000);

  it("a guest who makes an account stays who it was", async () => {
    const page = await world.enter("Grace");
    await say(page, "Written as a guest");
    await message(page, "Written as a guest").getByText("Saved").waitFor({ state: "attached" });
    await press(page, "Keep my name");
    expect(await page.getByLabel("Your name").inputValue()).toBe("Grace");
    await signUp(page, "grace@example.org");
    await page.getByRole("button", { name: "Keep my name" }).waitFor({ state: "detached" });
    await message(page, "Written as a guest").getByText("You").waitFor({ state: "attached" });
    await say(page, "Written as a member");
    await message(page, "Written as a member").getByText("Saved").waitFor({ state: "attached" });
  }, 60_000);

  it("a new password by letter", async () => {
    const page = await world.newPage();
    await page.goto(world.server.url);
    await press(page, "I have an account");
    await press(page, "Forgot the password?");
    await page.getByLabel("E-mail").fill("grace@example.org");
    await page.keyboard.press("Enter");
    await page.getByText("a letter is on its way").waitFor();
    const letter = await waitFor(
      () => /http:\S+\/api\/auth\/reset-password\/\S+/.exec(world.server.output())?.[0],
      "the letter",
    );
    await page.goto(letter);
    await page.getByLabel("New password").fill("another horse entirely");
    await page.keyboard.press("Enter");
    await page.getByText("Your new password is set").waitFor();
    await page.getByLabel("E-mail").fill("grace@example.org");
    await page.getByLabel("Password").fill("another horse entirely");
    await page.keyboard.press("Enter");
    await composer(page).waitFor();
  }, 60_000);

  it("one's data is downloaded; an account is deleted after a password and a second look, and others see it at once", async () => {
    const page = await world.newPage();
    await page.goto(world.server.url);
    await press(page, "Create an account");
    await page.getByLabel("Your name").fill("Hedy");
    await signUp(page, "hedy@example.org");
    await composer(page).waitFor();
    await say(page, "Soon nobody's");
    await message(page, "Soon nobody's").getByText("Saved").waitFor({ state: "attached" });
    const witness = await world.enter("Walter");
    const author = () => witness.locator("article", { hasText: "Soon nobody's" }).locator("bdi").first();
    await waitFor(async () => (await author().textContent()) === "Hedy", "the message to be there");

    await press(page, "Your account");
    const downloading = page.waitForEvent("download");
    await press(page, "Download my data");
    const file = readFileSync(await (await downloading).path(), "utf8");
    const lines = file.trim().split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ account: { email: "hedy@example.org" } });
    expect(file).toContain("Soon nobody's");
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ type: "end", records: lines.length - 1 });

    const remove = async (password: string) => {
      await page.getByLabel("Password").fill(password);
      await press(page, "Delete account");
      await press(page, "Yes");
    };
    await remove("not the password");
    await page.getByText("Please enter your password").waitFor();
    await remove(PASSWORD);
    await page.getByLabel("Your name").waitFor();
    await waitFor(async () => (await author().textContent()) === "Deleted account", "the name to go");
    await signIn(page, "hedy@example.org");
    await page.getByText("E-mail or password is not right.").waitFor();
  }, 60_000);

  it("a guest who is deleted does not come back under that name, in no tab", async () => {
    const page = await world.enter("Ghost");
    const second = await page.context().newPage();
    await second.goto(world.server.url);
    await composer(second).waitFor();
    await press(page, "Your account");
    await press(page, "Delete account");
    await press(page, "Yes");
    await page.getByLabel("Your name").waitFor();
    await second.getByRole("button", { name: "Sign in again" }).waitFor();
    const kept = await page.evaluate("localStorage.getItem('skat.account')");
    expect(kept).toBeNull();
  }, 60_000);

  it("broke neither its policy nor itself", () => expect(world.faults).toEqual([]));
});
