/** A simulated person: rules K1–K3 on a simulated socket, who writes, repeats, goes away, comes back, and may be gone for ever. */
import type { ClientFrame, ErrorCode, ServerFrame } from "../../protocol.ts";
import { ClientRules } from "../client-rules.ts";
import { tellsOfRoom } from "../client-view.ts";
import type { Host } from "./host.ts";
import { someRoom, writeNowAndThen, type Person, type PersonOptions } from "./person.ts";
import type { Socket, SocketEnd } from "./socket.ts";

const TICK_MS = 400;
/** Of its messages, how many are sent twice at once, and how many again much later. */
const TWICE = 0.04;
const LATE = 0.04;
const LATE_MS_MAX = 40_000;
/** Ids stay in Redis for three minutes, and are trusted for two: what was written longer ago is judged. */
const WRITTEN_AGO_MS_MAX = 170_000;

export class SimulatedClient extends ClientRules implements Person, SocketEnd {
  readonly host: Host;
  readonly #options: PersonOptions;
  socket: Socket | undefined;
  isGone = false;
  readonly hearings: { readonly room: string; readonly atMs: number }[] = [];
  readonly departures = new Map<string, number>();
  readonly signInsMs: number[] = [0];
  #isAway = false;
  #isQuiet = false;
  #attempt = 0;
  #reconnectAfterMs: number | undefined;

  constructor(options: PersonOptions) {
    super({ name: options.name, rooms: options.rooms, runtime: options.host });
    this.host = options.host;
    this.#options = options;
  }

  get token(): string {
    return `${this.name} ${this.signInsMs.length}`;
  }

  start(): void {
    this.#connect();
    this.#tickLater();
    writeNowAndThen(this.#options, () => !this.#isQuiet && this.#write());
  }

  quiet(): void {
    this.#isQuiet = true;
  }

  leave(): void {
    this.#isAway = true;
    this.socket?.cut();
  }

  comeBack(): void {
    if (!this.#isAway || this.isGone) return;
    this.#isAway = false;
    this.#connectLater(this.#options.random.between(10, 300));
  }

  vanish(): void {
    this.isGone = true;
    this.host.kill();
  }

  crash(): void {
    this.socket?.cut();
    this.forgetViews();
  }

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

  /** Always true: it goes on writing. */
  #write(): true {
    const { random } = this.#options;
    const room = someRoom(this.#options);
    const agoMs = this.#isAway && random.happens(0.7) ? random.between(0, WRITTEN_AGO_MS_MAX) : 0;
    if (this.leftRooms.has(room)) return true;
    const id = this.say(room, `${this.said.size}`, { twice: random.happens(TWICE), agoMs });
    if (!random.happens(LATE)) return true;
    const frame = this.frameOf(id);
    if (frame) this.host.after(random.between(0, LATE_MS_MAX), () => this.repeat(frame));
    return true;
  }
}

/** A frame without the events' texts. */
function brief(frame: ServerFrame): string {
  if (frame.type !== "events") return JSON.stringify(frame);
  const places = frame.events.map(({ position, id }) => `${position} ${id}`);
  return JSON.stringify({ ...frame, events: places });
}
