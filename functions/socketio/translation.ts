/** One Socket.IO client as a Transport: the frames of its session as events, and its events as frames. */
import { isAnyArrayBuffer } from "node:util/types";
import type { Socket } from "socket.io";
import type { Frame } from "../core/frame.ts";
import type { Session } from "../core/session.ts";
import type { Transport } from "../core/transport.ts";
import { ChatError } from "../lib/errors.ts";
import { CLOSES, NO_POSITION, type ErrorBody, type RoomEvent, type ServerFrame } from "../protocol.ts";
import type { Connection } from "./connection.ts";
import type { ClientToServerEvents, RoomPage, ServerToClientEvents } from "./events.ts";
import { toOffset, type Place } from "./offset.ts";
import { eventPacket, Packet, readFrame, type Dialect, type ReadFrame } from "./packets.ts";

export type IoSocket = Socket<ClientToServerEvents, ServerToClientEvents>;

type Of<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;
type Opening = Of<"joined"> | Of<"reset">;
type Fields = Readonly<Record<string, unknown>>;
/** Takes the result of what was asked, or `{error}`. */
type Answer = (answer: object) => void;

/** Whether it was done is not known. */
const DISCONNECTED = { error: new ChatError("unavailable", "The connection ended first.").toBody() };

interface View {
  cursor: string;
  provisional: boolean;
}

export interface TranslationOptions {
  readonly socket: IoSocket;
  readonly connection: Connection;
  readonly dialect: Dialect;
  /** Where `event:message` goes. */
  readonly room: string;
  readonly newId: () => string;
}

export class Translation implements Transport {
  readonly #options: TranslationOptions;
  readonly #views = new Map<string, View>();
  readonly #answers = new Map<number, Answer>();
  #ref = 0;
  /** The answer to a join, or a reset: its events are in the next frame. */
  #opening: Opening | undefined;
  /** What was sent before the client is told that it is connected. */
  #held: Packet[] | undefined = [];
  #session: Session | undefined;
  #closing = false;

  constructor(options: TranslationOptions) {
    this.#options = options;
  }

  /** From here on the client's events are taken to the session. */
  bind(session: Session): void {
    this.#session = session;
    this.#options.socket.onAny((event: unknown, ...args: unknown[]) => this.#hear(String(event), args));
  }

