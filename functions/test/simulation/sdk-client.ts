/** A simulated person who uses the SDK, with a small application around it: it signs in again, gives up what was refused, and opens anew after a crash. */
import type { Delivery } from "../../../web/sdk/src/deliveries.ts";
import { Client } from "../../../web/sdk/src/client.ts";
import type { Socket as SdkSocket, SocketHandlers } from "../../../web/sdk/src/runtime.ts";
import { memoryStorage } from "../../../web/sdk/src/storage.ts";
import { awaitsConfirmation } from "../../../web/sdk/src/view.ts";
import type { ErrorCode, RoomEvent, ServerFrame } from "../../protocol.ts";
import { VIOLATIONS, type Finding, type Violation } from "../auditor.ts";
import { tellsOfRoom } from "../client-view.ts";
import type { Host } from "./host.ts";
import { someRoom, writeNowAndThen, type Person, type PersonOptions } from "./person.ts";
import { SimulatedApi } from "./sdk-api.ts";
import type { Socket } from "./socket.ts";

/** An application asks its person to sign in, which takes a while. */
const SIGN_IN_MS = 300;

export class SdkClient implements Person {
  readonly host: Host;
  readonly name: string;
  readonly rooms: readonly string[];
  readonly said = new Map<string, { readonly room: string; readonly body: string }>();
  readonly sent = new Map<string, string>();
  readonly saved = new Set<string>();
  readonly givenUp = new Set<string>();
  readonly leftRooms = new Set<string>();
  readonly faults: Finding[] = [];
  readonly hearings: { readonly room: string; readonly atMs: number }[] = [];
  readonly departures = new Map<string, number>();
  readonly signInsMs: number[] = [0];
  socket: Socket | undefined;
  isGone = false;
  resets = 0;
  readonly #options: PersonOptions;
  /** On disk. */
  readonly #storage = memoryStorage();
  #client: Client;
  /** Rooms that the present connection is in. */
  readonly #joined = new Set<string>();
  #isAway = false;
  #isQuiet = false;

  constructor(options: PersonOptions) {
    this.#options = options;
    this.host = options.host;
    this.name = options.name;
    this.rooms = options.rooms;
    this.#client = this.#open();
  }

  get token(): string {
    return `${this.name} ${this.signInsMs.length}`;
  }

  get waiting(): number {
    return this.rooms.flatMap((room) => this.#entries(room)).filter(({ state }) => state !== "saved").length;
  }

  get isSettled(): boolean {
    return this.rooms.every((room) => this.leftRooms.has(room) || this.#isWhole(room));
  }

  shown(room: string): readonly RoomEvent[] {
    return this.#view(room)?.events ?? [];
  }

  isComplete(room: string): boolean {
    return this.#view(room)?.complete ?? false;
  }

  start(): void {
    this.#client.connect();
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
    this.#client.wake();
  }

  vanish(): void {
    this.isGone = true;
    this.host.kill();
  }

  crash(): void {
    this.#client.close();
    this.#client = this.#open().connect();
  }

  flood(count: number, body: string): void {
    const room = this.rooms[0] ?? "";
    for (let n = 0; n < count; n++) this.#say(room, `${body} ${n}`);
  }

  enter(room: string): void {
    if (!this.leftRooms.delete(room)) return;
    this.#client.leave(room);
    this.#client.join(room);
  }

  #open(): Client {
    const { name, host, anyNode } = this.#options;
    const client = new Client({
      socketUrl: "simulated",
      token: () => this.token,
      user: { id: name, name },
      api: new SimulatedApi(host, anyNode),
      runtime: host,
      openSocket: (_, handlers) => this.#openSocket(handlers),
      storage: this.#storage,
      watchHints: () => () => {},
    });
    client.on("delivery", (delivery) => this.#onDelivery(client, delivery));
    client.on("state", (state) => state.phase === "stopped" && this.#onStopped(client, state.code));
    for (const room of this.rooms) if (!this.leftRooms.has(room)) client.join(room);
    return client;
  }

  #openSocket(handlers: SocketHandlers): SdkSocket {
    let isOpen = true;
    const socket: Socket | undefined = this.#isAway
      ? undefined
      : this.#options.connect({
          host: this.host,
          receive: (frame, sentMs, text) => {
            if (!isOpen) return;
            this.#hear(frame, sentMs);
            handlers.onText(text);
            if (frame.type === "left" || frame.type === "error") this.#closeRooms();
          },
          closed: (code, reason) => {
            if (this.socket === socket) this.#disconnected();
            if (isOpen) handlers.onClose(code, reason);
          },
        });
    this.socket = socket;
    this.host.after(0, () => {
      if (!isOpen) return;
      if (socket) handlers.onOpen();
      else handlers.onClose(1006, "");
    });
    return {
      send: (text) => {
        this.#options.trace?.(`${this.name} > ${text}`);
        socket?.transmitText(text);
      },
      close: () => {
        isOpen = false;
        socket?.cut();
      },
    };
  }

