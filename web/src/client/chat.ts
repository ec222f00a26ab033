/** The client as an application sees it: rooms, messages and their delivery as one snapshot that changes as a whole. */
import {
  DEFAULT_LIMITS,
  type Ability,
  type Engine,
  type ErrorBody,
  type Limits,
  type RoomEvent,
  type ServerFrame,
  type User,
} from "../../../functions/protocol.ts";
import { ApiError, type Account, type Api } from "./api.ts";
import { fullJitterMs } from "./backoff.ts";
import { Connection, type ConnectionState } from "./connection.ts";
import type { HistoryState } from "./history.ts";
import { MessageIds } from "./message-id.ts";
import { Outbox, type OutboxEntry, type OutboxStore } from "./outbox.ts";
import type { Platform } from "./platform.ts";
import { RoomSession, type RoomError } from "./room-session.ts";
import { Sender, isSessionError } from "./sender.ts";
import type { RoomView } from "./view.ts";

export interface ChatOptions {
  readonly url: string;
  readonly api: Api;
  readonly platform: Platform;
  readonly account: Account;
  readonly outboxStore: OutboxStore;
  /** The guest got a new token (and with it a new id). */
  readonly onAccount: (account: Account) => void;
}

export interface RoomSnapshot {
  readonly view: RoomView | undefined;
  /** This client's messages of the room that are not known to be saved, by id. */
  readonly entries: ReadonlyMap<string, OutboxEntry>;
  readonly history: HistoryState;
  readonly error: RoomError | undefined;
}

export interface ChatSnapshot {
  readonly connection: ConnectionState;
  readonly user: User;
  readonly limits: Limits;
  /** What the server can't do right now. */
  readonly cannot: ReadonlySet<Ability>;
  readonly rooms: ReadonlyMap<string, RoomSnapshot>;
}

export class Chat {
  readonly #options: ChatOptions;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #ids: MessageIds;
  readonly #rooms = new Map<string, RoomSession>();
  readonly #degraded = new Map<Engine, readonly Ability[]>();
  readonly #listeners = new Set<() => void>();
  readonly #eventListeners = new Set<(event: RoomEvent) => void>();
  #account: Account;
  #limits: Limits = DEFAULT_LIMITS;
  /** Whether a new token was already asked for since the server last took one. */
  #isRenewed = false;
  #isRenewing = false;
  #isStopped = false;
  #snapshot: ChatSnapshot | undefined;

