/** A client for tests: it follows rules K1–K3 over a real socket, retries until saved, and can be cut at will. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { uuidV7 } from "../core/uuid.ts";
import { NO_POSITION, type ClientFrame, type RoomEvent, type ServerFrame } from "../protocol.ts";
import { waitFor } from "./wait-for.ts";

type Of<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

interface View {
  events: Map<string, RoomEvent>;
  cursor: string;
  provisional: boolean;
  joining: boolean;
}

interface Waiting {
  readonly frame: Extract<ClientFrame, { type: "send" }>;
  retryAtMs: number;
}

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

export class TestClient {
  readonly name: string;
  readonly sent = new Map<string, string>();
  readonly saved = new Set<string>();
  readonly faults: string[] = [];
  /** Retriable errors, by code. */
  readonly refusals = new Map<string, number>();
  /** `degraded`, `recovered` and `reconnect`, in order. */
  readonly told: ServerFrame[] = [];
  readonly closeCodes: number[] = [];
  resets = 0;
  /** Events whose predecessor it did not hold: a node that mends its holes sends none. */
  holes = 0;
  reconnects = 0;
  readonly #urls: readonly string[];
  readonly #views = new Map<string, View>();
  readonly #outbox = new Map<string, Waiting>();
  #token = "";
  #socket: WebSocket | undefined;
  #stopped = false;
  #turn = 0;
  #offsetMs = 0;
  #reconnectAfterMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(name: string, urls: readonly string[], rooms: readonly string[], turn = 0) {
    this.name = name;
    this.#urls = urls;
    this.#turn = turn;
    for (const room of rooms)
      this.#views.set(room, { events: new Map(), cursor: NO_POSITION, provisional: true, joining: true });
  }

  async start(): Promise<this> {
    const url = this.#urls[this.#turn % this.#urls.length] ?? "";
    this.#token = (await guest(url, this.name)).token;
    this.#running = this.#run();
    await waitFor(() => this.isSettled, `${this.name} to join and its views to be settled`, 30_000);
    return this;
  }

  get isJoined(): boolean {
    return [...this.#views.values()].every(({ joining }) => !joining);
  }

  get isSettled(): boolean {
    return this.isJoined && [...this.#views.values()].every(({ provisional }) => !provisional);
  }

  get waiting(): number {
    return this.#outbox.size;
  }

  /** What the client shows of a room, in order. */
  shown(room: string): RoomEvent[] {
    return [...this.#view(room).events.values()].sort((a, b) => (a.position < b.position ? -1 : 1));
  }

  /** Puts a message into the outbox and answers its id. `twice`: it is sent a second time at once, as a confused client would. */
  say(room: string, body: string, twice = false): string {
    const id = uuidV7({ ...systemRuntime, now: () => systemRuntime.now() + this.#offsetMs });
    const frame = { type: "send" as const, room, id, body, since: this.#view(room).cursor };
    this.#outbox.set(id, { frame, retryAtMs: Infinity });
    if (this.#view(room).joining) return id; // it goes out with the join
    this.#transmit(frame);
    if (twice) this.#transmit(frame);
    return id;
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
      socket.on("open", () => this.#transmit({ type: "auth", ref: 0, token: this.#token }));
      socket.on("message", (data: Buffer) => this.#hear(JSON.parse(data.toString()) as ServerFrame));
      const timer = setInterval(() => this.#retry(), 100);
      await ended;
      clearInterval(timer);
      this.reconnects++;
      for (const view of this.#views.values()) view.joining = true;
      const afterMs = this.#reconnectAfterMs ?? 20 + Math.random() * 200;
      this.#reconnectAfterMs = undefined;
      if (!this.#stopped) await sleep(afterMs);
    }
  }

  #hear(frame: ServerFrame): void {
    if (frame.type === "welcome") return this.#welcomed(frame.now);
    if (frame.type === "joined" || frame.type === "reset") return this.#page(frame);
    if (frame.type === "events") return frame.events.forEach((event) => this.#add(event));
    if (frame.type === "event") return this.#live(frame);
    if (frame.type === "sent") return this.#wasSent(frame);
    if (frame.type === "saved")
      return frame.ids.forEach((id) => (this.saved.add(id), this.#outbox.delete(id)));
    if (frame.type === "error") return this.#failed(frame);
    if (frame.type === "reconnect") this.#reconnectAfterMs = frame.afterMs;
    if (frame.type === "reconnect" || frame.type === "degraded" || frame.type === "recovered")
      this.told.push(frame);
  }

  #welcomed(nowMs: number): void {
    this.#offsetMs = nowMs - systemRuntime.now();
    for (const room of this.#views.keys()) this.#join(room);
  }

  #join(room: string): void {
    const view = this.#view(room);
    view.joining = true;
    const after = view.provisional ? {} : { after: view.cursor };
    this.#transmit({ type: "join", ref: 1 + [...this.#views.keys()].indexOf(room), room, ...after });
  }

  #page({ type, room, head, provisional, ref }: Of<"joined"> | Of<"reset">): void {
    const view = this.#view(room);
    if (type === "reset") this.resets++;
    if (type === "reset" || view.provisional) view.events = new Map();
    view.cursor = head;
    view.provisional = provisional;
    if (ref === undefined || !view.joining) return;
    view.joining = false;
    for (const { frame } of this.#outbox.values()) if (frame.room === room) this.#transmit(frame);
  }

  #live(event: RoomEvent): void {
    const view = this.#view(event.room);
    if (view.joining || event.position <= view.cursor) return;
    if (event.prev !== view.cursor) {
      this.holes++;
      return this.#join(event.room);
    }
    view.cursor = event.position;
    this.#add(event);
  }

  #add(event: RoomEvent): void {
    const { events } = this.#view(event.room);
    const known = events.get(event.id);
    if (known && known.position !== event.position) this.faults.push(`${event.id} is shown at two positions`);
    events.set(event.id, event);
  }

  #wasSent({ id, position }: Of<"sent">): void {
    this.sent.set(id, position);
  }

  #failed({ ref, code, message, retriable, retryAfterMs = 200 }: Of<"error">): void {
    const at = systemRuntime.now() + retryAfterMs;
    const rooms = [...this.#views.keys()];
    const room = ref !== undefined && ref > 0 ? rooms[ref - 1] : undefined;
    if (room !== undefined)
      setTimeout(() => this.#socket?.readyState === WebSocket.OPEN && this.#join(room), retryAfterMs);
    else
      for (const waiting of this.#outbox.values())
        if (!this.saved.has(waiting.frame.id)) waiting.retryAtMs = Math.min(waiting.retryAtMs, at);
    if (!retriable) this.faults.push(`${code}: ${message}`);
    else this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  #retry(): void {
    const nowMs = systemRuntime.now();
    for (const waiting of this.#outbox.values()) {
      if (waiting.retryAtMs > nowMs || this.#view(waiting.frame.room).joining) continue;
      waiting.retryAtMs = Infinity;
      this.#transmit(waiting.frame);
    }
  }

  #transmit(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #view(room: string): View {
    const view = this.#views.get(room);
    if (!view) throw new Error(`${this.name} knows no room ${room}`);
    return view;
  }
}
