/** Loads what lies before a room's view: when the reader scrolls up, and to confirm what a `reset` left in doubt. */
import { PAGE_EVENTS, CLIENT_LIMITS } from "../../../functions/protocol.ts";
import type { Api } from "./api.ts";
import { fullJitterMs } from "./backoff.ts";
import { ClientError, isSessionError } from "./errors.ts";
import type { Cancel, Runtime } from "./runtime.ts";
import type { Room } from "./room.ts";
import { awaitsConfirmation } from "./view.ts";

/** `failed`: nothing could be had just now; the reader may ask again. */
export type HistoryState = "idle" | "loading" | "failed";

export interface HistoryOptions {
  readonly api: Api;
  readonly runtime: Runtime;
  readonly token: () => string;
  readonly onChange: () => void;
  readonly onSessionError: () => void;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #room: Room;
  #state: HistoryState = "idle";
  #attempt = 0;
  #isStopped = false;
  #cancelRetry: Cancel | undefined;

  constructor(room: Room, options: HistoryOptions) {
    this.#room = room;
    this.#options = options;
  }

  get state(): HistoryState {
    return this.#state;
  }

  /** Loads one page of older events, or as many as await confirmation. Does nothing while loading or where nothing is older. */
  async load(): Promise<void> {
    if (this.#state === "loading" || !this.#hasOlder()) return;
    this.#setState("loading");
    try {
      if (!(await this.#loadPages())) return this.#onFailed();
      this.#attempt = 0;
      this.#setState("idle");
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (isSessionError(error.code)) this.#options.onSessionError();
      this.#onFailed(error.retryAfterMs);
    }
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
  }

  /** False where the server could not say for certain what is older. */
  async #loadPages(): Promise<boolean> {
    const { api, token } = this.#options;
    for (let ask = this.#room.askOlder(); ask !== undefined; ask = this.#room.askOlder()) {
      const page = await api.history(token(), this.#room.id, { before: ask.before, limit: this.#limit() });
      if (page.events.length === 0 && !page.complete) return false;
      const isTaken = this.#room.onOlder(ask, page);
      this.#options.onChange();
      if (page.source === "store") return false;
      if (isTaken && !this.#isInDoubt()) return true;
    }
    return true;
  }

  /** Who goes on upward gets much at once, and so does what is in doubt. */
  #limit(): number {
    const isLong = (this.#room.view?.events.length ?? 0) > PAGE_EVENTS;
    return isLong || this.#isInDoubt() ? CLIENT_LIMITS.historyLimitMax : PAGE_EVENTS;
  }

  /**
   * What is in doubt is asked for again by itself, as long as this connection is in the room, and also after a refusal: another node may not
   * know yet who was let in. Whoever comes in again asks anew, and a reader who scrolls asks by hand.
   */
  #onFailed(retryAfterMs = 0): void {
    this.#setState("failed");
    if (this.#isStopped || !this.#room.isIn || !this.#isInDoubt()) return;
    const { runtime } = this.#options;
    const jitterMs = fullJitterMs(this.#attempt, runtime);
    this.#attempt += 1;
    this.#cancelRetry = runtime.after(retryAfterMs + jitterMs, () => void this.load());
  }

  #hasOlder(): boolean {
    return this.#room.view?.complete === false || this.#isInDoubt();
  }

  #isInDoubt(): boolean {
    return this.#room.view !== undefined && awaitsConfirmation(this.#room.view);
  }

  #setState(state: HistoryState): void {
    this.#state = state;
    this.#options.onChange();
  }
}