  #disconnected(): void {
    this.socket = undefined;
    this.#joined.clear();
  }

  #write(): true {
    this.#say(someRoom(this.#options), `${this.said.size}`);
    return true;
  }

  #say(room: string, body: string): void {
    if (this.leftRooms.has(room)) return;
    const { id } = this.#client.send(room, body);
    this.said.set(id, { room, body });
  }

  /** What it was told, for the auditor; the SDK hears it next. */
  #hear(frame: ServerFrame, sentMs: number): void {
    this.#options.trace?.(
      `${this.name} < ${frame.type === "events" ? `events of ${frame.room}` : JSON.stringify(frame)}`,
    );
    if (tellsOfRoom(frame)) this.#hearOfRoom(frame.room, "ref" in frame && frame.ref !== undefined, sentMs);
    if (frame.type === "joined" || frame.type === "reset") this.#joined.add(frame.room);
    if (frame.type === "reset") this.resets++;
    if (frame.type === "saved") for (const id of frame.ids) this.saved.add(id);
    if (frame.type === "left") this.#heardLeft(frame.room, frame.reason);
    if (frame.type !== "sent") return;
    this.sent.set(frame.id, frame.position);
    this.#options.onSent(frame.id);
  }

  #hearOfRoom(room: string, isAnswer: boolean, sentMs: number): void {
    this.hearings.push({ room, atMs: sentMs });
    if (!this.rooms.includes(room)) this.#fault("stranger", room);
    if (!this.leftRooms.has(room)) return;
    if (isAnswer) this.leftRooms.delete(room);
    else this.#fault("heard_after_left", room);
  }

  #heardLeft(room: string, reason: string | undefined): void {
    const why = reason ?? "left";
    this.departures.set(why, (this.departures.get(why) ?? 0) + 1);
    if (reason !== undefined && !this.#options.isDenied(room, "not_member"))
      this.#fault("shut_out", `${room}, ${reason}`);
  }

  /** Rooms that it can't read any more: it gives up what waits there. */
  #closeRooms(): void {
    const client = this.#client;
    for (const [room, { error, entries }] of client.getSnapshot().rooms) {
      if (error === undefined || this.leftRooms.has(room)) continue;
      if (error.code !== "left" && !this.#options.isDenied(room, error.code as ErrorCode))
        this.#fault("refused", `${error.code}, ${error.message}`);
      this.leftRooms.add(room);
      for (const { id, state } of entries.values()) if (state !== "saved") this.#giveUp(client, id);
    }
  }

  #onDelivery(client: Client, { id, room, state, error }: Delivery): void {
    if (state !== "failed" || error === undefined) return;
    if (this.#options.isDenied(room, error.code)) this.#giveUp(client, id);
    else this.#fault("refused", `${error.code}, ${error.message}`);
  }

  #giveUp(client: Client, id: string): void {
    this.givenUp.add(id);
    // The SDK is still busy with what it has just told of.
    this.host.after(0, () => client.cancel(id));
  }

  /** The session was called back: its person signs in again. */
  #onStopped(client: Client, code: string): void {
    if (code !== "token_revoked") return this.#fault("refused", `the client stopped: ${code}`);
    this.host.after(SIGN_IN_MS, () => {
      if (client !== this.#client) return;
      this.signInsMs.push(this.host.elapsed());
      this.crash();
    });
  }

  #isWhole(room: string): boolean {
    const view = this.#view(room);
    return this.#joined.has(room) && view?.provisional === false && !awaitsConfirmation(view);
  }

  #view(room: string) {
    return this.#client.getSnapshot().rooms.get(room)?.view;
  }

  #entries(room: string) {
    return [...(this.#client.getSnapshot().rooms.get(room)?.entries.values() ?? [])];
  }

  #fault(kind: Violation, text: string): void {
    this.faults.push({ kind, text: `${this.name} ${VIOLATIONS[kind]}: ${text}` });
  }
}
