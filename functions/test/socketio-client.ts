/** Clients of Socket.IO for tests: the real library, and on it one that follows K1–K3 as its own documentation says. */
import { io, type Socket } from "socket.io-client";
import { io as io3 } from "socket.io-client-3";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { uuidV7 } from "../core/uuid.ts";
import { NO_POSITION, type RoomEvent } from "../protocol.ts";
import type {
  ClientToServerEvents,
  Failure,
  Hello,
  RoomPage,
  Sent,
  ServerToClientEvents,
} from "../socketio/events.ts";
import { guest } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

export type IoClient = Socket<ServerToClientEvents, ClientToServerEvents>;

interface IoOptions {
  readonly auth?: Hello | (() => Hello);
  readonly transports?: string[];
  /** A library from before recovery was in it. */
  readonly isOld?: boolean;
}

/** A client that is not connected yet: its listeners come first. */
export function ioClient(
  url: string,
  { auth = {}, transports = ["websocket"], isOld = false }: IoOptions = {},
): IoClient {
  const options = {
    auth: typeof auth === "function" ? (give: (hello: object) => void) => give(auth()) : auth,
    transports,
    forceNew: true,
    autoConnect: false,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
  };
  const client: IoClient = (isOld ? io3 : io)(url, options);
  const told: Heard[] = [];
  heard.set(client, told);
  client.onAny((event: string, ...args: unknown[]) => told.push({ event, args }));
  return client;
}

/** Connected. */
export async function ioConnect(url: string, options: IoOptions = {}): Promise<IoClient> {
  const client = ioClient(url, options);
  client.connect();
  await waitFor(() => client.connected, "a client of Socket.IO to connect");
  return client;
}

export interface Heard {
  readonly event: string;
  readonly args: readonly unknown[];
}

const heard = new WeakMap<IoClient, Heard[]>();

/** What a client was told, in order, from the first. */
export function heardBy(client: IoClient): readonly Heard[] {
  return heard.get(client) ?? [];
}

/** It can come back to where it is. */
export async function hasOffset(client: IoClient): Promise<void> {
  await waitFor(
    () => heardBy(client).findLast(({ event }) => event === "offset")?.args[0],
    "an offset",
    30_000,
  );
}

/** The texts that the simple dialect brought. */
export function textsOf(heard: readonly Heard[]): string[] {
  return heard
    .filter(({ event }) => event === "message")
    .map(({ args: [json] }) => (JSON.parse(String(json)) as { message: string }).message);
}

interface View {
  events: Map<string, RoomEvent>;
  cursor: string;
  provisional: boolean;
  joining: boolean;
}

/** How it comes back: by joining again from its own cursor, or by the offset that the library keeps. */
export type Resume = "after" | "offset";

/** In one room of the full dialect; audited beside `TestClient`. */
export class SocketIoClient {
  readonly name: string;
  readonly sent = new Map<string, string>();
  readonly saved = new Set<string>();
  readonly faults: string[] = [];
  /** Times that the library told that it was recovered. */
  recoveries = 0;
  resets = 0;
  readonly #url: string;
  readonly #room: string;
  readonly #resume: Resume;
  readonly #isOld: boolean;
  readonly #view: View = { events: new Map(), cursor: NO_POSITION, provisional: true, joining: true };
  readonly #outbox = new Map<string, { body: string; since: string }>();
  #client: IoClient | undefined;

  constructor(
    name: string,
    url: string,
    room: string,
    { resume, isOld = false }: { resume: Resume; isOld?: boolean },
  ) {
    this.name = name;
    this.#url = url;
    this.#room = room;
    this.#resume = resume;
    this.#isOld = isOld;
  }

  async start(): Promise<this> {
    const { token } = await guest(this.#url, this.name);
    const client = ioClient(this.#url, { auth: { dialect: "full", token }, isOld: this.#isOld });
    this.#client = client;
    client.on("connect", () => this.#connected(client));
    client.on("disconnect", () => (this.#view.joining = true));
    client.on("event", (event) => this.#live(event));
    client.on("saved", ({ ids }) => ids.forEach((id) => (this.saved.add(id), this.#outbox.delete(id))));
    client.on("reset", (page) => (this.resets++, this.#replace(page)));
    client.on("error", ({ code, message }) => this.faults.push(`${code}: ${message}`));
    client.on(
      "connect_error",
      (error) => "data" in error && error.data !== undefined && this.faults.push(String(error)),
    );
    client.connect();
    await waitFor(() => this.isSettled, `${this.name} to join and its view to be settled`, 30_000);
    return this;
  }

  get isSettled(): boolean {
    return !this.#view.joining && !this.#view.provisional;
  }

  get waiting(): number {
    return this.#outbox.size;
  }

  shown(room: string): RoomEvent[] {
    if (room !== this.#room) return [];
    return [...this.#view.events.values()].sort((a, b) => (a.position < b.position ? -1 : 1));
  }

  say(room: string, body: string, twice = false): string {
    const id = uuidV7(systemRuntime);
    if (room !== this.#room) throw new Error(`${this.name} is not in ${room}`);
    this.#outbox.set(id, { body, since: this.#view.cursor });
    if (!this.#view.joining) for (let times = twice ? 2 : 1; times > 0; times--) this.#transmit(id);
    return id;
  }

  /** The connection breaks without a word. */
  cut(): void {
    const engine = this.#client?.io.engine as unknown as
      { transport?: { ws?: { terminate?(): void } } } | undefined;
    engine?.transport?.ws?.terminate?.();
  }

  stop(): void {
    this.#client?.disconnect();
  }

  #connected(client: IoClient): void {
    if (client.recovered && this.#resume === "offset") {
      this.recoveries++;
      return this.#joined();
    }
    const after = this.#view.provisional ? {} : { after: this.#view.cursor };
    client.emit("join", { room: this.#room, ...after }, (page) => this.#answered(client, page));
  }

  #answered(client: IoClient, page: RoomPage | Failure): void {
    if (!("error" in page)) {
      if (page.reset || this.#view.provisional) this.#replace(page);
      else this.#append(page);
      return this.#joined();
    }
    if (!page.error.retriable) this.faults.push(`join: ${page.error.code}`);
    else setTimeout(() => client.connected && this.#connected(client), page.error.retryAfterMs ?? 200);
  }

  #joined(): void {
    this.#view.joining = false;
    for (const id of this.#outbox.keys()) this.#transmit(id);
  }

  #replace({ head, provisional, events }: RoomPage): void {
    this.#view.events = new Map(events.map((event) => [event.id, event]));
    this.#view.cursor = head;
    this.#view.provisional = provisional;
  }

  #append({ head, events }: RoomPage): void {
    for (const event of events) this.#view.events.set(event.id, event);
    this.#view.cursor = head;
  }

  #live(event: RoomEvent): void {
    if (event.position <= this.#view.cursor) return;
    if (event.prev !== this.#view.cursor) this.faults.push(`a hole before ${event.position}`);
    this.#view.cursor = event.position;
    this.#view.events.set(event.id, event);
  }

  #transmit(id: string): void {
    const waiting = this.#outbox.get(id);
    if (!waiting) return;
    this.#client?.emit("send", { room: this.#room, id, ...waiting }, (answer) => this.#wasSent(id, answer));
  }

  #wasSent(id: string, answer: Sent | Failure): void {
    if (!("error" in answer)) return void this.sent.set(id, answer.position);
    if (!answer.error.retriable) this.faults.push(`${answer.error.code}: ${answer.error.message}`);
    else setTimeout(() => this.#client?.connected && this.#transmit(id), answer.error.retryAfterMs ?? 200);
  }
}
