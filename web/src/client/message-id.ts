/** Message ids: UUIDv7 on the server's clock, in the order in which one client makes them. */
import type { Platform } from "./platform.ts";

const COUNTER_MAX = 0xfff;

export class MessageIds {
  readonly #platform: Platform;
  #serverAheadMs = 0;
  #lastMs = 0;
  #counter = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Sets the clock of ids by `welcome.now`. */
  setClock(serverNowMs: number): void {
    this.#serverAheadMs = serverNowMs - this.#platform.monotonicMs();
  }

  /** The server's time as far as this client knows it, in ms since 1970. */
  nowMs(): number {
    return Math.floor(this.#platform.monotonicMs() + this.#serverAheadMs);
  }

  /** A new id. Ids of one millisecond count up in the twelve bits behind the time, so they sort as they were made. */
  make(): string {
    const nowMs = this.nowMs();
    const sameMs = nowMs === this.#lastMs && this.#counter < COUNTER_MAX;
    this.#counter = sameMs ? this.#counter + 1 : 0;
    this.#lastMs = nowMs;
    return formatUuidV7(nowMs, this.#counter, this.#platform.randomBytes(8));
  }
}

/** A UUIDv7 of a time in ms, twelve bits of counter and eight bytes of chance (two of their bits are the variant). */
export function formatUuidV7(ms: number, counter: number, chance: Uint8Array): string {
  const time = ms.toString(16).padStart(12, "0");
  const tail = Array.from(chance, (byte, index) => (index === 0 ? (byte & 0x3f) | 0x80 : byte))
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const version = `7${counter.toString(16).padStart(3, "0")}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
