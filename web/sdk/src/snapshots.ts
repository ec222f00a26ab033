/** What there is to show, as values that stay the same objects until something about them changes. */
import type { Ability, ClientLimits, User } from "../../../functions/protocol.ts";
import type { ConnectionState } from "./connection.ts";
import type { HistoryState } from "./history.ts";
import { mergeMessages, type Message } from "./messages.ts";
import type { Outbox, OutboxEntry } from "./outbox.ts";
import type { RoomError, RoomSession } from "./room-session.ts";
import type { RoomView } from "./view.ts";

export interface RoomSnapshot {
  /** The room's events as the server has them; none before it was first joined. */
  readonly view: RoomView | undefined;
  /** This user's messages of the room that are not known to be saved, by id. */
  readonly entries: ReadonlyMap<string, OutboxEntry>;
  /** Both together, in the order in which they are shown, each message once. */
  readonly messages: readonly Message[];
  readonly history: HistoryState;
  /** Up to where this user has read the room, as marked here or told while it was joined, else empty; a list of rooms may know more. */
  readonly read: string;
  /** Why the room can't be read. */
  readonly error: RoomError | undefined;
}

export interface ClientSnapshot {
  readonly connection: ConnectionState;
  /** Without an id until the first connection, unless it was given. */
  readonly user: User;
  readonly limits: ClientLimits;
  /** What the server can't do right now. */
  readonly cannot: ReadonlySet<Ability>;
  readonly rooms: ReadonlyMap<string, RoomSnapshot>;
}

export class Snapshots {
  readonly #outbox: Outbox;
  readonly #sessions: ReadonlyMap<string, RoomSession>;
  readonly #rooms = new Map<string, RoomSnapshot>();
  readonly #changed = new Set<string>();
  #whole: ClientSnapshot | undefined;

  constructor(outbox: Outbox, sessions: ReadonlyMap<string, RoomSession>) {
    this.#outbox = outbox;
    this.#sessions = sessions;
  }

  /** Something changed, in this room or outside of rooms. */
  drop(room: string | undefined): void {
    this.#whole = undefined;
    if (room === undefined) return;
    if (this.#sessions.has(room)) this.#changed.add(room);
    else this.#rooms.delete(room);
  }

  /** Everything is another. */
  clear(): void {
    this.#whole = undefined;
    this.#rooms.clear();
  }

  whole(make: () => Omit<ClientSnapshot, "rooms">): ClientSnapshot {
    this.#whole ??= this.#makeWhole(make());
    return this.#whole;
  }

  room(id: string, user: User): RoomSnapshot | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    const known = this.#rooms.get(id);
    const isChanged = this.#changed.delete(id);
    if (known !== undefined && !isChanged) return known;
    const made = this.#makeRoom(id, session, user, known);
    this.#rooms.set(id, made);
    return made;
  }

  #makeWhole(rest: Omit<ClientSnapshot, "rooms">): ClientSnapshot {
    const rooms = new Map<string, RoomSnapshot>();
    for (const id of this.#sessions.keys()) {
      const room = this.room(id, rest.user);
      if (room !== undefined) rooms.set(id, room);
    }
    return { ...rest, rooms };
  }

  #makeRoom(
    id: string,
    { view, history, error, read }: RoomSession,
    user: User,
    before?: RoomSnapshot,
  ): RoomSnapshot {
    const entries = new Map(this.#outbox.ofRoom(id).map((entry) => [entry.id, entry]));
    return {
      view,
      entries,
      messages: mergeMessages(view?.events ?? [], entries, user, before),
      history: history.state,
      read,
      error,
    };
  }
}
