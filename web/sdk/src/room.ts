/** A room's conversation with the server: which join to send, and how its answers, resets and live events change the view (K1, K2). */
import type { ClientFrame, RoomEvent, ServerFrame, User } from "../../../functions/protocol.ts";
import {
  append,
  mergeOlder,
  newestOf,
  rename,
  replaceByPage,
  type HistoryPage,
  type RoomView,
} from "./view.ts";

type Joined = Extract<ServerFrame, { type: "joined" }>;
type Reset = Extract<ServerFrame, { type: "reset" }>;
type JoinFrame = Extract<ClientFrame, { type: "join" }>;

/** What the caller has to do next: `join` means that the room must be joined again. */
export type Outcome = "ok" | "join";

export interface OlderQuestion {
  readonly before: string;
  readonly beginning: number;
}

interface AwaitedPage {
  readonly header: Joined | Reset;
  readonly resumes: boolean;
}

/** Of what came live, unless the reader has loaded more. */
export const KEPT_EVENTS = 2_000;

export class Room {
  readonly id: string;
  readonly #onAdded: (event: RoomEvent) => void;
  #view: RoomView | undefined;
  #phase: "out" | "joining" | "in" = "out";
  #resuming = false;
  #freshNext = false;
  #page: AwaitedPage | undefined;
  #held: RoomEvent[] = [];
  /** Counts the beginnings that the view had. */
  #beginning = 0;
  /** Where live events have made the view twice as long, so many of it are kept: a page that stays open for weeks does not grow. */
  #kept = KEPT_EVENTS;

  /** `onAdded` is called for every event that comes after what was shown before. `kept`: a view of an earlier page, to go on from. */
  constructor(id: string, onAdded: (event: RoomEvent) => void, kept?: RoomView) {
    this.id = id;
    this.#onAdded = onAdded;
    this.#view = kept;
  }

  get view(): RoomView | undefined {
    return this.#view;
  }

  /** Whether the server has let this connection in. */
  get isIn(): boolean {
    return this.#phase === "in";
  }

  get isJoining(): boolean {
    return this.#phase === "joining";
  }

  /** The frame that joins from where the view is. Live events are ignored until it is answered. */
  startJoin(): JoinFrame {
    const after = this.#freshNext || this.#view?.provisional ? undefined : this.#view?.cursor;
    this.#phase = "joining";
    this.#resuming = after !== undefined;
    this.#freshNext = false;
    return { type: "join", room: this.id, ...(after === undefined ? {} : { after }) };
  }

  /** The connection is gone, the join was refused, or the server took the room away. */
  setOut(): void {
    this.#phase = "out";
    this.#page = undefined;
    this.#held = [];
  }

  onJoined(frame: Joined): void {
    this.#phase = "in";
    this.#page = { header: frame, resumes: this.#resuming };
  }

  onReset(frame: Reset): void {
    if (this.#phase === "out") return;
    if (this.#phase === "joining" && frame.ref !== undefined) this.#phase = "in";
    this.#page = { header: frame, resumes: false };
  }

  onEvents(events: readonly RoomEvent[]): Outcome {
    const page = this.#page;
    if (page === undefined) return "ok";
    this.#page = undefined;
    const outcome = page.resumes ? this.#resume(page.header, events) : this.#replace(page.header, events);
    const held = this.#held;
    this.#held = [];
    return outcome === "join" ? outcome : this.#append(held);
  }

  onEvent(event: RoomEvent): Outcome {
    if (this.#page !== undefined) {
      this.#held.push(event);
      return "ok";
    }
    return this.#phase === "in" ? this.#append([event]) : "ok";
  }

  /** Somebody has deleted the account: what is shown of it says so too. */
  onDeleted(user: User): void {
    if (this.#view !== undefined) this.#view = rename(this.#view, user);
  }

  /** What a history page has to be asked for. */
  askOlder(): OlderQuestion | undefined {
    return this.#view && { before: this.#view.wholeFrom, beginning: this.#beginning };
  }

  /** Takes the history page that answers a question. False where the view got another beginning meanwhile: what was true before may not be true now. */
  onOlder({ beginning }: OlderQuestion, page: HistoryPage): boolean {
    if (this.#view === undefined || beginning !== this.#beginning) return false;
    this.#beginning += 1;
    this.#view = mergeOlder(this.#view, page);
    this.#kept = Math.max(this.#kept, this.#view.events.length);
    return true;
  }

  /** A resume must link on to the view and end at its head; one that does not is not trusted again. */
  #resume({ head, provisional }: Joined | Reset, events: readonly RoomEvent[]): Outcome {
    const outcome = this.#append(events);
    if (outcome === "join" || this.#view === undefined || this.#view.cursor < head) {
      this.#freshNext = true;
      return "join";
    }
    this.#view = { ...this.#view, provisional };
    return "ok";
  }

  #replace({ head, complete, provisional }: Joined | Reset, events: readonly RoomEvent[]): Outcome {
    const old = this.#view;
    this.#beginning += 1;
    this.#view = replaceByPage(old, { head, complete, provisional, events });
    if (old !== undefined) events.filter(({ position }) => position > old.cursor).forEach(this.#onAdded);
    return "ok";
  }

  #append(events: readonly RoomEvent[]): Outcome {
    if (this.#view === undefined) return "join";
    const applied = append(this.#view, events);
    if (applied === "hole") return "join";
    this.#view = applied.view;
    if (applied.view.events.length > 2 * this.#kept) {
      this.#beginning += 1;
      this.#view = newestOf(applied.view, this.#kept);
    }
    applied.added.forEach(this.#onAdded);
    return "ok";
  }
}
