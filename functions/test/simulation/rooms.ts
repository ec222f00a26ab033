/** Rooms and members in simulated Postgres. */
import { fromMs, max } from "../../core/position.ts";
import {
  directKeyOf,
  type ListedRoom,
  type Member,
  type MemberStore,
  type Page,
  type PageOf,
  type Pair,
  type RoomChanges,
  type RoomStore,
  type Standing,
  UNREAD_EVENTS_MAX,
} from "../../core/room-store.ts";
import type { EventStore } from "../../core/store.ts";
import type { Role, RoomInfo, User } from "../../protocol.ts";
import type { MemoryReadMarks } from "./read-marks.ts";
import { checkTexts, key, pageOf, type RoomsState } from "./rooms-state.ts";

export class MemoryRooms implements RoomStore {
  readonly #state: RoomsState;
  readonly #marks: MemoryReadMarks;
  readonly #eventsAfter: EventStore["eventsAfter"];

  constructor(state: RoomsState, marks: MemoryReadMarks, eventsAfter: EventStore["eventsAfter"]) {
    this.#state = state;
    this.#marks = marks;
    this.#eventsAfter = eventsAfter;
  }

  async createRoom(room: RoomInfo, by: User): Promise<boolean> {
    checkTexts(room.id, room.slug, room.name, room.topic, by.id, by.name);
    const { rooms } = this.#state;
    if (rooms.has(room.id)) return true;
    if ((await this.idOfSlug(room.slug)) !== undefined) return false;
    rooms.set(room.id, { info: { ...room, archived: false } });
    this.#state.membersOf(room.id).set(by.id, { name: by.name, role: "owner", mutedUntilMs: 0 });
    this.#state.note("create", by, { room: room.id, user: by, detail: { name: room.name, kind: room.kind } });
    return true;
  }

