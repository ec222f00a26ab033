/** Clients for tests over real sockets: a bare one, and one that follows rules K1–K3, retries until saved and can be cut at will. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { systemRuntime } from "../adapters/runtime-system.ts";
import type { ClientFrame, ServerFrame } from "../protocol.ts";
import { ClientRules } from "./client-rules.ts";
import { waitFor } from "./wait-for.ts";

/** From this close code on nobody comes back. */
const LAST_CLOSE_CODE = 4500;

type Of<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

export async function guest(
  url: string,
  name: string,
): Promise<{ token: string; user: { id: string; name: string } }> {
  const response = await fetch(`${url}/api/guest`, { method: "POST", body: JSON.stringify({ name }) });
  if (!response.ok) throw new Error(`guest: ${response.status} ${await response.text()}`);
  return (await response.json()) as { token: string; user: { id: string; name: string } };
}

/** An open socket without any logic: what arrives is kept in order. */
export class RawClient {
  readonly socket: WebSocket;
  readonly frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | undefined;
  #ref = 0;

  constructor(url: string, protocols: string[] = ["skat.v1"], headers: Record<string, string> = {}) {
    const options = { perMessageDeflate: false, headers };
    this.socket = new WebSocket(`${url.replace("http", "ws")}/ws`, protocols, options);
    this.socket.on("message", (data: Buffer) => this.frames.push(JSON.parse(data.toString()) as ServerFrame));
    this.socket.on("close", (code, reason) => (this.closed = { code, reason: reason.toString() }));
    this.socket.on("error", () => {}); // a refused upgrade; the close that follows tells
  }

  static async open(url: string, token?: string): Promise<RawClient> {
    const client = new RawClient(url);
    await waitFor(() => client.socket.readyState === WebSocket.OPEN || client.closed, "the socket to open");
    if (token !== undefined) await client.ask({ type: "auth", token });
    return client;
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The frame that echoes the `ref` of this one. */
  async ask(frame: object): Promise<ServerFrame> {
    const ref = ++this.#ref;
    this.send({ ...frame, ref });
    return waitFor(
      () => this.frames.find((answer) => "ref" in answer && answer.ref === ref),
      `an answer to ${JSON.stringify(frame)}`,
    );
  }

  next<Type extends ServerFrame["type"]>(type: Type, from = 0): Promise<Of<Type>> {
    return waitFor(
      () => this.frames.slice(from).find((frame): frame is Of<Type> => frame.type === type),
      `a frame ${type}`,
    );
  }

  close(): void {
    this.socket.close();
  }
}

export class TestClient extends ClientRules {
  /** `degraded`, `recovered` and `reconnect`, in order. */
  readonly told: ServerFrame[] = [];
  readonly closeCodes: number[] = [];
  reconnects = 0;
  readonly #urls: readonly string[];
  #token = "";
  #socket: WebSocket | undefined;
  #stopped = false;
  #turn = 0;
  #reconnectAfterMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(name: string, urls: readonly string[], rooms: readonly string[], turn = 0) {
    super({ name, rooms, runtime: systemRuntime });
    this.#urls = urls;
    this.#turn = turn;
  }

  /** With a token of its own, else as a guest. */
  async start(token?: string): Promise<this> {
    const url = this.#urls[this.#turn % this.#urls.length] ?? "";
    this.#token = token ?? (await guest(url, this.name)).token;
    this.#running = this.#run();
    await waitFor(() => this.isSettled, `${this.name} to join and its views to be settled`, 30_000);
    return this;
  }

  /** Stops reading from its connection. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** The connection breaks without a word; the client comes back to the next node. */
  cut(): void {
    this.#socket?.terminate();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#socket?.terminate();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const url = this.#urls[this.#turn++ % this.#urls.length] ?? "";
      const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["skat.v1"], {
        perMessageDeflate: false,
      });
      this.#socket = socket;
      const ended = new Promise<void>((resolve) =>
        socket.on("close", (code) => (this.closeCodes.push(code), resolve())),
      );
      socket.on("error", () => {}); // the close follows
      socket.on("open", () => this.connected(this.#token));
      socket.on("message", (data: Buffer) => this.hear(JSON.parse(data.toString()) as ServerFrame));
      const timer = setInterval(() => this.tick(), 100);
      await ended;
      clearInterval(timer);
      this.reconnects++;
      this.disconnected();
      const afterMs = this.#reconnectAfterMs ?? 20 + Math.random() * 200;
      this.#reconnectAfterMs = undefined;
      if ((this.closeCodes.at(-1) ?? 0) >= LAST_CLOSE_CODE) return;
      if (!this.#stopped) await sleep(afterMs);
    }
  }

  override hear(frame: ServerFrame): void {
    if (frame.type === "reconnect") this.#reconnectAfterMs = frame.afterMs;
    if (frame.type === "reconnect" || frame.type === "degraded" || frame.type === "recovered")
      this.told.push(frame);
    super.hear(frame);
  }

  protected transmit(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
