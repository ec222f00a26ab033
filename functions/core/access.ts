/**
 * How users stand to rooms: the store's answers, remembered for members, so that chat costs no questions and goes on without the
 * store. `Follower` keeps what is remembered true.
 */
import { LOBBY, type RoomInfo, type User } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { check } from "./permissions.ts";
import type { Pair, Standing } from "./room-store.ts";
import type { Runtime } from "./runtime.ts";
import type { Store } from "./store.ts";
import { Together } from "./together.ts";
import { isUuidV7 } from "./uuid.ts";

/** Rooms and standings are kept up to this many each; then the oldest are forgotten and asked again. */
const KNOWN_MAX = 100_000;
const RETRY_MS = 2_000;

export interface AccessDeps {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly membersPerRoomMax: number;
}

interface Load {
  readonly key: string;
  /** The standing was refreshed meanwhile: what is being read may be from before. */
  stale: boolean;
}

export class Access {
  readonly #deps: AccessDeps;
  /** A node's death brings all its users at once, whom this one does not know. */
  readonly #standings: Together<Pair, Standing | undefined>;
  readonly #publicRooms = new Map<string, RoomInfo>();
  readonly #known = new Map<string, Standing>();
  readonly #loads = new Set<Load>();
  /** Joins that the store did not take yet. */
  readonly #unsaved = new Map<string, { room: string; user: User }>();
  /** Somebody became a member. */
  onChange: () => void = () => {};
  /** These are to be refreshed: what was let through without the store has been decided. */
  onDecided: (pair: Pair) => Promise<void> = async () => {};

  constructor(deps: AccessDeps) {
    this.#deps = deps;
    this.#standings = new Together((pairs) => deps.store.rooms.standings(pairs));
    const lobby = {
      id: LOBBY,
      slug: LOBBY,
      kind: "public",
      name: LOBBY,
      topic: "",
      archived: false,
    } as const;
    this.#publicRooms.set(LOBBY, lobby);
  }

  /** What is remembered. */
  known(room: string, user: string): Standing | undefined {
    return this.#known.get(keyOf(room, user));
  }

  /** Undefined where the room is not there. Only a member's standing is answered from memory while the store answers. */
  async standing(room: string, user: string): Promise<Standing | undefined> {
    const known = this.known(room, user);
    if (known?.member && known.bannedUntilMs === 0) return known;
    try {
      return await this.fresh(room, user);
    } catch (error) {
      if (known && isUnavailable(error)) return known;
      throw error;
    }
  }

  /** From the store. */
  async fresh(room: string, user: string): Promise<Standing | undefined> {
    if (room !== LOBBY && !isUuidV7(room)) return undefined;
    const load = { key: keyOf(room, user), stale: true };
    this.#loads.add(load);
    try {
      let standing: Standing | undefined;
      while (load.stale) {
        load.stale = false;
        standing = await this.#standings.ask([room, user]);
      }
      if (standing?.member) this.#remember(room, user, standing);
      if (standing?.room.kind === "public") remember(this.#publicRooms, room, standing.room);
      return standing;
    } finally {
      this.#loads.delete(load);
    }
  }

  /** Asks for these anew and remembers the answers, also that somebody is no member any more. */
  async refresh(pairs: readonly Pair[]): Promise<readonly (Standing | undefined)[]> {
    const standings = await this.#deps.store.rooms.standings(pairs);
    pairs.forEach(([room, user], index) => {
      const key = keyOf(room, user);
      for (const load of this.#loads) if (load.key === key) load.stale = true;
      this.#remember(room, user, standings[index]);
    });
    return standings;
  }

  /** The room itself has changed. */
  forget(room: string): void {
    this.#publicRooms.delete(room);
    for (const load of this.#loads) if (load.key.startsWith(`${room} `)) load.stale = true;
    for (const key of this.#known.keys()) if (key.startsWith(`${room} `)) this.#known.delete(key);
  }

  /** Makes the user a member where that is open to all. A store that is away keeps nobody out of a public room: it is told later. */
  async join(room: string, user: User): Promise<Standing> {
    try {
      const standing = await this.standing(room, user.id);
      check(standing, "join", this.#deps.runtime.now());
      return standing.member ? standing : await this.#becomeMember(room, user);
    } catch (error) {
      const known = this.#publicRooms.get(room);
      if (!known || !isUnavailable(error)) throw error;
      this.#deps.logger.warn("a membership waits for the store", { room, err: error });
      return this.#letIn(known, user);
    }
  }

  async #becomeMember(room: string, user: User): Promise<Standing> {
    const { store, membersPerRoomMax, runtime } = this.#deps;
    await store.members.addMember(room, user, membersPerRoomMax);
    const standing = await this.fresh(room, user.id);
    check(standing, "join", runtime.now());
    if (!standing.member)
      throw new ChatError("limit_reached", `The room has its ${membersPerRoomMax} members.`);
    this.onChange();
    return standing;
  }

  /** Until the store says otherwise. */
  #letIn(room: RoomInfo, user: User): Standing {
    const member = { name: user.name, role: "member", mutedUntilMs: 0 } as const;
    const standing = { room, member, bannedUntilMs: 0, blocked: false, wasMember: false };
    this.#remember(room.id, user.id, standing);
    if (this.#unsaved.size === 0) this.#deps.runtime.after(RETRY_MS, () => void this.#saveLater());
    remember(this.#unsaved, keyOf(room.id, user.id), { room: room.id, user });
    return standing;
  }

  async #saveLater(): Promise<void> {
    for (const [key, { room, user }] of this.#unsaved) {
      try {
        await this.#deps.store.members.addMember(room, user, this.#deps.membersPerRoomMax);
        await this.onDecided([room, user.id]);
        this.#unsaved.delete(key);
      } catch (error) {
        this.#deps.logger.debug("the store does not take memberships yet", { err: error });
        break;
      }
    }
    if (this.#unsaved.size > 0) this.#deps.runtime.after(RETRY_MS, () => void this.#saveLater());
  }

  #remember(room: string, user: string, standing: Standing | undefined): void {
    const key = keyOf(room, user);
    if (standing) remember(this.#known, key, standing);
    else this.#known.delete(key);
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ChatError && error.code === "unavailable";
}

function keyOf(room: string, user: string): string {
  return `${room} ${user}`;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KNOWN_MAX && oldest !== undefined) map.delete(oldest);
}