  async openDirect(room: RoomInfo, people: readonly User[], by: User): Promise<RoomInfo> {
    checkTexts(room.id, room.slug, room.name, ...people.flatMap(({ id, name }) => [id, name]));
    const directKey = directKeyOf(people.map(({ id }) => id));
    const known = [...this.#state.rooms.values()].find((row) => row.directKey === directKey);
    if (known) return known.info;
    const info = { ...room, kind: "direct", topic: "", archived: false } as const;
    this.#state.rooms.set(room.id, { info, directKey });
    for (const user of people) {
      this.#state.membersOf(room.id).set(user.id, { name: user.name, role: "member", mutedUntilMs: 0 });
      this.#state.note("create", by, { room: room.id, user, detail: { kind: "direct" } });
    }
    return info;
  }

  async updateRoom(room: string, changes: RoomChanges, by: User): Promise<void> {
    checkTexts(room, changes.name, changes.topic);
    const row = this.#state.rooms.get(room);
    if (!row) return;
    const { name = row.info.name, topic = row.info.topic, archived = row.info.archived } = changes;
    if (name === row.info.name && topic === row.info.topic && archived === row.info.archived) return;
    row.info = { ...row.info, name, topic, archived };
    this.#state.note("update", by, { room, detail: { ...changes } });
  }

  async idOfSlug(slug: string): Promise<string | undefined> {
    checkTexts(slug);
    return [...this.#state.rooms.values()].find(({ info }) => info.slug === slug)?.info.id;
  }

  async listRooms(user: string, mine: boolean, page: Page): Promise<PageOf<ListedRoom>> {
    checkTexts(user, page.after);
    const places = new Map([...this.#state.rooms.keys()].map((id, index) => [id, key(index)]));
    const listed = [...this.#state.rooms.values()].flatMap(({ info }): ListedRoom[] => {
      const role = this.#state.membersOf(info.id).get(user)?.role;
      if (role !== undefined) return [{ ...info, role }];
      return !mine && info.kind === "public" && !info.archived ? [info] : [];
    });
    const placeOf = ({ id }: RoomInfo): string => places.get(id) ?? "";
    const { items, ...rest } = pageOf(
      listed.filter((room) => page.after === undefined || placeOf(room) > page.after),
      page,
      placeOf,
    );
    return { items: await Promise.all(items.map((room) => this.#withMark(room, user))), ...rest };
  }

  async #withMark(room: ListedRoom, user: string): Promise<ListedRoom> {
    if (room.role === undefined) return room;
    const joined = fromMs(this.#state.joinedAtMs(room.id, user));
    const read = max(joined, this.#marks.of(user, room.id) ?? joined);
    const { events } = await this.#eventsAfter(room.id, read, UNREAD_EVENTS_MAX);
    return { ...room, read, unread: events.filter((event) => event.user.id !== user).length };
  }

  async allRooms(page: Page): Promise<PageOf<RoomInfo>> {
    checkTexts(page.after);
    const all = [...this.#state.rooms.values()].map(({ info }, index) => ({ info, place: key(index) }));
    const behind = all.filter(({ place }) => page.after === undefined || place > page.after);
    const { items, next } = pageOf(behind, page, ({ place }) => place);
    return { items: items.map(({ info }) => info), ...(next === undefined ? {} : { next }) };
  }

  async standings(pairs: readonly Pair[]): Promise<readonly (Standing | undefined)[]> {
    checkTexts(...pairs.flat());
    return pairs.map(([room, user]) => this.#standing(room, user));
  }

  async ownedRooms(user: string): Promise<number> {
    checkTexts(user);
    return [...this.#state.members.values()].filter((members) => members.get(user)?.role === "owner").length;
  }

  #standing(id: string, user: string): Standing | undefined {
    const room = this.#state.rooms.get(id);
    if (!room) return undefined;
    const member = this.#state.membersOf(id).get(user);
    const people = room.directKey?.split(" ") ?? [];
    const [one = "", other = ""] = people.length === 2 ? people : [];
    const { blocks } = this.#state;
    return {
      room: room.info,
      ...(member ? { member: { ...member } } : {}),
      bannedUntilMs: this.#state.isBanned(id, user) ? (this.#state.bansOf(id).get(user)?.untilMs ?? 0) : 0,
      blocked: people.includes(user) && (blocks.has(`${one} ${other}`) || blocks.has(`${other} ${one}`)),
      wasMember: this.#state.wasMember(id, user),
    };
  }
}

export class MemoryMembers implements MemberStore {
  readonly #state: RoomsState;

  constructor(state: RoomsState) {
    this.#state = state;
  }

  async addMember(room: string, user: User, membersMax: number): Promise<void> {
    checkTexts(room, user.id, user.name);
    const members = this.#state.membersOf(room);
    if (!this.#state.rooms.has(room) || members.has(user.id) || this.#state.isBanned(room, user.id)) return;
    if (members.size >= membersMax) return;
    members.set(user.id, { name: user.name, role: "member", mutedUntilMs: 0 });
    this.#state.note("join", user, { room, user });
  }

  async removeMember(
    room: string,
    user: string,
    by: User,
    { action, reason }: { action: "leave" | "remove"; reason?: string },
  ): Promise<boolean> {
    checkTexts(room, user, by.id, by.name, reason);
    const member = this.#state.membersOf(room).get(user);
    if (!member || this.#state.isLastOwner(room, user)) return false;
    this.#state.membersOf(room).delete(user);
    const detail = reason === undefined ? {} : { reason };
    this.#state.note(action, by, { room, user: { id: user, name: member.name }, detail });
    return true;
  }

  async setRole(room: string, user: string, role: Role, by: User): Promise<boolean> {
    checkTexts(room, user, by.id, by.name);
    const member = this.#state.membersOf(room).get(user);
    if (!member || member.role === role || this.#state.isLastOwner(room, user)) return false;
    member.role = role;
    this.#state.note("role", by, { room, user: { id: user, name: member.name }, detail: { role } });
    return true;
  }

  async mute(room: string, user: string, untilMs: number, by: User): Promise<void> {
    checkTexts(room, user, by.id, by.name);
    const member = this.#state.membersOf(room).get(user);
    if (!member || member.mutedUntilMs === untilMs) return;
    member.mutedUntilMs = untilMs;
    this.#state.note("mute", by, { room, user: { id: user, name: member.name }, detail: { untilMs } });
  }

  async members(room: string, page: Page): Promise<PageOf<Member>> {
    checkTexts(room, page.after);
    const all = [...this.#state.membersOf(room)].map(([id, member]): Member => ({ id, ...member }));
    const sorted = all.filter(({ id }) => id > (page.after ?? "")).sort((a, b) => (a.id < b.id ? -1 : 1));
    return pageOf(sorted, page, ({ id }) => id);
  }

  async people(ids: readonly string[]): Promise<readonly User[]> {
    checkTexts(...ids);
    const names = new Map<string, string>();
    for (const members of this.#state.members.values())
      for (const [id, { name }] of members) if (name !== "") names.set(id, name);
    return [...ids].sort().flatMap((id) => {
      const name = names.get(id);
      return name === undefined ? [] : [{ id, name }];
    });
  }
}
