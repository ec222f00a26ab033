/** A connection of the smoke test: speaks as a page of that address would, and says why it was refused. */
import { WebSocket } from "ws";
import { SUBPROTOCOL, type ClientFrame, type ServerFrame } from "../functions/protocol.ts";

type Question = ClientFrame extends infer Frame
  ? Frame extends ClientFrame
    ? Omit<Frame, "ref">
    : never
  : never;

interface Waiter {
  readonly isIt: (frame: ServerFrame) => boolean;
  readonly resolve: (frame: ServerFrame) => void;
  readonly reject: (error: Error) => void;
}

export class SmokeSocket {
  readonly #socket: WebSocket;
  readonly #frames: ServerFrame[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #cursors = new Map<string, string>();
  #ref = 0;
  #aheadMs = 0;
  #failure: Error | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#hear(JSON.parse(data.toString()) as ServerFrame));
    socket.on("close", (code, reason) =>
      this.#fail(`the connection was closed with ${code} ${reason.toString()}`),
    );
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("unexpected-response", (_, response) => {
      this.#fail(`the upgrade was refused with ${response.statusCode} ${response.statusMessage}`);
      socket.terminate();
    });
  }

  static async open(url: string): Promise<SmokeSocket> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, [SUBPROTOCOL], { origin: url });
    const opened = new SmokeSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("close", () => reject(opened.#failure ?? new Error("the connection was closed")));
    });
    return opened;
  }

  async authenticate(token: string): Promise<void> {
    const frame = await this.#ask({ type: "auth", token });
    if (frame.type === "welcome") this.#aheadMs = frame.now - Date.now();
  }

  async join(room: string): Promise<void> {
    const frame = await this.#ask({ type: "join", room });
    if ("head" in frame) this.#cursors.set(room, frame.head);
  }

  /** Answers the message's position. */
  async say(room: string, id: string, body: string): Promise<string> {
    const since = this.#cursors.get(room) ?? "";
    const frame = await this.#ask({ type: "send", room, id, body, since });
    if (frame.type !== "sent") throw new Error(`\`send\` was answered by ${frame.type}`);
    return frame.position;
  }

  /** The server's time, by which message ids are made. */
  serverMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** The first frame that is it, also among those that have come already. */
  next(isIt: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    const known = this.#frames.find(isIt);
    if (known) return Promise.resolve(known);
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.add({ isIt, resolve, reject }));
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(question: Question): Promise<ServerFrame> {
    const ref = ++this.#ref;
    this.#socket.send(JSON.stringify({ ...question, ref }));
    const answer = await this.next((frame) => "ref" in frame && frame.ref === ref);
    if (answer.type === "error") throw new Error(`${answer.code}: ${answer.message}`);
    return answer;
  }

  #hear(frame: ServerFrame): void {
    this.#frames.push(frame);
    for (const waiter of this.#waiters) {
      if (!waiter.isIt(frame)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(frame);
    }
  }

  #fail(reason: string): void {
    this.#failure ??= new Error(reason);
    for (const waiter of this.#waiters) waiter.reject(this.#failure);
    this.#waiters.clear();
  }
}
