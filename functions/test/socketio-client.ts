/** Clients of Socket.IO for tests: the real library, and on it one that follows K1–K3 as its own documentation says. */
import { io, type Socket } from "socket.io-client";
import { io as io3 } from "socket.io-client-3";
import type { WebSocket } from "ws";
import { systemRuntime } from "../adapters/runtime-system.ts";
import type { ClientFrame } from "../protocol.ts";
import type {
  ClientToServerEvents,
  Failure,
  Hello,
  RoomPage,
  Sent,
  ServerToClientEvents,
} from "../socketio/events.ts";
import { ClientRules } from "./client-rules.ts";
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

/** The connection breaks as by a fault of the network; the library comes back by itself. */
export function cutOff(client: IoClient): void {
  wireOf(client)?.terminate();
}

/** What the library runs on where it is on a WebSocket. */
function wireOf(client: IoClient): Pick<WebSocket, "terminate" | "pause" | "resume"> | undefined {
  const engine = client.io.engine as unknown as { transport?: { ws?: WebSocket } } | undefined;
  return engine?.transport?.ws;
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

/** How it comes back: by joining again from its own cursor, or by the offset that the library keeps. */
export type Resume = "after" | "offset";

/** In one room of the full dialect, by rules K1–K3; audited beside those of `/ws`. */
export class SocketIoClient extends ClientRules {
  /** Times that the library told that it was recovered. */
  recoveries = 0;
  readonly #url: string;
  readonly #room: string;
  readonly #resume: Resume;
  readonly #isOld: boolean;
  #client: IoClient | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    name: string,
    url: string,
    room: string,
    { resume, isOld = false }: { resume: Resume; isOld?: boolean },
  ) {
    super({ name, rooms: [room], runtime: systemRuntime });
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
    client.on("disconnect", () => this.disconnected());
    client.on("event", (event) => this.hear(event));
    client.on("sent", (sent) => this.hear({ type: "sent", ...sent }));
    client.on("saved", (saved) => this.hear({ type: "saved", ...saved }));
    client.on("error", (error) => this.hear({ type: "error", ...error }));
    client.on("reset", (page) => this.#page(page, undefined));
    client.connect();
    this.#timer = setInterval(() => this.tick(), 100);
    await waitFor(() => this.isSettled, `${this.name} to join and its view to be settled`, 30_000);
    return this;
  }

  /** Stops reading from its connection; a library as old as 3 can't. */
  pause(): void {
    if (this.#client) wireOf(this.#client)?.pause();
  }

  resume(): void {
    if (this.#client) wireOf(this.#client)?.resume();
  }

  /** The connection breaks without a word. */
  cut(): void {
    if (this.#client?.connected) cutOff(this.#client);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#client?.disconnect();
  }

  protected transmit({ type, ref, ...fields }: ClientFrame): void {
    const client = this.#client;
    if (!client?.connected) return;
    const emit = client.emit.bind(client) as (...args: unknown[]) => void;
    emit(type, fields, (answer: RoomPage | Sent | Failure) => this.#answered(answer, ref));
  }

  /** What the library has brought to where it was needs no join. */
  #connected(client: IoClient): void {
    const isRecovered = client.recovered && this.#resume === "offset";
    if (!isRecovered) return this.rejoin();
    this.recoveries++;
    const room = this.#room;
    const here = { head: this.cursor(room), complete: this.isComplete(room), provisional: false };
    this.hear({ type: "joined", ref: 1, room, ...here });
    this.hear({ type: "events", room, events: [] });
  }

  #answered(answer: RoomPage | Sent | Failure, ref: number | undefined): void {
    const base = ref === undefined ? {} : { ref };
    if ("error" in answer) this.hear({ type: "error", ...base, ...answer.error });
    else if ("events" in answer) this.#page(answer, ref);
    else this.hear({ type: "sent", ...base, ...answer });
  }

  #page({ events, reset, ...page }: RoomPage, ref: number | undefined): void {
    const base = ref === undefined ? {} : { ref };
    if (reset) this.hear({ type: "reset", reason: reset, ...base, ...page });
    else this.hear({ type: "joined", ...base, ...page });
    this.hear({ type: "events", room: page.room, events });
  }
}
