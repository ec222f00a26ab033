/** What a client does by rules K1–K3, without a socket or a clock: views, cursors, outbox. It remembers all it was told, for the auditor. */
import { uuidV7 } from "../core/uuid.ts";
import type { Runtime } from "../core/runtime.ts";
import { type ClientFrame, type ErrorCode, type RoomEvent, type ServerFrame } from "../protocol.ts";
import { newView, tellsOfRoom, type Of, type View } from "./client-view.ts";
import { VIOLATIONS, type ClientHistory, type Finding, type Violation } from "./auditor.ts";

type Send = Extract<ClientFrame, { type: "send" }>;

interface Waiting {
  readonly frame: Send;
  retryAtMs: number;
}

/** The `ref` of the first message; joins have those from 1 on. */
const FIRST_SEND = 1_000;

export interface ClientRulesOptions {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly runtime: Pick<Runtime, "now" | "randomBytes">;
}

export abstract class ClientRules implements ClientHistory {
  readonly name: string;
  readonly said = new Map<string, { readonly room: string; readonly body: string }>();
  readonly sent = new Map<string, string>();
  readonly saved = new Set<string>();
  readonly faults: Finding[] = [];
  /** Retriable errors, by code. */
  readonly refusals = new Map<string, number>();
  /** Messages that it stopped sending again: it was refused them, or is no member of their room any more. */
  readonly givenUp = new Set<string>();
  resets = 0;
  /** Events whose predecessor it did not hold: a node that mends its holes sends none. */
  holes = 0;
  readonly #options: ClientRulesOptions;
  readonly #views = new Map<string, View>();
  readonly #outbox = new Map<string, Waiting>();
  #offsetMs = 0;

  constructor(options: ClientRulesOptions) {
    this.name = options.name;
    this.#options = options;
    this.forgetViews();
  }

  /** To the server; dropped where there is no connection. */
  protected abstract transmit(frame: ClientFrame): void;

  /** Whether somebody took the right away that it is refused: else a refusal for good, or to be told to leave, is a fault. */
  protected isDenied(_room: string, _code: ErrorCode): boolean {
    return false;
  }

  get rooms(): readonly string[] {
    return this.#options.rooms;
  }

