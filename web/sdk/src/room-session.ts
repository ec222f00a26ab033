/** One room over all connections: joins it, joins it again after a hole or a refusal that will pass, and loads what is older. */
import {
  DELETED_NAME,
  type ErrorBody,
  type ResetReason,
  type RoomEvent,
  type ServerFrame,
} from "../../../functions/protocol.ts";
import type { Api } from "./api.ts";
import { fullJitterMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { isSessionError, type ClientErrorCode } from "./errors.ts";
import { History } from "./history.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import { Room, type Outcome } from "./room.ts";
import { awaitsConfirmation, type RoomView } from "./view.ts";

/** Why a room can't be read: refused, or taken away. */
export interface RoomError {
  readonly code: ClientErrorCode;
  readonly message: string;
}

export type RoomFrame = Extract<ServerFrame, { room: string }>;

export interface RoomSessionOptions {
  readonly connection: Connection;
  readonly runtime: Runtime;
  readonly api: Api;
  readonly token: () => string;
  /** To go on from. */
  readonly views?: ReadonlyMap<string, RoomView> | undefined;
  /** An event that comes after what was shown before. */
  readonly onEvent: (event: RoomEvent) => void;
  /** The room can be written to. */
  readonly onIn: (room: string) => void;
  /** The server does not let this user in. */
  readonly onRefused: (room: string, error: ErrorBody) => void;
  readonly onReset: (room: string, reason: ResetReason) => void;
  /** Events of a page, or one live event, are in the view now. */
  readonly onShown: (room: string, events: readonly RoomEvent[], isPage: boolean) => void;
  readonly onChange: () => void;
}

/** Between two read marks: who follows a lively room reads many messages in that time, and the last one says it all. */
const READ_PAUSE_MS = 1_000;

export class RoomSession {
  readonly history: History;
  /** Up to where it was read, as marked here or told by the server; empty while neither is so. */
  read = "";
  readonly #options: RoomSessionOptions;
  readonly #room: Room;
  #error: RoomError | undefined;
  /** Joins since the last live event: a room that never links on is not joined in a tight loop. */
  #joins = 0;
  #joinWait: Cancel | undefined;
  /** What of it the server knows. */
  #told = "";
  #isTelling = false;

  constructor(id: string, options: RoomSessionOptions) {
    const { api, runtime, token, onChange, connection, onEvent, views } = options;
    this.#options = options;
    this.#room = new Room(id, onEvent, views?.get(id));
    const onSessionError = () => connection.probe();
    this.history = new History(this.#room, { api, runtime, token, onChange, onSessionError });
  }

  get view(): RoomView | undefined {
    return this.#room.view;
  }

  get error(): RoomError | undefined {
    return this.#error;
  }

  get isIn(): boolean {
    return this.#room.isIn;
  }

  /** Joins, unless that is under way or its time has not come. Does nothing without a connection: each new one joins. */
  join(): void {
    const { connection } = this.#options;
    if (connection.state.phase !== "online" || this.#room.isJoining || this.#joinWait !== undefined) return;
    connection.request(this.#room.startJoin(), (reply) => this.#onReply(reply));
  }

  /** Joins again a room that was refused or taken away. */
  knock(): void {
    if (this.#error !== undefined && !this.isIn) this.join();
  }

  markRead(position: string): void {
    if (position <= this.read) return;
    this.read = position;
    this.#options.onChange();
    this.#tellRead();
  }

  /** Leaves the room for good. */
  leave(): void {
    const { connection } = this.#options;
    if (this.isIn) connection.request({ type: "leave", room: this.#room.id }, () => {});
    this.setOut();
    this.history.stop();
  }

  /** The connection is gone. */
  setOut(): void {
    this.#room.setOut();
    this.#isTelling = false;
    this.#joinWait?.();
    this.#joinWait = undefined;
  }

  onFrame(frame: RoomFrame): void {
    if (frame.type === "event") this.#onLive(frame);
    else if (frame.type === "events") this.#onPage(frame.events);
    else if (frame.type === "reset") this.#onReset(frame);
    else if (frame.type === "left") this.#onLeft(frame.reason);
    else if (frame.type === "member" && frame.user.name === DELETED_NAME) this.#room.onDeleted(frame.user);
    else if (frame.type === "read" && frame.position > this.read) this.read = this.#told = frame.position;
  }

  #onReply(reply: ServerFrame): void {
    if (reply.type === "error") return this.#onRefused(reply);
    if (reply.type === "joined") this.#room.onJoined(reply);
    if (reply.type === "reset") this.#onReset(reply);
    this.#error = undefined;
    this.#options.onIn(this.#room.id);
    this.#tellRead();
    this.#options.onChange();
  }

  #onRefused(error: ErrorBody): void {
    this.#room.setOut();
    if (error.retriable) this.#joinLater(error.retryAfterMs);
    else if (!isSessionError(error.code)) {
      this.#error = error;
      this.#options.onRefused(this.#room.id, error);
    }
    this.#options.onChange();
  }

  #onReset(frame: Extract<ServerFrame, { type: "reset" }>): void {
    this.#room.onReset(frame);
    this.#options.onReset(this.#room.id, frame.reason);
  }

  #onLive(event: RoomEvent): void {
    const cursor = this.view?.cursor;
    this.#follow(this.#room.onEvent(event));
    if (this.view?.cursor === cursor) return;
    this.#joins = 0;
    this.#options.onShown(this.#room.id, [event], false);
  }

  #onPage(events: readonly RoomEvent[]): void {
    this.#follow(this.#room.onEvents(events));
    this.#options.onShown(this.#room.id, events, true);
    if (this.view !== undefined && awaitsConfirmation(this.view)) void this.history.load();
  }

  /** While the room is being joined the answer to that decides: this is about a membership that was there before. */
  #onLeft(reason = ""): void {
    if (this.#room.isJoining) return;
    this.setOut();
    this.#error = { code: "left", message: reason };
  }

  #tellRead(): void {
    const { connection, runtime } = this.#options;
    const position = this.read;
    if (!this.isIn || this.#isTelling || position <= this.#told) return;
    this.#isTelling = true;
    // Whatever the answer: a mark that is refused is made good by the next one, and of a higher one the server tells by itself.
    connection.request({ type: "read", room: this.#room.id, position }, () => {
      this.#told = position;
      runtime.after(READ_PAUSE_MS, () => {
        this.#isTelling = false;
        this.#tellRead();
      });
    });
  }

  #follow(outcome: Outcome): void {
    if (outcome === "join") this.#joinLater();
  }

  #joinLater(leastDelayMs = 0): void {
    if (this.#joinWait !== undefined) return;
    const { runtime } = this.#options;
    const jitterMs = this.#joins === 0 ? 0 : fullJitterMs(this.#joins, runtime);
    this.#joins += 1;
    this.#joinWait = runtime.after(leastDelayMs + jitterMs, () => {
      this.#joinWait = undefined;
      this.join();
    });
  }
}
