/** One room over all connections: joins it, joins it again after a hole or a refusal that will pass, and loads what is older. */
import type { ErrorBody, RoomEvent, ServerFrame } from "../../../functions/protocol.ts";
import type { Api } from "./api.ts";
import { fullJitterMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { History } from "./history.ts";
import type { Cancel, Platform } from "./platform.ts";
import { Room, type Outcome } from "./room.ts";
import { isSessionError } from "./sender.ts";
import { awaitsConfirmation, type RoomView } from "./view.ts";

/** Why a room can't be read: refused, or taken away. */
export interface RoomError {
  readonly code: ErrorBody["code"] | "left";
  readonly message: string;
}

export type RoomFrame = Extract<ServerFrame, { room: string }>;

export interface RoomSessionOptions {
  readonly connection: Connection;
  readonly platform: Platform;
  readonly api: Api;
  readonly token: () => string;
  /** An event that comes after what was shown before. */
  readonly onEvent: (event: RoomEvent) => void;
  /** The room can be written to. */
  readonly onIn: (room: string) => void;
  /** Events of a page, or one live event, are in the view now. */
  readonly onShown: (room: string, events: readonly RoomEvent[], isPage: boolean) => void;
  readonly onChange: () => void;
}

export class RoomSession {
  readonly history: History;
  readonly #options: RoomSessionOptions;
  readonly #room: Room;
  #error: RoomError | undefined;
  /** Joins since the last live event: a room that never links on is not joined in a tight loop. */
  #joins = 0;
  #joinWait: Cancel | undefined;

  constructor(id: string, options: RoomSessionOptions) {
    const { api, platform, token, onChange, connection, onEvent } = options;
    this.#options = options;
    this.#room = new Room(id, onEvent);
    const onSessionError = () => connection.probe();
    this.history = new History(this.#room, { api, platform, token, onChange, onSessionError });
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

  /** The connection is gone. */
  setOut(): void {
    this.#room.setOut();
    this.#joinWait?.();
    this.#joinWait = undefined;
  }

  onFrame(frame: RoomFrame): void {
    if (frame.type === "event") this.#onLive(frame);
    else if (frame.type === "events") this.#onPage(frame.events);
    else if (frame.type === "reset") this.#room.onReset(frame);
    else if (frame.type === "left") this.#onLeft(frame.reason);
  }

  #onReply(reply: ServerFrame): void {
    if (reply.type === "error") return this.#onRefused(reply);
    if (reply.type === "joined") this.#room.onJoined(reply);
    if (reply.type === "reset") this.#room.onReset(reply);
    this.#error = undefined;
    this.#options.onIn(this.#room.id);
    this.#options.onChange();
  }

  #onRefused(error: ErrorBody): void {
    this.#room.setOut();
    if (error.retriable) this.#joinLater(error.retryAfterMs);
    else if (!isSessionError(error.code)) this.#error = error;
    this.#options.onChange();
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

  #onLeft(reason = ""): void {
    this.setOut();
    this.#error = { code: "left", message: reason };
  }

  #follow(outcome: Outcome): void {
    if (outcome === "join") this.#joinLater();
  }

  #joinLater(leastDelayMs = 0): void {
    if (this.#joinWait !== undefined) return;
    const { platform } = this.#options;
    const jitterMs = this.#joins === 0 ? 0 : fullJitterMs(this.#joins, () => platform.random());
    this.#joins += 1;
    this.#joinWait = platform.after(leastDelayMs + jitterMs, () => {
      this.#joinWait = undefined;
      this.join();
    });
  }
}
