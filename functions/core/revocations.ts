/**
 * What was called back before its time: sessions that were signed out, tokens that were taken away, guests who became members.
 *
 * Whoever calls something back writes it into the store, and every node asks the store for what is new. So it takes effect
 * everywhere within a second or so, and no notice can be lost on the way.
 */
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Principal } from "./auth.ts";
import { DeletedUsers } from "./deleted-users.ts";
import type { Cancel, Runtime } from "./runtime.ts";

export interface Revocation {
  /** `session:<id>`, `token:<id>`, `guest:<user>`, `user:<user>` or `deleted:<user>`. */
  readonly subject: string;
  readonly atMs: number;
  /** From then on nothing of the subject could be valid anyway. */
  readonly untilMs: number;
}

/** Port. Rejects with `ChatError("unavailable")` when the store does not answer. */
export interface RevocationStore {
  /** Those noted at or after that time by the store's clock, and not over yet; all of them without a time. */
  revokedSince(atMs?: number): Promise<readonly Revocation[]>;
  /** Idempotent. */
  revoke(subject: string, untilMs: number): Promise<void>;
  /** Forgets those that are over. */
  forgetRevoked(): Promise<void>;
}

export interface RevocationsOptions {
  readonly store: RevocationStore;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

export type Revoked = Pick<ReadonlySet<string>, "has">;

const POLL_MS = 1_000;
/** A statement may be this long under way before what it noted can be read. */
const OVERLAP_MS = 10_000;
const FORGET_MS = 3_600_000;

export class Revocations {
  readonly deletedUsers = new DeletedUsers();
  readonly #options: RevocationsOptions;
  readonly #untilMs = new Map<string, number>();
  #lastAtMs: number | undefined;
  #forgetAtMs = 0;
  #cancel: Cancel = () => {};
  #onRevoked: (subjects: Revoked) => void = () => {};
  #closed = false;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when everything that was called back is known. `onRevoked` is told all of it again and again, so that what was being
   * verified meanwhile is found too.
   */
  async start(onRevoked: (subjects: Revoked) => void): Promise<void> {
    this.#onRevoked = onRevoked;
    await this.look();
    this.#again();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  /** Throws `token_revoked`. */
  check({ subjects }: Principal): void {
    if (subjects.some((subject) => this.#untilMs.has(subject))) {
      throw new ChatError("token_revoked", "The token was called back: sign in again.");
    }
  }

  async revoke(subject: string, untilMs: number): Promise<void> {
    await this.#options.store.revoke(subject, untilMs);
    this.#take([{ subject, atMs: this.#lastAtMs ?? 0, untilMs }]);
  }

  #again(): void {
    const { runtime, logger } = this.#options;
    if (this.#closed) return;
    this.#cancel = runtime.after(POLL_MS, () => {
      this.look()
        .catch((error: unknown) => logger.debug("revocations can't be read now", { err: error }))
        .finally(() => this.#again());
    });
  }

  /** Resolves when everything that was called back is known here. */
  async look(): Promise<void> {
    const { store, runtime } = this.#options;
    const since = this.#lastAtMs === undefined ? undefined : this.#lastAtMs - OVERLAP_MS;
    this.#take(await store.revokedSince(since));
    if (runtime.elapsed() < this.#forgetAtMs) return;
    this.#forgetAtMs = runtime.elapsed() + FORGET_MS;
    await store.forgetRevoked();
    for (const [subject, untilMs] of this.#untilMs)
      if (untilMs < runtime.now() - OVERLAP_MS) this.#untilMs.delete(subject);
  }

  #take(revocations: readonly Revocation[]): void {
    this.#lastAtMs ??= 0;
    for (const { subject, atMs, untilMs } of revocations) {
      this.#untilMs.set(subject, untilMs);
      this.deletedUsers.learn(subject);
      this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    }
    if (this.#untilMs.size > 0) this.#onRevoked(this.#untilMs);
  }
}