  /** The client knows that it is connected. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (this.#closing) return this.#options.connection.close();
    for (const packet of held) this.#write(packet);
  }

  async authenticate(token: unknown): Promise<void> {
    await this.#request({ type: "auth", token }, () => {});
  }

  /** What came since a place, as events, and whether that is all of it. What can't be whole is a `reset`. */
  resume({ room, after }: Place): Promise<boolean> {
    return this.#request({ type: "join", room, after }, (answer) => {
      const page = answer as RoomPage;
      if (page.reset) this.#emit("reset", page);
      else for (const event of page.events) this.#show(event);
      return page.reset === undefined;
    });
  }

  /** Joins a room without showing what was there before. */
  async enter(room: string): Promise<void> {
    await this.#request({ type: "join", room }, () => {});
  }

  /** The connection is gone: nobody is answered any more. */
  ended(): void {
    this.#closing = true;
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const answer of answers) answer(DISCONNECTED);
  }

  send(frame: Frame): void {
    if (this.#closing) return;
    const read = readFrame(frame);
    const told = read.frame;
    if (told.type === "event") return this.#live(told, read);
    if (told.type === "joined" || told.type === "reset") return void (this.#opening = told);
    if (told.type === "events") return this.#page(told.events);
    if (told.type === "left") return this.#left(told);
    // Whom a cookie has proved is welcomed unasked, and knows who it is.
    if (told.type === "welcome") return this.#reply(told.ref ?? 0, told);
    if ("ref" in told && told.ref !== undefined) return this.#reply(told.ref, told);
    // The rest is the same in both protocols.
    const { type, ...fields } = told;
    this.#emit(type, fields);
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    const { connection, socket } = this.#options;
    // Not connected yet: who waits for an answer to `connect` is told by that.
    if (this.#held) return this.ended();
    const isSlow = code === CLOSES.slow_client.code;
    const reconnect = code < 4500;
    if (!isSlow) this.#emit("closed", { code, reason, reconnect });
    this.ended();
    // The library comes back after a connection that broke, and not after it was sent away.
    if (!reconnect) socket.disconnect();
    if (isSlow) connection.drop();
    else connection.close();
  }

  #live(event: RoomEvent, read: ReadFrame): void {
    const view = this.#views.get(event.room);
    if (!view) return;
    view.cursor = event.position;
    this.#write(read.event(event, this.#options.dialect, this.#canResume(view)));
  }

  /** An event of a page: each client's pages are its own. */
  #show(event: RoomEvent): void {
    const view = this.#views.get(event.room);
    const hasOffset = view !== undefined && this.#canResume(view);
    this.#write(eventPacket(JSON.stringify(event), event, this.#options.dialect, hasOffset));
  }

  #page(events: readonly RoomEvent[]): void {
    const opening = this.#opening;
    if (!opening) return;
    this.#opening = undefined;
    const { room, head, complete, provisional, ref } = opening;
    const reset = opening.type === "reset" ? { reset: opening.reason } : {};
    const page: RoomPage = { room, head, complete, provisional, events, ...reset };
    const cursor = this.#views.get(room)?.cursor;
    if (provisional || cursor === undefined) this.#forgetOffset();
    this.#views.set(room, { cursor: head, provisional });
    if (ref !== undefined) this.#reply(ref, page);
    else if (this.#options.dialect === "simple") this.#resetSimple(page, cursor);
    else this.#emit("reset", page);
    this.#tellOffset();
  }

  /** A client that knows `message` alone must hear what the page brings: where it links on, the new events come after the reset. */
  #resetSimple(page: RoomPage, cursor: string | undefined): void {
    const news = cursor === undefined ? [] : page.events.filter(({ position }) => position > cursor);
    const [first] = news;
    if (cursor === undefined || first === undefined || first.prev > cursor) return this.#emit("reset", page);
    const shown = page.events.filter(({ position }) => position <= cursor);
    this.#emit("reset", { ...page, head: cursor, events: shown });
    for (const event of news) this.#show(event);
  }

  #left({ ref, room, reason }: Of<"left">): void {
    if (this.#views.has(room)) this.#forgetOffset();
    this.#views.delete(room);
    if (ref === undefined) this.#emit("left", { room, ...(reason === undefined ? {} : { reason }) });
    else this.#reply(ref, { room });
  }

  #reply(ref: number, answer: object): void {
    const { type, ref: _ref, ...fields } = answer as Fields;
    const take = this.#answers.get(ref);
    this.#answers.delete(ref);
    if (take) take(type === "error" ? { error: fields } : fields);
    else if (type === "error") this.#emit("error", fields);
  }

  #hear(event: string, args: unknown[]): void {
    const last = args.at(-1);
    const answer = typeof last === "function" ? (args.pop() as Answer) : undefined;
    if (args.some(hasBinary)) return this.#session?.receiveBinary();
    const [payload] = args;
    const fields = typeof payload === "object" && payload !== null ? (payload as Fields) : {};
    this.#ask(this.#toFrame(event, fields), answer);
  }

  #toFrame(event: string, fields: Fields): Fields {
    const { room, newId } = this.#options;
    if (event === "event:message")
      return this.#toFrame("send", { room, body: fields["message"], id: fields["id"] });
    if (event !== "send" || fields["id"] !== undefined)
      return { ...(event === "send" ? { since: NO_POSITION } : {}), ...fields, type: event };
    const since = this.#views.get(String(fields["room"]))?.cursor ?? NO_POSITION;
    return { ...fields, type: event, id: newId(), since };
  }

  /** Rejects with what the session refuses. The answer is taken at once: nothing comes between it and the frames that follow. */
  #request<Result>(frame: Fields, take: (answer: object) => Result): Promise<Result> {
    return new Promise((resolve, reject) =>
      this.#ask(frame, (answer) => {
        if ("error" in answer) reject(toChatError(answer.error as ErrorBody));
        else resolve(take(answer));
      }),
    );
  }

  #ask(frame: Fields, answer: Answer | undefined): void {
    if (this.#closing) return answer?.(DISCONNECTED);
    const ref = ++this.#ref;
    if (answer) this.#answers.set(ref, answer);
    this.#session?.receive(JSON.stringify({ ...frame, ref }));
  }

  /** Whether the library's one offset says all that there is to say. */
  #canResume({ provisional }: View): boolean {
    return !provisional && this.#views.size === 1;
  }

  #tellOffset(): void {
    for (const [room, view] of this.#views)
      if (this.#canResume(view)) this.#emit("offset", toOffset(room, view.cursor));
  }

  #forgetOffset(): void {
    if (this.#views.size > 0) this.#emit("offset", "");
  }

  #emit(event: keyof ServerToClientEvents, ...args: readonly unknown[]): void {
    this.#write(new Packet(event, ...args.map((arg) => JSON.stringify(arg))));
  }

  #write(packet: Packet): void {
    if (this.#held) this.#held.push(packet);
    else this.#options.connection.write(packet);
  }
}

function hasBinary(value: unknown, depth = 0): boolean {
  if (isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return true;
  if (typeof value !== "object" || value === null || depth > 3) return false;
  return Object.values(value).some((item) => hasBinary(item, depth + 1));
}

function toChatError({ code, message, retryAfterMs }: ErrorBody): ChatError {
  return new ChatError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
