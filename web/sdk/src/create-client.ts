/** Puts a client together from what the surroundings have: the one place that looks for a browser or for Node. */
import type { User } from "../../../functions/protocol.ts";
import { createApi, type Fetch } from "./api.ts";
import { Client } from "./client.ts";
import { watchHints } from "./hints.ts";
import type { OpenSocket, Runtime } from "./runtime.ts";
import { systemRuntime } from "./runtime-system.ts";
import { socketsOf, type WebSocketClass } from "./socket.ts";
import { indexedDbStorage } from "./storage-indexeddb.ts";
import { memoryStorage, type OutboxStorage } from "./storage.ts";
import type { TokenSource } from "./tokens.ts";
import type { RoomView } from "./view.ts";

export interface ClientOptions {
  /** The server's address, such as `https://chat.example.org`. */
  readonly url: string;
  /** A token, or a function that answers one each time it is needed. */
  readonly token: string | TokenSource;
  /** Whose token it is, if that is known: then messages can be written before the first connection. */
  readonly user?: User;
  /** Closes the client. */
  readonly signal?: AbortSignal;
  /** For runtimes without one, such as Node 20: that of the package `ws`. */
  readonly WebSocket?: WebSocketClass;
  readonly fetch?: Fetch;
  /** Where messages outlive the process. By default IndexedDB under the name `skat`; in memory where there is none. */
  readonly storage?: OutboxStorage;
  /** Views of rooms that an earlier client of this user has shown: each is shown from its joining on, and the room goes on from there. */
  readonly views?: ReadonlyMap<string, RoomView>;
  /** Clocks, timers and chance of another kind. */
  readonly runtime?: Runtime;
  /** Sockets of another kind; `WebSocket` is not used then. */
  readonly openSocket?: OpenSocket;
}

const DATABASE = "skat";

/** A client that is not connected yet: listen and join first, then `connect`. */
export function createClient(options: ClientOptions): Client {
  const { url, signal, runtime = systemRuntime } = options;
  const baseUrl = url.replace(/\/+$/, "");
  const client = new Client({
    ...options,
    socketUrl: `${baseUrl.replace(/^http/, "ws")}/ws`,
    api: createApi(baseUrl, options.fetch),
    runtime,
    openSocket: options.openSocket ?? socketsOf(options.WebSocket),
    storage: options.storage ?? defaultStorage(runtime),
    watchHints,
  });
  if (signal?.aborted === true) client.close();
  signal?.addEventListener("abort", () => client.close(), { once: true });
  return client;
}

function defaultStorage(runtime: Runtime): OutboxStorage {
  return "indexedDB" in globalThis ? indexedDbStorage(DATABASE, runtime) : memoryStorage();
}
