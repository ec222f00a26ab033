/** The client as an application sees it: rooms, messages and their delivery as one snapshot that changes as a whole. */
import {
  CLIENT_LIMITS,
  NO_POSITION,
  type Ability,
  type Engine,
  type ErrorBody,
  type ClientLimits,
  type ResetReason,
  type RoomEvent,
  type ServerFrame,
  type User,
} from "../../../functions/protocol.ts";
import type { Api, HistoryQuery, ListedRoom, Method } from "./api.ts";
import { Connection, type ConnectionState } from "./connection.ts";
import { Deliveries, type Delivery } from "./deliveries.ts";
import { Emitter, type ListenOptions } from "./emitter.ts";
import { ClientError, isSessionError } from "./errors.ts";
import { MessageIds } from "./message-id.ts";
import { Outbox, type OutboxEntry } from "./outbox.ts";
import { RoomSession } from "./room-session.ts";
import type { Cancel, OpenSocket, Runtime } from "./runtime.ts";
import { Sender } from "./sender.ts";
import { Snapshots, type ClientSnapshot, type RoomSnapshot } from "./snapshots.ts";
import type { OutboxStorage } from "./storage.ts";
import { Tokens, type TokenReason, type TokenSource } from "./tokens.ts";
import { until } from "./until.ts";
import { countBefore, type HistoryPage, type RoomView } from "./view.ts";

/** What a client is made of. `createClient` fills in what the surroundings have. */
export interface ClientParts {
  readonly socketUrl: string;
  readonly token: string | TokenSource;
  readonly user?: User | undefined;
  readonly api: Api;
  readonly runtime: Runtime;
  readonly openSocket: OpenSocket;
  readonly storage: OutboxStorage;
  readonly views?: ReadonlyMap<string, RoomView> | undefined;
  /** Calls back when a connection may have come or gone. */
  readonly watchHints: (onHint: () => void) => Cancel;
}

/** What a client tells of, by name. */
export interface ClientEvents {
  /** The connection came, went, or ended for good. */
  readonly state: ConnectionState;
  /** A message came after those that its room showed before; each is told of once. */
  readonly message: RoomEvent;
  /** A room's view was replaced. */
  readonly reset: { readonly room: string; readonly reason: ResetReason };
  /** An own message went a step further. */
  readonly delivery: Delivery;
  /** A room changed, or this user's role in it. */
  readonly room: Extract<ServerFrame, { type: "room" }>;
  /** Somebody's part in a room changed. */
  readonly member: Extract<ServerFrame, { type: "member" }>;
  /** This user is no longer a member of a room. */
  readonly left: Extract<ServerFrame, { type: "left" }>;
  /** What the server can't do right now; empty when it is whole again. */
  readonly degraded: ReadonlySet<Ability>;
  /** Something failed that no call is waiting for. */
  readonly error: ClientError;
  /** The snapshot is another one. */
  readonly change: undefined;
}

export interface SendOptions {
  /** The id of the message that this one answers. */
  readonly replyTo?: string;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** A session that comes back, the rooms it is in, and the messages on their way. Made by `createClient`. */
export class Client {
  readonly #parts: ClientParts;
  readonly #emitter = new Emitter<ClientEvents>();
  readonly #ids: MessageIds;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #deliveries: Deliveries;
  readonly #rooms = new Map<string, RoomSession>();
  readonly #degraded = new Map<Engine, readonly Ability[]>();
  readonly #snapshots: Snapshots;
  readonly #stopHints: Cancel;
  #user: User;
  #limits: ClientLimits = CLIENT_LIMITS;
  /** Whether another token was already asked for since the server last took one. */
  #isRenewed = false;
  #isStarted = false;
  #isClosed = false;

