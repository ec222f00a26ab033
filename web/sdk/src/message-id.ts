/** Message ids: UUIDv7 on the server's clock, in the order in which one client makes them. */
import type { Runtime } from "./runtime.ts";

const COUNTER_MAX = 0xfff;
/** A clock that goes back by less than this, as when two welcomes took different times to arrive, is waited out. */
const BACK_MS_MAX = 10_000;
/** The server refuses ids that are further ahead than this. */
const AHEAD_MS_MAX = 60_000;

export class MessageIds {
  readonly #runtime: Runtime;
  #serverAheadMs: number;
  #lastMs = 0;
  #counter = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#serverAheadMs = runtime.now() - runtime.elapsed();
  }

  /** Sets the clock of ids by `welcome.now`. */
  setClock(serverNowMs: number): void {
    this.#serverAheadMs = serverNowMs - this.#runtime.elapsed();
  }

  /** The server's time as far as this client knows it, in ms since 1970. */
  nowMs(): number {
    return Math.floor(this.#runtime.elapsed() + this.#serverAheadMs);
  }

  /** A new id. Ids of one millisecond count up in the twelve bits behind the time, so they sort as they were made. */
  make(): string {
    const nowMs = this.nowMs();
    const isLate = nowMs <= this.#lastMs && this.#lastMs - nowMs < BACK_MS_MAX;
    if (!isLate) this.#begin(nowMs);
    else if (this.#counter < COUNTER_MAX) this.#counter += 1;
    else this.#begin(this.#lastMs + 1);
    return formatUuidV7(this.#lastMs, this.#counter, this.#runtime.randomBytes(8));
  }

  /** Whether an id was made by a clock so wrong that the server can't ever have accepted it. */
  isFromFuture(id: string): boolean {
    return parseInt(id.slice(0, 8) + id.slice(9, 13), 16) > this.nowMs() + AHEAD_MS_MAX;
  }

  #begin(ms: number): void {
    this.#lastMs = ms;
    this.#counter = 0;
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
