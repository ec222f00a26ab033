/** A page as small chats on Socket.IO have it, from an origin of its own, in a real browser: it is not changed, and has a whole conversation. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LOBBY } from "../protocol.ts";
import { history } from "./audit.ts";
import { describeEngine } from "./engines.ts";
import { startEmbedded, type Embedded } from "./harness.ts";

const require = createRequire(import.meta.url);
const library = readFileSync(require.resolve("socket.io-client/dist/socket.io.js"));

const page = (chat: string) => `<!doctype html><title>Chat</title>
<form><input placeholder="Say it"><button>Send</button></form><ul></ul>
<script src="/socket.io.js"></script>
<script>
  const socket = io(${JSON.stringify(chat)});
  socket.on("message", (msg) => {
    const { message } = JSON.parse(msg);
    document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: message }));
  });
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = document.querySelector("input");
    socket.emit("event:message", { message: input.value });
    input.value = "";
  });
</script>`;

describeEngine(["chromium"], "a page on Socket.IO", ({ chromium: executablePath }) => {
  let chat: Embedded;
  let site: Server;
  let browser: Browser;
  beforeAll(async () => {
    chat = await startEmbedded({ SOCKETIO: "true" });
    site = createServer(({ url }, response) => {
      const isLibrary = url === "/socket.io.js";
      response.setHeader("Content-Type", isLibrary ? "text/javascript" : "text/html");
      response.end(isLibrary ? library : page(chat.url));
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    site?.closeAllConnections();
    site?.close();
    await chat?.stop();
  });

  async function open(): Promise<Page> {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
    await tab.waitForFunction("socket.connected && socket.io.engine.transport.name === 'websocket'");
    return tab;
  }

  async function say(tab: Page, text: string): Promise<void> {
    await tab.getByPlaceholder("Say it").fill(text);
    await tab.keyboard.press("Enter");
  }

  const shown = (tab: Page) => tab.getByRole("listitem").allTextContents();

  it("[G1][G3] two tabs talk, a restart between; both show the same, once, in order, and it is stored", async () => {
    const [ada, ben] = [await open(), await open()];
    const said = ["Hello", "Hello back", "How are you? 👋", "<b>Well</b>"];
    for (const [index, text] of said.entries()) {
      await say(index % 2 === 0 ? ada : ben, text);
      for (const tab of [ada, ben]) await tab.getByText(text, { exact: true }).waitFor();
    }
    await chat.restart();
    for (const tab of [ada, ben])
      await tab.waitForFunction("socket.connected", undefined, { timeout: 30_000 });
    await say(ben, "Still here");
    for (const tab of [ada, ben]) await tab.getByText("Still here", { exact: true }).waitFor();
    for (const tab of [ada, ben]) expect(await shown(tab)).toEqual([...said, "Still here"]);
    expect((await history(chat.url, LOBBY)).map(({ body }) => body)).toEqual([...said, "Still here"]);
  }, 90_000);
});
