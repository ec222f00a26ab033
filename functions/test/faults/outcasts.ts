/** People who listen while others write, and are put out through another node than theirs: removed, banned, and signed out. */
import { CLOSES, type ErrorCode, type ServerFrame } from "../../protocol.ts";
import { Person } from "../api-client.ts";
import { judge, type Absence, type Finding } from "../auditor.ts";
import { tellsOfRoom } from "../client-view.ts";
import { TestClient } from "../test-client.ts";
import { signUp, type Visitor } from "../visitor.ts";
import { waitFor } from "../wait-for.ts";

/** [G13] A change has taken effect on every node within this. */
export const EFFECT_MS_MAX = 5_000;

class Listener extends TestClient {
  readonly hearings: { readonly room: string; readonly atMs: number }[] = [];
  /** Its sign-in has ended, and all its views with it. */
  isGone = false;
  userId = "";
  #deniedRoom: string | undefined;

  /** From now on it may be refused this room, or told to leave it. */
  deny(room: string): void {
    this.#deniedRoom = room;
  }

  override hear(frame: ServerFrame): void {
    if (frame.type === "welcome") this.userId = frame.user.id;
    if (tellsOfRoom(frame)) this.hearings.push({ room: frame.room, atMs: performance.now() });
    super.hear(frame);
  }

  protected override isDenied(room: string, _code: ErrorCode): boolean {
    return room === this.#deniedRoom;
  }
}

export class Outcasts {
  readonly absences: Absence[] = [];
  readonly #removed: Listener;
  readonly #banned: Listener;
  readonly #signedOut: Listener;
  readonly #visitor: Visitor;

  private constructor(urls: readonly string[], rooms: readonly string[], visitor: Visitor) {
    this.#removed = new Listener("removed", urls, rooms, 0);
    this.#banned = new Listener("banned", urls, rooms, 1);
    this.#signedOut = new Listener("signed-out", urls, rooms, 0);
    this.#visitor = visitor;
  }

  /** All of them listen to all the rooms. */
  static async join(urls: readonly string[], rooms: readonly string[]): Promise<Outcasts> {
    const visitor = await signUp(urls[1] ?? "", "signed-out");
    const outcasts = new Outcasts(urls, rooms, visitor);
    await Promise.all([
      outcasts.#removed.start(),
      outcasts.#banned.start(),
      outcasts.#signedOut.start(await visitor.token()),
    ]);
    return outcasts;
  }

  get clients(): readonly Listener[] {
    return [this.#removed, this.#banned, this.#signedOut];
  }

  /** Two of them out of one room by its owner, and one out of all. Resolves when all have been told. */
  async putOut(room: string, owner: Person): Promise<void> {
    const member = `/rooms/${room}/members/${this.#removed.userId}`;
    const ban = `/rooms/${room}/bans/${this.#banned.userId}`;
    await Promise.all([
      this.#leaves(this.#removed, room, () => owner.via(1).do("DELETE", member)),
      this.#leaves(this.#banned, room, () => owner.via(0).do("PUT", ban, { reason: "" })),
      this.#isSignedOut(),
    ]);
  }

  /** What is wrong with them, as far as it can be told without the rooms' rows. */
  findings(): readonly Finding[] {
    for (const client of this.clients) client.isGone = true;
    return judge({ clients: this.clients, rows: new Map(), absences: this.absences }).findings;
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  async #leaves(listener: Listener, room: string, putOut: () => Promise<unknown>): Promise<void> {
    listener.deny(room);
    await putOut();
    this.#mayNotHear(listener, [room]);
    await waitFor(() => listener.leftRooms.has(room), `${listener.name} to leave`, EFFECT_MS_MAX);
  }

  async #isSignedOut(): Promise<void> {
    const listener = this.#signedOut;
    const { status } = await this.#visitor.post("/api/auth/sign-out");
    if (status !== 200) throw new Error(`sign-out: ${status}`);
    listener.isGone = true;
    this.#mayNotHear(listener, listener.rooms);
    const isClosed = () => listener.closeCodes.includes(CLOSES.token_revoked.code);
    await waitFor(isClosed, "the socket of who signed out to be closed", EFFECT_MS_MAX);
  }

  #mayNotHear({ name }: Listener, rooms: readonly string[]): void {
    const fromMs = performance.now() + EFFECT_MS_MAX;
    for (const room of rooms) this.absences.push({ room, user: name, fromMs, untilMs: Infinity });
  }
}
