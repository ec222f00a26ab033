/** Every view of the page, and the way to each from the conversation: for its pictures and for the test of its accessibility. */
import type { Page } from "playwright-core";
import type { Story } from "./story.ts";

export interface View {
  readonly name: string;
  /** Whether one is signed in. */
  readonly isInside: boolean;
  readonly open: (page: Page, isNarrow: boolean) => Promise<void>;
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

async function openRooms(page: Page, isNarrow: boolean): Promise<void> {
  if (isNarrow) await press(page, "Show rooms");
}

async function openAbout(page: Page, part: string): Promise<void> {
  await press(page, "About Design review");
  await page.getByRole("button", { name: part, exact: true }).click();
}

export const VIEWS: readonly View[] = [
  { name: "guest", isInside: false, open: async (page) => page.getByLabel("Your name").waitFor() },
  { name: "sign-in", isInside: false, open: (page) => press(page, "I have an account") },
  { name: "sign-up", isInside: false, open: (page) => press(page, "Create an account") },
  {
    name: "forgotten",
    isInside: false,
    open: async (page) => {
      await press(page, "I have an account");
      await press(page, "Forgot the password?");
    },
  },
  {
    name: "conversation",
    isInside: true,
    open: async (page) => page.getByText("Shipping it at noon").waitFor(),
  },
  {
    name: "reply",
    isInside: true,
    open: async (page) => {
      await page.getByRole("button", { name: "Reply to Tomás Rivera" }).last().click();
      await page.getByText("Replying to Tomás Rivera").waitFor();
    },
  },
  {
    name: "rooms",
    isInside: true,
    open: async (page, isNarrow) => {
      await openRooms(page, isNarrow);
      await page.getByText("1 new").filter({ visible: true }).first().waitFor();
    },
  },
  {
    name: "new-room",
    isInside: true,
    open: async (page, isNarrow) => {
      await openRooms(page, isNarrow);
      await press(page, "New room");
      await page.getByLabel("Name").fill("Garden plans");
    },
  },
  {
    name: "find-rooms",
    isInside: true,
    open: async (page, isNarrow) => {
      await openRooms(page, isNarrow);
      await press(page, "Find rooms");
      await page.getByText("Reading club").waitFor();
    },
  },
  {
    name: "people",
    isInside: true,
    open: async (page) => {
      await openAbout(page, "People");
      await press(page, "What to do with Tomás Rivera");
      await press(page, "Remove");
    },
  },
  {
    name: "invitations",
    isInside: true,
    open: async (page) => {
      await openAbout(page, "Invitations");
      await press(page, "New invitation link");
      await page.getByLabel("Invitation link").first().waitFor();
    },
  },
  {
    name: "bans",
    isInside: true,
    open: async (page) => {
      await openAbout(page, "Bans");
      await page.getByText("Nobody is banned.").waitFor();
    },
  },
  { name: "settings", isInside: true, open: (page) => openAbout(page, "Settings") },
  {
    name: "keep-name",
    isInside: true,
    open: async (page, isNarrow) => {
      await openRooms(page, isNarrow);
      await press(page, "Keep my name");
    },
  },
  {
    name: "account",
    isInside: true,
    open: async (page, isNarrow) => {
      await openRooms(page, isNarrow);
      await press(page, "Your account");
    },
  },
  {
    name: "no-connection",
    isInside: true,
    open: async (page) => {
      await page.context().setOffline(true);
      await page.getByText("No connection").waitFor();
      await page.getByPlaceholder("Write a message").fill("I will be back on the train in a minute");
      await page.keyboard.press("Enter");
    },
  },
  {
    name: "no-room",
    isInside: true,
    open: async (page) => {
      await page.evaluate("location.hash = '/nowhere'");
      await page.getByText("This room does not exist.").waitFor();
    },
  },
];

/** A page of its own that shows the view. */
export async function openView(page: Page, url: string, story: Story, view: View): Promise<void> {
  if (view.isInside)
    await page.addInitScript(
      (account) => localStorage.setItem("skat.account", account),
      JSON.stringify(story.account),
    );
  await page.goto(view.isInside ? `${url}/#/${story.rooms.design}` : url);
  if (view.isInside) {
    await page.getByText("Shipping it at noon").waitFor();
    await page.getByRole("button", { name: "About Design review" }).waitFor();
  }
  await view.open(page, (page.viewportSize()?.width ?? 0) <= 760);
}
