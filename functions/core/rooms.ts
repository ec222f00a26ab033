/** The verbs of rooms and membership, each checked against the table of permissions. */
import { LOBBY, type RoomInfo, type RoomKind, type User } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import type { Access } from "./access.ts";
import { check, type Verb } from "./permissions.ts";
import type { ReadMarks } from "./read-marks.ts";
import type { ListedRoom, Member, Page, PageOf, RoomChanges, Standing } from "./room-store.ts";
import type { Runtime } from "./runtime.ts";
import type { Store } from "./store.ts";
import { isUuidV7, uuidV7 } from "./uuid.ts";

export interface RoomVerbsDeps {
  readonly store: Store;
  readonly access: Access;
  readonly marks: ReadMarks;
  readonly runtime: Runtime;
  readonly limits: {
    readonly roomsPerUserMax: number;
    readonly membersPerRoomMax: number;
    readonly directPeopleMax: number;
  };
  /** Resolves when a change has taken effect here and others have been told. */
  readonly announce: () => Promise<void>;
}

const SLUG_LENGTH_MAX = 40;

export class Rooms {
  readonly #deps: RoomVerbsDeps;

  constructor(deps: RoomVerbsDeps) {
    this.#deps = deps;
  }

  /** The id of a room that is named by its id or slug. */
  async idOf(idOrSlug: string): Promise<string> {
    // Neither an id nor a slug: names no room, whatever the store would say to it.
    if (idOrSlug === LOBBY || isUuidV7(idOrSlug) || !/^[a-z0-9-]{1,64}$/.test(idOrSlug)) return idOrSlug;
    return (await this.#deps.store.rooms.idOfSlug(idOrSlug)) ?? idOrSlug;
  }

  /** How the user stands to a room in which it may do this; throws otherwise. */
  async permit(room: string, user: User, verb: Verb): Promise<Standing> {
    const standing = await this.#deps.access.fresh(room, user.id);
    check(standing, verb, this.#deps.runtime.now());
    return standing;
  }

  async list(user: User, mine: boolean, page: Page): Promise<PageOf<ListedRoom>> {
    await this.#deps.marks.save(user.id);
    return this.#deps.store.rooms.listRooms(user.id, mine, page);
  }

  async see(room: string, user: User): Promise<ListedRoom> {
    return toListed(await this.permit(room, user, "see"));
  }

  async create(
    { kind, name, topic }: { kind: Exclude<RoomKind, "direct">; name: string; topic: string },
    by: User,
  ): Promise<ListedRoom> {
    const { store, runtime, limits } = this.#deps;
    if ((await store.rooms.ownedRooms(by.id)) >= limits.roomsPerUserMax)
      throw new ChatError("limit_reached", `You own ${limits.roomsPerUserMax} rooms.`);
    const room = { id: uuidV7(runtime), slug: slugOf(name), kind, name, topic, archived: false };
    // Only a public room takes the plain slug: one that is taken must not tell of a private room.
    if (kind === "public" && (await store.rooms.createRoom(room, by))) return this.#made(room);
    const suffixed = { ...room, slug: this.#unlike(room.slug) };
    if (!(await store.rooms.createRoom(suffixed, by)))
      throw new ChatError("unavailable", "The room was not made.", { retryAfterMs: 100 });
    return this.#made(suffixed);
  }

  /** The direct room of these people and the one who asks; made where it is not. */
  async openDirect(users: readonly string[], by: User): Promise<ListedRoom> {
    const { store, runtime, limits } = this.#deps;
    const others = [...new Set(users)].filter((id) => id !== by.id);
    if (others.length === 0 || others.length >= limits.directPeopleMax)
      throw new ChatError("invalid_field", `\`users\` must name 1 to ${limits.directPeopleMax - 1} others.`);
    const people = await store.members.people(others);
    if (people.length < others.length) throw new ChatError("unknown_user", "No such user.");
    for (const { id } of people)
      if (await store.moderation.isBlocked(by.id, id))
        throw new ChatError("blocked", "One of you has blocked the other.");
    const id = uuidV7(runtime);
    const named = {
      id,
      slug: this.#unlike("direct"),
      kind: "direct",
      name: "Direct",
      topic: "",
      archived: false,
    } as const;
    const room = await store.rooms.openDirect(named, [by, ...people], by);
    await this.#deps.announce();
    return { ...room, role: "member" };
  }

  async update(room: string, changes: RoomChanges, by: User): Promise<ListedRoom> {
    const verbs = { name: "rename", topic: "setTopic", archived: "archive" } as const;
    await this.permit(room, by, "see");
    for (const field of ["name", "topic", "archived"] as const)
      if (changes[field] !== undefined) await this.permit(room, by, verbs[field]);
    await this.#deps.store.rooms.updateRoom(room, changes, by);
    await this.#deps.announce();
    return this.see(room, by);
  }

  async join(room: string, user: User): Promise<ListedRoom> {
    return toListed(await this.#deps.access.join(room, user));
  }

  async leave(room: string, user: User): Promise<void> {
    const { member } = await this.permit(room, user, "leave");
    const left = await this.#deps.store.members.removeMember(room, user.id, user, { action: "leave" });
    if (!left && member?.role === "owner") throw lastOwner();
    await this.#deps.announce();
  }

  async members(room: string, user: User, page: Page): Promise<PageOf<Member>> {
    await this.permit(room, user, "listMembers");
    return this.#deps.store.members.members(room, page);
  }

  async #made(room: RoomInfo): Promise<ListedRoom> {
    await this.#deps.announce();
    return { ...room, role: "owner" };
  }

  #unlike(slug: string): string {
    return `${slug}-${Buffer.from(this.#deps.runtime.randomBytes(6)).toString("hex")}`;
  }
}

export function lastOwner(): ChatError {
  return new ChatError("last_owner", "Make another member the owner first.");
}

function toListed({ room, member }: Standing): ListedRoom {
  return member ? { ...room, role: member.role } : room;
}

/** Latin letters and digits of the name, joined by hyphens; never in the form of an id. */
export function slugOf(name: string): string {
  const plain = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const words = plain.split(/[^a-z0-9]+/).filter((word) => word !== "");
  const slug = words.join("-").slice(0, SLUG_LENGTH_MAX).replace(/-$/, "");
  return slug === "" || isUuidV7(slug) ? `room-${slug}`.replace(/-$/, "") : slug;
}