  constructor(options: ChatOptions) {
    const { platform, url, outboxStore, account } = options;
    this.#options = options;
    this.#account = account;
    this.#ids = new MessageIds(platform);
    this.#outbox = new Outbox(outboxStore, () => this.#changed());
    this.#connection = new Connection({
      url,
      platform,
      token: () => this.#account.token,
      onState: (state) => this.#onState(state),
      onWelcome: (welcome, isNew) => this.#onWelcome(welcome, isNew),
      onFrame: (frame) => this.#onFrame(frame),
    });
    this.#sender = new Sender({
      outbox: this.#outbox,
      platform,
      isReady: (room) => this.#rooms.get(room)?.isIn === true,
      onRefused: (entry, error) => this.#onRefused(entry, error),
      request: ({ room, id, body, since }, onReply) =>
        this.#connection.request({ type: "send", room, id, body, since }, onReply),
    });
  }

  /** The token in force, for calls beside the socket. */
  get token(): string {
    return this.#account.token;
  }

  start(): void {
    this.#connection.start();
  }

  /** Ends the session for good. What waits in the outbox stays there. */
  stop(): void {
    this.#isStopped = true;
    this.#connection.stop();
    for (const { history } of this.#rooms.values()) history.stop();
  }

  /** Connects at once when waiting, and makes sure that a connection which looks alive is. */
  wake(): void {
    this.#connection.probe();
  }

  /** Joins a room and stays in it over reconnects. */
  open(id: string): void {
    if (this.#rooms.has(id)) return;
    const { api, platform } = this.#options;
    const session = new RoomSession(id, {
      connection: this.#connection,
      platform,
      api,
      token: () => this.#account.token,
      onEvent: (event) => this.#eventListeners.forEach((listener) => listener(event)),
      onIn: (room) => this.#sender.pump(room),
      onShown: (room, events, isPage) => this.#onShown(room, events, isPage),
      onChange: () => this.#changed(),
    });
    this.#rooms.set(id, session);
    session.join();
    this.#changed();
  }

  /** Puts a message into the outbox, from where it is sent until it is saved. The room must have a view. */
  send(room: string, body: string): void {
    const view = this.#rooms.get(room)?.view;
    if (view === undefined) throw new Error("A message needs a room that has been joined.");
    const id = this.#ids.make();
    const userId = this.#account.user.id;
    this.#enqueue({ id, room, body, since: view.cursor, userId, at: this.#ids.nowMs(), state: "waiting" });
  }

  /** Sends a failed message again: under its own id, unless the id itself was what the server refused. */
  retry(id: string): void {
    const entry = this.#outbox.get(id);
    if (entry?.state !== "failed") return;
    const isIdRefused = entry.error?.code === "id_from_future" || entry.error?.code === "id_taken";
    if (isIdRefused) {
      this.#outbox.remove(id);
      this.send(entry.room, entry.body);
    } else {
      this.#outbox.setState(id, "waiting");
      this.#sender.add(entry);
    }
  }

  discard(id: string): void {
    this.#outbox.remove(id);
  }

  /** Loads the page before the room's view. */
  loadOlder(room: string): void {
    void this.#rooms.get(room)?.history.load();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells of every event that comes after what its room showed before. */
  onEvent(listener: (event: RoomEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  getSnapshot(): ChatSnapshot {
    this.#snapshot ??= this.#makeSnapshot();
    return this.#snapshot;
  }

  #enqueue(entry: OutboxEntry): void {
    this.#outbox.put(entry);
    this.#sender.add(entry);
  }

  #onWelcome({ user, limits, now }: Extract<ServerFrame, { type: "welcome" }>, isNew: boolean): void {
    this.#ids.setClock(now);
    if (!isNew) return;
    this.#isRenewed = false;
    this.#account = { ...this.#account, user };
    this.#limits = limits;
    this.#sender.restart();
    for (const session of this.#rooms.values()) session.join();
    for (const { room } of this.#outbox.all()) this.open(room);
    this.#changed();
  }

  #onState(state: ConnectionState): void {
    if (state.phase !== "online") this.#onOffline();
    if (state.phase === "stopped" && isSessionError(state.code) && !this.#isRenewed) void this.#renew();
    this.#changed();
  }

  #onOffline(): void {
    this.#degraded.clear();
    for (const session of this.#rooms.values()) session.setOut();
  }

  /** A guest whose token is no longer taken comes back once as a new guest of the same name. */
  async #renew(attempt = 0): Promise<void> {
    const { api, onAccount, platform } = this.#options;
    this.#isRenewed = true;
    this.#isRenewing = true;
    try {
      const account = await api.guest(this.#account.user.name);
      if (this.#isStopped) return;
      this.#account = account;
      this.#isRenewing = false;
      onAccount(this.#account);
      this.#connection.start();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const delayMs = error.retryAfterMs + fullJitterMs(attempt, () => platform.random());
      if (this.#isStopped) return;
      if (error.retriable) platform.after(delayMs, () => void this.#renew(attempt + 1));
      else this.#isRenewing = false;
      this.#changed();
    }
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === "degraded") this.#degraded.set(frame.engine, frame.cannot);
    else if (frame.type === "recovered") this.#degraded.delete(frame.engine);
    else if (frame.type === "saved") frame.ids.forEach((id) => this.#onSaved(frame.room, id));
    else if (frame.type === "error")
      console.warn(`The server refused a frame: ${frame.code}, ${frame.message}`);
    else if ("room" in frame) this.#rooms.get(frame.room)?.onFrame(frame);
    this.#changed();
  }

  /** Events that are in the room were sent, whatever this client was told about them. */
  #onShown(room: string, events: readonly RoomEvent[], isPage: boolean): void {
    for (const { id } of events) this.#onOwnShown(id);
    if (!isPage) return;
    // What was saved and is not in the page is older than the page.
    for (const { id, state } of this.#outbox.ofRoom(room)) if (state === "saved") this.#outbox.remove(id);
  }

  #onOwnShown(id: string): void {
    const entry = this.#outbox.get(id);
    if (entry === undefined) return;
    if (entry.state === "saved") return this.#outbox.remove(id);
    this.#outbox.setState(id, "sent");
    if (entry.state === "failed") this.#sender.add(entry);
  }

  #onSaved(room: string, id: string): void {
    const isShown = this.#rooms.get(room)?.view?.events.some((event) => event.id === id) === true;
    if (isShown) this.#outbox.remove(id);
    else this.#outbox.setState(id, "saved");
  }

  /** An id that is "taken" from a guest who got a new identity is this guest's own, accepted earlier. */
  #onRefused(entry: OutboxEntry, error: ErrorBody): void {
    const isOwnEarlier = error.code === "id_taken" && entry.userId !== this.#account.user.id;
    if (isOwnEarlier) this.#outbox.remove(entry.id);
    else this.#outbox.setFailed(entry.id, error);
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#listeners.forEach((listener) => listener());
  }

  #makeSnapshot(): ChatSnapshot {
    const rooms = [...this.#rooms].map(([id, { view, history, error }]) => {
      const entries = new Map(this.#outbox.ofRoom(id).map((entry) => [entry.id, entry]));
      return [id, { view, entries, history: history.state, error }] as const;
    });
    return {
      connection: this.#isRenewing ? { phase: "connecting" } : this.#connection.state,
      user: this.#account.user,
      limits: this.#limits,
      cannot: new Set([...this.#degraded.values()].flat()),
      rooms: new Map(rooms),
    };
  }
}
