/** Rooms and their members: the store's answers, remembered where they can't change, so that chat goes on without it. */
import { LOBBY, type User } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Runtime } from "./runtime.ts";
import type { MemberStore, Room, RoomStore } from "./store.ts";
import { isUuidV7, uuidV7 } from "./uuid.ts";

/** Known rooms and memberships are kept up to this many each; then the oldest are forgotten and asked again. */
const KNOWN_MAX = 100_000;
const RETRY_MS = 2_000;

export class Members {
  readonly #store: RoomStore & MemberStore;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #rooms = new Map<string, Room>([[LOBBY, { id: LOBBY, name: LOBBY }]]);
  readonly #memberships = new Set<string>();
  /** Joins that the store did not take yet. */
  readonly #unsaved = new Map<string, { room: string; user: string }>();

  constructor(store: RoomStore & MemberStore, runtime: Runtime, logger: Logger) {
    this.#store = store;
    this.#runtime = runtime;
    this.#logger = logger;
  }

  async create(name: string, creator: User): Promise<Room> {
    const room = { id: uuidV7(this.#runtime), name };
    await this.#store.createRoom(room, creator.id);
    remember(this.#rooms, room.id, room);
    this.#rememberMember(room.id, creator.id);
    return room;
  }

  rooms(): Promise<readonly Room[]> {
    return this.#store.rooms();
  }

  /** The room. Throws `unknown_room`. */
  async room(id: string): Promise<Room> {
    const known = this.#rooms.get(id);
    if (known) return known;
    const room = isUuidV7(id) ? await this.#store.room(id) : undefined;
    if (!room) throw new ChatError("unknown_room", "No room has this id.");
    remember(this.#rooms, id, room);
    return room;
  }

  /** Makes the user a member of a public room. A store that is away does not keep anybody out: it is told later. */
  async join(id: string, user: User): Promise<void> {
    await this.room(id);
    const key = keyOf(id, user.id);
    if (this.#memberships.has(key)) return;
    try {
      await this.#store.addMember(id, user.id);
    } catch (error) {
      if (!(error instanceof ChatError) || !error.retriable) throw error;
      this.#logger.warn("a membership waits for the store", { room: id, err: error });
      if (this.#unsaved.size === 0) this.#runtime.after(RETRY_MS, () => void this.#saveLater());
      remember(this.#unsaved, key, { room: id, user: user.id });
    }
    this.#rememberMember(id, user.id);
  }

  /** Throws `unknown_room` or `not_member`. */
  async check(id: string, user: User): Promise<void> {
    await this.room(id);
    if (this.#memberships.has(keyOf(id, user.id))) return;
    if (!(await this.#store.isMember(id, user.id))) {
      throw new ChatError("not_member", "Only members read or write a room: join it first.");
    }
    this.#rememberMember(id, user.id);
  }

  async #saveLater(): Promise<void> {
    for (const [key, { room, user }] of this.#unsaved) {
      try {
        await this.#store.addMember(room, user);
        this.#unsaved.delete(key);
      } catch (error) {
        this.#logger.debug("the store does not take memberships yet", { err: error });
        break;
      }
    }
    if (this.#unsaved.size > 0) this.#runtime.after(RETRY_MS, () => void this.#saveLater());
  }

  #rememberMember(room: string, user: string): void {
    if (this.#memberships.size >= KNOWN_MAX) this.#memberships.clear();
    this.#memberships.add(keyOf(room, user));
  }
}

function keyOf(room: string, user: string): string {
  return `${room} ${user}`;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KNOWN_MAX && oldest !== undefined) map.delete(oldest);
}
