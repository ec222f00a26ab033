/** Sessions that were called back, in simulated Postgres. */
import type { Revocation, RevocationStore } from "../../core/revocations.ts";

export class MemoryRevocations implements RevocationStore {
  readonly #nowMs: () => number;
  readonly #rows = new Map<string, Revocation>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async revokedSince(atMs = 0): Promise<readonly Revocation[]> {
    return [...this.#rows.values()].filter((row) => row.atMs >= atMs && row.untilMs > this.#nowMs());
  }

  async revoke(subject: string, untilMs: number): Promise<void> {
    if (!this.#rows.has(subject)) this.#rows.set(subject, { subject, atMs: this.#nowMs(), untilMs });
  }

  async forgetRevoked(): Promise<void> {
    for (const { subject, untilMs } of this.#rows.values())
      if (untilMs <= this.#nowMs()) this.#rows.delete(subject);
  }
}
