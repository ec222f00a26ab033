/** A browser by WebDriver BiDi, as much of it as one page needs: for browsers that playwright-core cannot drive. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { waitFor } from "../../functions/test/wait-for.ts";

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

const ADDRESS = /WebDriver BiDi listening on (ws:\/\/\S+)/;
const ENTER = "\uE007";

export class BidiPage {
  readonly #browser: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #context = "";

  private constructor(browser: ChildProcess, profile: string, socket: WebSocket) {
    this.#browser = browser;
    this.#profile = profile;
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      this.#asked.get(answer.id ?? 0)?.(answer);
    });
  }

  static async open(firefox: string): Promise<BidiPage> {
    const profile = mkdtempSync(join(tmpdir(), "skat-firefox-"));
    const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
    const browser = spawn(firefox, args, { stdio: ["ignore", "ignore", "pipe"] });
    let output = "";
    browser.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const address = await waitFor(() => ADDRESS.exec(output)?.[1], "Firefox to listen", 60_000);
    const socket = new WebSocket(`${address}/session`);
    await waitFor(() => socket.readyState === WebSocket.OPEN, "the session's socket to open");
    const page = new BidiPage(browser, profile, socket);
    await page.#ask("session.new", { capabilities: {} });
    const { contexts } = await page.#ask("browsingContext.getTree", {});
    page.#context = (contexts as { context: string }[])[0]?.context ?? "";
    return page;
  }

  async goTo(url: string): Promise<void> {
    await this.#ask("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  async reload(): Promise<void> {
    await this.#ask("browsingContext.reload", { context: this.#context, wait: "complete" });
  }

  /** What the expression is in the page: texts, numbers and booleans. */
  async evaluate(expression: string): Promise<unknown> {
    const target = { context: this.#context };
    const { result } = await this.#ask("script.evaluate", { expression, target, awaitPromise: true });
    return (result as { value?: unknown } | undefined)?.value;
  }

  async until(expression: string): Promise<void> {
    await waitFor(async () => (await this.evaluate(expression)) === true, expression, 30_000);
  }

  /** By the keyboard, key by key, and Enter at the end. */
  async enter(text: string): Promise<void> {
    const actions = Array.from(text + ENTER).flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    const keys = { type: "key", id: "keyboard", actions };
    await this.#ask("input.performActions", { context: this.#context, actions: [keys] });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#browser.once("exit", resolve));
    await this.#ask("browser.close", {});
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, ({ type, result, message }) => {
        this.#asked.delete(id);
        if (type === "success") resolve(result ?? {});
        else reject(new Error(`${method}: ${message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
