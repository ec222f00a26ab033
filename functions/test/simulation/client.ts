/** A simulated person: rules K1–K3 on a simulated socket, who writes, repeats, goes away, comes back, and may be gone for ever. */
import type { ClientFrame, ErrorCode, ServerFrame } from "../../protocol.ts";
import { ClientRules } from "../client-rules.ts";
import { tellsOfRoom } from "../client-view.ts";
import type { Host } from "./host.ts";
import type { Random } from "./random.ts";
import type { Socket, SocketEnd } from "./socket.ts";

export interface ClientOptions {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly host: Host;
  readonly random: Random;
  readonly heartbeatMs: number;
  readonly messagesPerSecond: number;
  /** A socket to some node; undefined where it was refused. */
  readonly connect: (client: SocketEnd) => Socket | undefined;
  /** Who accepted a message: told of each `sent`. */
  readonly onSent: (id: string) => void;
  /** Whether somebody took the right away for whose lack a frame is refused. */
  readonly isDenied: (room: string, code: ErrorCode) => boolean;
  readonly trace: ((line: string) => void) | undefined;
}

const TICK_MS = 400;
/** Of its messages, how many are sent twice at once, and how many again much later. */
const TWICE = 0.04;
const LATE = 0.04;
const LATE_MS_MAX = 40_000;
/** Ids stay in Redis for three minutes, and are trusted for two: what was written longer ago is judged. */
const WRITTEN_AGO_MS_MAX = 170_000;

export class SimulatedClient extends ClientRules implements SocketEnd {
  readonly host: Host;
  readonly #options: ClientOptions;
  socket: Socket | undefined;
  isGone = false;
  readonly hearings: { readonly room: string; readonly atMs: number }[] = [];
  /** `left` frames, by reason. */
  readonly departures = new Map<string, number>();
  /** When it signed in, each time: its token holds the number of the last one. */
  readonly signInsMs: number[] = [0];
  #isAway = false;
  #isQuiet = false;
  #attempt = 0;
  #reconnectAfterMs: number | undefined;

  constructor(options: ClientOptions) {
    super({ name: options.name, rooms: options.rooms, runtime: options.host });
    this.host = options.host;
    this.#options = options;
  }

  /** Of the session that it has, as far as it knows. */
  get token(): string {
    return `${this.name} ${this.signInsMs.length}`;
  }

  start(): void {
    this.#connect();
    this.#tickLater();
    this.#writeLater();
  }

  /** No more new messages. */
  quiet(): void {
    this.#isQuiet = true;
  }

  /** The network is gone; what is written meanwhile waits. */
  leave(): void {
    this.#isAway = true;
    this.socket?.cut();
  }

  comeBack(): void {
    if (!this.#isAway || this.isGone) return;
    this.#isAway = false;
    this.#connectLater(this.#options.random.between(10, 300));
  }

  /** For ever, and its outbox with it. */
  vanish(): void {
    this.isGone = true;
    this.host.kill();
  }

  /** The app is killed and opened again: what it showed is gone, its outbox was on disk. */
  crash(): void {
    this.socket?.cut();
    this.forgetViews();
  }

  /** Many messages at once. */
  flood(count: number, body: string): void {
    const room = this.rooms[0] ?? "";
    if (this.leftRooms.has(room)) return;
    for (let n = 0; n < count; n++) this.say(room, `${body} ${n}`);
  }

  receive(frame: ServerFrame, sentMs: number): void {
    if (tellsOfRoom(frame)) this.hearings.push({ room: frame.room, atMs: sentMs });
    this.hear(frame);
  }

  override hear(frame: ServerFrame): void {
    this.#options.trace?.(`${this.name} < ${brief(frame)}`);
    // The node closes the socket, and it comes back by the new one.
    if (frame.type === "error" && frame.code === "token_revoked")
      return void this.signInsMs.push(this.host.elapsed());
    if (frame.type === "reconnect") this.#reconnectAfterMs = frame.afterMs;
    if (frame.type === "welcome") this.#attempt = 0;
    if (frame.type === "left") {
      const reason = frame.reason ?? "left";
      this.departures.set(reason, (this.departures.get(reason) ?? 0) + 1);
    }
    super.hear(frame);
    if (frame.type === "sent") this.#options.onSent(frame.id);
  }

  closed(): void {
    this.socket = undefined;
    this.disconnected();
    const afterMs = this.#reconnectAfterMs ?? this.#options.random.between(20, 400);
    this.#reconnectAfterMs = undefined;
    if (!this.#isAway) this.#connectLater(afterMs);
  }

  protected transmit(frame: ClientFrame): void {
    if (!this.socket) return;
    this.#options.trace?.(`${this.name} > ${JSON.stringify(frame)}`);
    this.socket.transmit(frame);
  }

  protected override isDenied(room: string, code: ErrorCode): boolean {
    return this.#options.isDenied(room, code);
  }

  #connect(): void {
    if (this.socket || this.#isAway) return;
    this.socket = this.#options.connect(this);
    if (this.socket) this.connected(this.token);
    else this.#connectLater(this.#options.random.between(50, 100 * 2 ** Math.min(4, ++this.#attempt)));
  }

  #connectLater(afterMs: number): void {
    this.host.after(afterMs, () => this.#connect());
  }

  #tickLater(): void {
    this.host.after(TICK_MS, () => {
      this.tick();
      if (this.socket && this.host.elapsed() - this.socket.heardMs > 3 * this.#options.heartbeatMs)
        this.socket.cut();
      this.#tickLater();
    });
  }

  #writeLater(): void {
    const { random, messagesPerSecond } = this.#options;
    this.host.after((-Math.log(1 - random.unit()) * 1000) / messagesPerSecond, () => {
      if (this.#isQuiet) return;
      this.#write();
      this.#writeLater();
    });
  }

  #write(): void {
    const { random, rooms } = this.#options;
    const room = random.happens(0.6) ? (rooms[0] ?? "") : random.pick(rooms);
    const agoMs = this.#isAway && random.happens(0.7) ? random.between(0, WRITTEN_AGO_MS_MAX) : 0;
    if (this.leftRooms.has(room)) return;
    const id = this.say(room, `${this.said.size}`, { twice: random.happens(TWICE), agoMs });
    if (!random.happens(LATE)) return;
    const frame = this.frameOf(id);
    if (frame) this.host.after(random.between(0, LATE_MS_MAX), () => this.repeat(frame));
  }
}

/** A frame without the events' texts. */
function brief(frame: ServerFrame): string {
  if (frame.type !== "events") return JSON.stringify(frame);
  const places = frame.events.map(({ position, id }) => `${position} ${id}`);
  return JSON.stringify({ ...frame, events: places });
}
