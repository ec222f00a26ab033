/** Loads what lies before a room's view: when the reader scrolls up, and to confirm what a `reset` left in doubt. */
import { PAGE_EVENTS, DEFAULT_LIMITS } from "../../../functions/protocol.ts";
import { ApiError, type Api } from "./api.ts";
import { fullJitterMs } from "./backoff.ts";
import type { Cancel, Platform } from "./platform.ts";
import type { Room } from "./room.ts";
import { awaitsConfirmation } from "./view.ts";

/** `failed`: nothing could be had just now; the reader may ask again. */
export type HistoryState = "idle" | "loading" | "failed";

export interface HistoryOptions {
  readonly api: Api;
  readonly platform: Platform;
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
      const isLoaded = await this.#loadPages();
      this.#attempt = 0;
      this.#setState(isLoaded ? "idle" : "failed");
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
  }

  /** False where the server could not say what is older. */
  async #loadPages(): Promise<boolean> {
    const { api, token } = this.#options;
    for (let view = this.#room.view; view !== undefined; view = this.#room.view) {
      const before = view.wholeFrom;
      const limit = awaitsConfirmation(view) ? DEFAULT_LIMITS.historyLimitMax : PAGE_EVENTS;
      const page = await api.history(token(), this.#room.id, before, limit);
      const isOutdated = this.#room.view?.wholeFrom !== before;
      if (page.events.length === 0 && !page.complete && !isOutdated) return false;
      this.#room.onOlder(before, page);
      this.#options.onChange();
      if (!isOutdated && this.#room.view !== undefined && !awaitsConfirmation(this.#room.view)) return true;
    }
    return true;
  }

  /** What awaits confirmation is asked for again by itself; a reader who scrolls asks by hand. */
  #onError(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    const { platform, onSessionError } = this.#options;
    this.#setState("failed");
    if (error.code === "token_expired" || error.code === "invalid_token") onSessionError();
    const { view } = this.#room;
    if (this.#isStopped || !error.retriable || view === undefined || !awaitsConfirmation(view)) return;
    const jitterMs = fullJitterMs(this.#attempt, () => platform.random());
    this.#attempt += 1;
    this.#cancelRetry = platform.after(error.retryAfterMs + jitterMs, () => void this.load());
  }

  #hasOlder(): boolean {
    const { view } = this.#room;
    return view !== undefined && (!view.complete || awaitsConfirmation(view));
  }

  #setState(state: HistoryState): void {
    this.#state = state;
    this.#options.onChange();
  }
}
