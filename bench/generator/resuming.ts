/** What a client must remember to resume, in the dialects that can: it hears every text, since the places to resume from are in them. */
import { uuidV7 } from "../../functions/core/uuid.ts";
import { systemRuntime } from "../../functions/adapters/runtime-system.ts";
import { NUMBER_DIGITS, skatDialect, socketIoDialect, type Dialect } from "./dialect.ts";

export interface Resuming {
  /** For the next connection: a fresh one at first, then one that resumes. */
  dialect(): Dialect;
  /** The numbers of the messages in a text, in its order. */
  hear(text: string): number[];
  /** The text that sends a message to one of the rooms. */
  message(body: string, room: string): string;
  /** How often it was told to try later. */
  readonly refusals: number;
}

interface SkatFrame {
  readonly type: string;
  readonly ref?: number;
  readonly retriable?: boolean;
  readonly retryAfterMs?: number;
  readonly room?: string;
  readonly head?: string;
  readonly provisional?: boolean;
  readonly events?: readonly SkatEvent[];
}

interface SkatEvent {
  readonly room: string;
  readonly position: string;
  readonly body: string;
}

/** Joins all rooms at once, each from its cursor, and again where it was told to try later. */
export class SkatResuming implements Resuming {
  readonly #rooms: readonly string[];
  readonly #cursors = new Map<string, string>();
  refusals = 0;

  constructor(rooms: readonly string[]) {
    this.#rooms = rooms;
  }

  dialect(): Dialect {
    const [settled, joined] = [new Set<string>(), new Set<string>()];
    const open: Dialect["open"] = (received, { token }) => {
      if (received === undefined) return { say: JSON.stringify({ type: "auth", token }) };
      const { type, room = "", provisional, ref = 0, retryAfterMs = 0 } = JSON.parse(received) as SkatFrame;
      if (type === "welcome") return { say: this.#rooms.map((_, index) => this.#join(index)) };
      if (type === "error") return { say: this.#join(ref), afterMs: retryAfterMs };
      if (provisional === false) settled.add(room);
      if (type === "events" && settled.has(room)) joined.add(room);
      return { joined: joined.size === this.#rooms.length };
    };
    return { ...skatDialect(this.#rooms[0] ?? ""), open };
  }

  hear(text: string): number[] {
    const frame = JSON.parse(text) as SkatFrame;
    if (frame.type === "error") this.#refuse(frame, text);
    if (frame.head !== undefined) this.#cursors.set(frame.room ?? "", frame.head);
    const events = frame.type === "event" ? [JSON.parse(text) as SkatEvent] : (frame.events ?? []);
    for (const { room, position } of events) this.#cursors.set(room, position);
    return events.map(({ body }) => Number(body.slice(0, NUMBER_DIGITS)));
  }

  message(body: string, room: string): string {
    const since = this.#cursors.get(room);
    return JSON.stringify({ type: "send", room, id: uuidV7(systemRuntime), body, since });
  }

  #join(ref: number): string {
    const room = this.#rooms[ref] ?? "";
    return JSON.stringify({ type: "join", ref, room, after: this.#cursors.get(room) });
  }

  /** Only joins have a `ref`, and only they are tried again. */
  #refuse({ ref, retriable }: SkatFrame, text: string): void {
    if (ref === undefined || retriable !== true) throw new Error(`the node refused: ${text}`);
    this.refusals++;
  }
}

/** Connection state recovery: a private id from the greeting, and the offset behind each event. What was missed comes before the greeting. */
export class SocketIoResuming implements Resuming {
  readonly refusals = 0;
  #pid: string | undefined;
  #offset: string | undefined;

  dialect(): Dialect {
    const plain = socketIoDialect();
    const greeting =
      this.#pid === undefined ? "40" : `40${JSON.stringify({ pid: this.#pid, offset: this.#offset })}`;
    const open: Dialect["open"] = (received) => {
      if (received?.startsWith("0{")) return { say: greeting };
      return { joined: received?.startsWith("40{") ?? false };
    };
    return { ...plain, open };
  }

  hear(text: string): number[] {
    if (text.startsWith("40{")) this.#pid = (JSON.parse(text.slice(2)) as { pid?: string }).pid;
    if (!text.startsWith('42["message"')) return [];
    const [, value, offset] = JSON.parse(text.slice(2)) as [string, string, string?];
    this.#offset = offset;
    return [Number((JSON.parse(value) as { message: string }).message.slice(0, NUMBER_DIGITS))];
  }

  message(body: string): string {
    return socketIoDialect().message(body);
  }
}