  constructor(parts: ClientParts) {
    const { runtime, socketUrl, openSocket, storage, user, token } = parts;
    this.#parts = parts;
    this.#user = user ?? { id: "", name: "" };
    this.#ids = new MessageIds(runtime);
    this.#deliveries = new Deliveries((delivery) => this.#emitter.emit("delivery", delivery));
    this.#tokens = new Tokens({
      source: token,
      runtime,
      nowMs: () => this.#ids.nowMs(),
      onToken: (reason) => this.#onToken(reason),
      onFailed: (error) => this.#connection.stop(error.code),
    });
    this.#connection = new Connection({
      url: socketUrl,
      runtime,
      openSocket,
      token: () => this.#tokens.current,
      onState: (state) => this.#onState(state),
      onWelcome: (welcome, isNew) => this.#onWelcome(welcome, isNew),
      onFrame: (frame) => this.#onFrame(frame),
      onBadFrame: (text) => this.#fault(new ClientError("bad_frame", undefined, { cause: text })),
    });
    this.#outbox = new Outbox({
      storage,
      onChange: (entry, isGone) => this.#onOutbox(entry, isGone),
      onTurn: () => this.#restartSending(),
      onDue: (entry) => this.#onDue(entry),
      onStorageFailed: (cause) => this.#fault(new ClientError("not_kept", undefined, { cause })),
    });
    this.#sender = new Sender({
      outbox: this.#outbox,
      runtime,
      isReady: (room) => this.#rooms.get(room)?.isIn === true,
      onRefused: (entry, error) => this.#onRefused(entry, error),
      request: ({ room, id, body, since, replyTo }, onReply) =>
        this.#connection.request(
          { type: "send", room, id, body, since, ...(replyTo === undefined ? {} : { replyTo }) },
          onReply,
        ),
    });
    this.#snapshots = new Snapshots(this.#outbox, this.#rooms);
    this.#stopHints = parts.watchHints(() => this.wake());
    if (user !== undefined) this.#outbox.use(user.id);
  }

  /** Connects, and stays connected until `close`. Rooms can be joined and messages written before that. */
  connect(): this {
    if (!this.#isStarted && !this.#isClosed) this.#tokens.ask("first");
    this.#isStarted = true;
    return this;
  }

  /** Ends the session for good. What is not saved stays in the storage. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopHints();
    this.#tokens.stop();
    this.#connection.stop();
    this.#sender.stop();
    this.#outbox.close();
    for (const { history } of this.#rooms.values()) history.stop();
    this.#changed();
  }

  /** Connects at once when waiting, and makes sure that a connection which looks alive is. */
  wake(): void {
    this.#connection.probe();
  }

  /** Asks for a new token and gives it to the server, without a new connection. The client does so itself before a JWT runs out. */
  refresh(): void {
    this.#tokens.ask("expiring");
  }

  /** Joins a room and stays in it over reconnects. */
  join(room: string): void {
    if (this.#rooms.has(room) || this.#isClosed) return;
    const session = new RoomSession(room, {
      ...this.#parts,
      connection: this.#connection,
      token: () => this.#tokens.current,
      onEvent: (event) => this.#emitter.emit("message", event),
      onIn: () => this.#sender.pump(room),
      onRefused: (_, error) => this.#onRoomRefused(room, error),
      onReset: (_, reason) => this.#emitter.emit("reset", { room, reason }),
      onShown: (_, events, isPage) => this.#onShown(room, events, isPage),
      onChange: () => this.#changed(room),
    });
    this.#rooms.set(room, session);
    session.join();
    this.#changed(room);
  }

  /** Leaves a room. Its messages that are not sent wait until it is joined again. */
  leave(room: string): void {
    this.#rooms.get(room)?.leave();
    this.#rooms.delete(room);
    this.#changed(room);
  }

  /** Waits until the room shows its messages. Rejects with a `ClientError` when it can't be read, or with the signal's reason. */
  joined(room: string, { signal }: WaitOptions = {}): Promise<RoomSnapshot> {
    return this.#until(signal, () => {
      const session = this.#rooms.get(room);
      if (session === undefined) throw new ClientError("left");
      if (session.error !== undefined) throw new ClientError(session.error.code, session.error.message);
      return session.view && this.#snapshots.room(room, this.#user);
    });
  }

  /** Takes a message, keeps it, and sends it until it is saved, over reconnects and reloads. */
  send(room: string, body: string, { replyTo }: SendOptions = {}): OutboxEntry {
    const userId = this.#outbox.userId;
    if (userId === undefined) throw new ClientError("no_user");
    const since = this.#rooms.get(room)?.view?.cursor ?? NO_POSITION;
    const reply = replyTo === undefined ? {} : { replyTo };
    const written = { id: this.#ids.make(), room, body, since, userId, at: this.#ids.nowMs(), ...reply };
    const entry: OutboxEntry = { ...written, state: "waiting" };
    this.#outbox.add(entry);
    return entry;
  }

  /** Waits until the message is saved. Rejects with a `ClientError` when it was refused or cancelled, or with the signal's reason. */
  saved(id: string, { signal }: WaitOptions = {}): Promise<Delivery> {
    return this.#until(signal, () => this.#deliveries.saved(id));
  }

  /** Sends a failed message again: under its own id, unless the id itself was what the server refused. */
  retry(id: string): void {
    const entry = this.#outbox.get(id);
    if (entry?.state !== "failed") return;
    const isIdRefused = entry.error?.code === "id_from_future" || entry.error?.code === "id_taken";
    const next = isIdRefused ? this.#renumber(entry) : entry;
    this.#outbox.setState(next.id, "waiting");
    this.#onDue(next);
  }

  /** Gives a message up. It may still appear if the server has it already. */
  cancel(id: string): void {
    this.#outbox.remove(id);
  }

  /** Loads the page before the room's view. */
  loadOlder(room: string): void {
    void this.#rooms.get(room)?.history.load();
  }

  /** One page of a room's history, beside its view. */
  history(room: string, query: HistoryQuery = {}): Promise<HistoryPage> {
    return this.#parts.api.history(this.#tokens.current, room, query);
  }

  /** This user has read a joined room up to there; less than before changes nothing. Told to the server at most once a second. */
  markRead(room: string, position: string): void {
    this.#rooms.get(room)?.markRead(position);
  }

  /** The own rooms and the public ones. */
  listRooms(): Promise<readonly ListedRoom[]> {
    return this.#parts.api.rooms(this.#tokens.current);
  }

  /** Makes a public room. */
  createRoom(name: string): Promise<ListedRoom> {
    return this.#parts.api.createRoom(this.#tokens.current, name);
  }

  /** Any other route of `GET /api/openapi.json`, as this user; its path is what follows `/api`. */
  request<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
    return this.#parts.api.request<Answer>(this.#tokens.current, method, path, body);
  }

  /** Calls `listener` for each event of this name, until the answered function is called or the signal aborts. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (value: ClientEvents[Name]) => void,
    options: ListenOptions = {},
  ): Cancel {
    return this.#emitter.on(name, listener, options);
  }

  /** Everything there is to show; the same object until something changes. */
  getSnapshot(): ClientSnapshot {
    return this.#snapshots.whole(() => ({
      connection: this.#tokens.isAsking ? { phase: "connecting" } : this.#connection.state,
      user: this.#user,
      limits: this.#limits,
      cannot: this.#cannot(),
    }));
  }

  #onToken(reason: TokenReason): void {
    if (reason === "expiring") this.#connection.refresh();
    else this.#connection.start();
  }

  #onState(state: ConnectionState): void {
    if (state.phase !== "online") this.#onOffline();
    const mayRenew = state.phase === "stopped" && isSessionError(state.code) && this.#tokens.canRenew;
    if (mayRenew && !this.#isRenewed) {
      this.#isRenewed = true;
      this.#tokens.ask("refused");
    }
    this.#changed();
    this.#emitter.emit("state", this.getSnapshot().connection);
  }

  #onOffline(): void {
    this.#degraded.clear();
    for (const session of this.#rooms.values()) session.setOut();
  }

  #onWelcome({ user, limits, now }: Extract<ServerFrame, { type: "welcome" }>, isNew: boolean): void {
    this.#ids.setClock(now);
    if (!isNew) return;
    this.#isRenewed = false;
    this.#user = user;
    this.#limits = limits;
    this.#snapshots.clear();
    this.#outbox.use(user.id);
    for (const session of this.#rooms.values()) if (session.error?.code !== "left") session.join();
    this.#restartSending();
    this.#changed();
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === "degraded") this.#onDegraded(() => this.#degraded.set(frame.engine, frame.cannot));
    else if (frame.type === "recovered") this.#onDegraded(() => this.#degraded.delete(frame.engine));
    else if (frame.type === "saved") frame.ids.forEach((id) => this.#outbox.setState(id, "saved"));
    else if (frame.type === "error") this.#fault(ClientError.of(frame));
    else if (frame.type === "room") this.#emitter.emit("room", frame);
    else if (frame.type === "member") this.#onMember(frame);
    else if ("room" in frame) this.#onRoomFrame(frame);
  }

  #onMember(frame: ClientEvents["member"]): void {
    this.#onRoomFrame(frame);
    this.#emitter.emit("member", frame);
  }

  #onRoomFrame(frame: Extract<ServerFrame, { room: string }>): void {
    this.#rooms.get(frame.room)?.onFrame(frame);
    this.#changed(frame.room);
    if (frame.type === "left") this.#emitter.emit("left", frame);
  }

  #onDegraded(change: () => void): void {
    change();
    this.#changed();
    this.#emitter.emit("degraded", this.#cannot());
  }

  #cannot(): ReadonlySet<Ability> {
    return new Set([...this.#degraded.values()].flat());
  }

  /** What waits is sent from the beginning: there is a new connection, or the turn to send came or went. */
  #restartSending(): void {
    this.#sender.stop();
    if (!this.#outbox.isMyTurn || this.#connection.state.phase !== "online") return;
    for (const entry of this.#outbox.all()) if (this.#ids.isFromFuture(entry.id)) this.#renumber(entry);
    this.#sender.restart();
    for (const { room } of this.#outbox.all()) this.#sendFrom(room);
  }

  #sendFrom(room: string): void {
    this.join(room);
    this.#sender.pump(room);
  }

  #onDue(entry: OutboxEntry): void {
    if (!this.#outbox.isMyTurn || this.#connection.state.phase !== "online") return;
    this.join(entry.room);
    this.#rooms.get(entry.room)?.knock();
    this.#sender.add(entry);
  }

  /** The message under a new id, for the server never took the old one. */
  #renumber({ error: _, ...entry }: OutboxEntry): OutboxEntry {
    const id = this.#ids.make();
    this.#deliveries.rename(entry.id, id);
    this.#outbox.remove(entry.id);
    const renumbered: OutboxEntry = { ...entry, id, state: "waiting" };
    this.#outbox.put(renumbered);
    return renumbered;
  }

  #onOutbox(entry: OutboxEntry, isGone: boolean): void {
    this.#deliveries.note(entry, isGone);
    if (entry.state === "saved" && !isGone && this.#isShown(entry)) this.#outbox.forget(entry.id);
    this.#changed(entry.room);
  }

  #isShown({ room, id, since }: OutboxEntry): boolean {
    const events = this.#rooms.get(room)?.view?.events ?? [];
    return events.slice(countBefore(events, since)).some((event) => event.id === id);
  }

  /** Events that are in the room were sent, whatever this client was told about them. */
  #onShown(room: string, events: readonly RoomEvent[], isPage: boolean): void {
    for (const { id } of events) this.#onOwnShown(id);
    if (!isPage) return;
    // What was saved and is not in the page is older than the page.
    for (const { id, state } of this.#outbox.ofRoom(room)) if (state === "saved") this.#outbox.forget(id);
  }

  #onOwnShown(id: string): void {
    const entry = this.#outbox.get(id);
    if (entry === undefined) return;
    if (entry.state === "saved") return this.#outbox.forget(id);
    if (!this.#outbox.isMyTurn) return;
    this.#outbox.setState(id, "sent");
    if (entry.state === "failed") this.#sender.add(entry);
  }

  /** An id that is "taken" from a user who got a new identity is this user's own, accepted earlier. */
  #onRefused({ id, isInherited }: OutboxEntry, error: ErrorBody): void {
    if (error.code === "id_taken" && isInherited === true) this.#outbox.setState(id, "saved");
    else this.#outbox.setFailed(id, error);
  }

  /** Nothing can be sent to a room that does not let this user in. */
  #onRoomRefused(room: string, error: ErrorBody): void {
    if (!this.#outbox.isMyTurn) return;
    for (const { id, state } of this.#outbox.ofRoom(room))
      if (state === "waiting") this.#outbox.setFailed(id, error);
  }

  #fault(error: ClientError): void {
    this.#emitter.emit("error", error);
  }

  #changed(room?: string): void {
    this.#snapshots.drop(room);
    this.#emitter.emit("change", undefined);
  }

  #until<Answer>(signal: AbortSignal | undefined, ask: () => Answer | undefined): Promise<Answer> {
    const askUnlessClosed = () => {
      const answer = ask();
      if (answer === undefined && this.#isClosed) throw new ClientError("closed");
      return answer;
    };
    return until(askUnlessClosed, (listener) => this.on("change", listener), signal);
  }
}