  get isJoined(): boolean {
    return [...this.#views.values()].every(({ closed, joining }) => closed || !joining);
  }

  get isSettled(): boolean {
    const views = [...this.#views.values()];
    return this.isJoined && views.every(({ closed, provisional }) => closed || !provisional);
  }

  get leftRooms(): ReadonlySet<string> {
    return new Set(this.rooms.filter((room) => this.#view(room).closed));
  }

  /** Messages that are not saved yet. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** What the client shows of a room, in order. */
  shown(room: string): RoomEvent[] {
    return [...this.#view(room).events.values()].sort((a, b) => (a.position < b.position ? -1 : 1));
  }

  isComplete(room: string): boolean {
    return this.#view(room).complete;
  }

  cursor(room: string): string {
    return this.#view(room).cursor;
  }

  /** As after a crash: what is shown is gone, the outbox was kept on disk. */
  forgetViews(): void {
    for (const room of this.#options.rooms)
      this.#views.set(room, newView(this.#views.get(room)?.closed ?? false));
  }

  /**
   * Puts a message into the outbox and answers its id. `twice`: it is sent a second time at once, as a confused client would.
   * `agoMs`: it was written so long ago, while there was no connection.
   */
  say(room: string, body: string, { twice = false, agoMs = 0 } = {}): string {
    const { runtime } = this.#options;
    const now = (): number => runtime.now() + this.#offsetMs - agoMs;
    const id = uuidV7({ now, randomBytes: (length) => runtime.randomBytes(length) });
    const ref = FIRST_SEND + this.said.size;
    const frame: Send = { type: "send", ref, room, id, body, since: this.#view(room).cursor };
    this.said.set(id, { room, body });
    this.#outbox.set(id, { frame, retryAtMs: Infinity });
    this.repeat(frame);
    if (twice) this.repeat(frame);
    return id;
  }

  /** Sends a message, in the outbox or not; while the room is joining it goes out with the join. */
  repeat(frame: Send): void {
    if (!this.#view(frame.room).joining) this.transmit(frame);
  }

  /** The frame of a message that waits. */
  frameOf(id: string): Send | undefined {
    return this.#outbox.get(id)?.frame;
  }

  connected(token: string): void {
    this.transmit({ type: "auth", ref: 0, token });
  }

  /** Every room, from where it is. */
  protected rejoin(): void {
    for (const [room, { closed }] of this.#views) if (!closed) this.#join(room);
  }

  /** Back into a room that it has left. */
  enter(room: string): void {
    const view = this.#view(room);
    if (!view.closed) return;
    view.closed = false;
    this.#join(room);
  }

  disconnected(): void {
    for (const view of this.#views.values()) {
      view.joining = true;
      view.joinAtMs = Infinity;
      view.header = undefined;
    }
  }

  /** Now and then: what was refused is tried again. */
  tick(): void {
    const nowMs = this.#options.runtime.now();
    for (const [room, view] of this.#views) if (view.joinAtMs <= nowMs) this.#join(room);
    for (const waiting of this.#outbox.values()) {
      if (waiting.retryAtMs > nowMs || this.#view(waiting.frame.room).joining) continue;
      waiting.retryAtMs = Infinity;
      this.transmit(waiting.frame);
    }
  }

  hear(frame: ServerFrame): void {
    if ("room" in frame && !this.#views.has(frame.room)) return this.#fault("stranger", frame.room);
    if (frame.type === "welcome") return this.#welcomed(frame.now);
    if (frame.type === "left") return this.#left(frame);
    if (this.#isUnasked(frame)) return this.#fault("heard_after_left", JSON.stringify(frame).slice(0, 200));
    if (frame.type === "joined" || frame.type === "reset") return this.#announced(frame);
    if (frame.type === "events") return this.#page(frame);
    if (frame.type === "event") return this.#live(frame);
    if (frame.type === "sent") return this.#wasSent(frame);
    if (frame.type === "saved") return frame.ids.forEach((id) => this.#wasSaved(id));
    if (frame.type === "error") return this.#failed(frame);
  }

  #welcomed(nowMs: number): void {
    this.#offsetMs = nowMs - this.#options.runtime.now();
    this.rejoin();
  }

  #join(room: string): void {
    const view = this.#view(room);
    view.joining = true;
    view.joinAtMs = Infinity;
    const after = view.provisional ? {} : { after: view.cursor };
    const ref = 1 + [...this.#views.keys()].indexOf(room);
    this.transmit({ type: "join", ref, room, ...after });
  }

  /** Something of a room that it has left, and no answer to a join that was under way when it was told to leave. */
  #isUnasked(frame: ServerFrame): boolean {
    if (!tellsOfRoom(frame) || !this.#view(frame.room).closed) return false;
    return !("ref" in frame) || frame.ref === undefined;
  }

  #announced(header: Of<"joined"> | Of<"reset">): void {
    const view = this.#view(header.room);
    view.closed = false;
    view.header = header;
  }

  #left({ room, reason }: Of<"left">): void {
    if (reason !== undefined && !this.isDenied(room, "not_member"))
      this.#fault("shut_out", `${room}, ${reason}`);
    this.#close(room);
  }

  #close(room: string): void {
    const view = this.#view(room);
    view.closed = true;
    view.joinAtMs = Infinity;
    for (const [id, { frame }] of this.#outbox) if (frame.room === room) this.#giveUp(id);
  }

  #giveUp(id: string): void {
    this.#outbox.delete(id);
    this.givenUp.add(id);
  }

  #page({ room, events }: Of<"events">): void {
    const view = this.#view(room);
    const { header } = view;
    if (!header) throw new Error(`${this.name} got events of ${room} that no frame announced`);
    view.header = undefined;
    if (header.type === "reset") this.resets++;
    if (header.type === "reset" || view.provisional) {
      view.events = new Map();
      view.complete = header.complete;
    }
    view.cursor = header.head;
    view.provisional = header.provisional;
    for (const event of events) this.#add(event);
    if (header.ref === undefined || !view.joining) return;
    view.joining = false;
    for (const { frame } of this.#outbox.values()) if (frame.room === room) this.transmit(frame);
  }

  #live(event: RoomEvent): void {
    const view = this.#view(event.room);
    if (view.joining || event.position <= view.cursor) return;
    if (event.prev !== view.cursor) {
      this.holes++;
      return this.#join(event.room);
    }
    view.cursor = event.position;
    this.#add(event);
  }

  #add(event: RoomEvent): void {
    const { events } = this.#view(event.room);
    const known = events.get(event.id);
    if (known && known.position !== event.position)
      this.#fault("shown_moved", `${event.id}, ${known.position} and ${event.position}`);
    events.set(event.id, event);
  }

  #wasSent({ id, position }: Of<"sent">): void {
    this.sent.set(id, position);
  }

  #wasSaved(id: string): void {
    this.saved.add(id);
    this.#outbox.delete(id);
  }

  #failed({ ref, code, message, retriable, retryAfterMs = 200 }: Of<"error">): void {
    if (!retriable) return this.#refused(ref, code, message);
    const atMs = this.#options.runtime.now() + retryAfterMs;
    const room = ref === undefined || ref < 1 ? undefined : this.rooms[ref - 1];
    if (room !== undefined) this.#view(room).joinAtMs = atMs;
    for (const waiting of this.#outbox.values()) if (waiting.frame.ref === ref) waiting.retryAtMs = atMs;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** For good. */
  #refused(ref: number | undefined, code: ErrorCode, message: string): void {
    const room = this.rooms[(ref ?? 0) - 1];
    const [id, said] = [...this.said][(ref ?? 0) - FIRST_SEND] ?? [];
    const about = room ?? said?.room;
    if (about === undefined || !this.isDenied(about, code))
      return this.#fault("refused", `${code}, ${message}`);
    if (room !== undefined) this.#close(room);
    else if (id !== undefined) this.#giveUp(id);
  }

  #fault(kind: Violation, text: string): void {
    this.faults.push({ kind, text: `${this.name} ${VIOLATIONS[kind]}: ${text}` });
  }

  #view(room: string): View {
    const view = this.#views.get(room);
    if (!view) throw new Error(`${this.name} knows no room ${room}`);
    return view;
  }
}
