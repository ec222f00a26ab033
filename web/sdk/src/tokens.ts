/** The token in force: asked for at the start, again before it runs out, and once more when the server no longer takes it. */
import { fullJitterMs } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import type { Cancel, Runtime } from "./runtime.ts";

/** Why a token is asked for: `first`, `expiring` (it runs out soon), `refused` (by the server). */
export type TokenReason = "first" | "expiring" | "refused";

/** Answers a token. It is asked again after a pause when it throws a retriable `ClientError`. */
export type TokenSource = (reason: TokenReason) => string | Promise<string>;

export interface TokensOptions {
  readonly source: string | TokenSource;
  readonly runtime: Runtime;
  /** The server's time, in milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly onToken: (reason: TokenReason) => void;
  /** There will be none. */
  readonly onFailed: (error: ClientError) => void;
}

const TIMER_MS_MAX = 2 ** 31 - 1;
/** A token is replaced in its last tenth, at the earliest this long before its end. */
const EARLY_MS_MAX = 60_000;

export class Tokens {
  readonly #options: TokensOptions;
  #current = "";
  #attempt = 0;
  #isAsking = false;
  #isStopped = false;
  #cancelTimer: Cancel = () => {};

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  get current(): string {
    return this.#current;
  }

  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Whether another token can be had. */
  get canRenew(): boolean {
    return typeof this.#options.source !== "string";
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  ask(reason: TokenReason): void {
    const { source } = this.#options;
    this.#cancelTimer();
    this.#isAsking = reason !== "expiring";
    try {
      const token = typeof source === "string" ? source : source(reason);
      if (typeof token === "string") return this.#take(token, reason);
      token.then(
        (answer) => this.#take(answer, reason),
        (error: unknown) => this.#onError(error, reason),
      );
    } catch (error) {
      this.#onError(error, reason);
    }
  }

  #take(token: string, reason: TokenReason): void {
    if (this.#isStopped) return;
    const isNew = token !== this.#current;
    this.#current = token;
    this.#attempt = 0;
    this.#isAsking = false;
    if (isNew) this.#watchEnd(token);
    if (isNew || reason !== "expiring") this.#options.onToken(reason);
  }

  #onError(error: unknown, reason: TokenReason): void {
    if (this.#isStopped) return;
    const { runtime, onFailed } = this.#options;
    const known =
      error instanceof ClientError
        ? error
        : new ClientError("unreachable", undefined, { cause: error, retriable: false });
    if (known.retriable) {
      const delayMs = known.retryAfterMs + fullJitterMs(this.#attempt, runtime);
      this.#attempt += 1;
      this.#cancelTimer = runtime.after(delayMs, () => this.ask(reason));
    } else {
      this.#isAsking = false;
      onFailed(known);
    }
  }

  #watchEnd(token: string): void {
    const endMs = expiryMsOf(token);
    if (endMs === undefined || !this.canRenew) return;
    const leftMs = Math.max(0, endMs - this.#options.nowMs());
    const delayMs = leftMs - Math.min(EARLY_MS_MAX, leftMs / 10);
    this.#cancelTimer = this.#options.runtime.after(Math.min(delayMs, TIMER_MS_MAX), () =>
      this.ask("expiring"),
    );
  }
}

/** When a signed token (JWT) says that it ends. Others just run out and are renewed then. */
function expiryMsOf(token: string): number | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as { exp?: unknown };
    return typeof claims.exp === "number" ? claims.exp * 1000 : undefined;
  } catch {
    return undefined; // a token of another kind
  }
}
