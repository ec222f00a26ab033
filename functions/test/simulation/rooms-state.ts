/** What simulated Postgres holds of rooms: tables as maps, and the trail that each write leaves. */
import type { Action, Ban, Change, ChangeStore, Invitation, Page, PageOf } from "../../core/room-store.ts";
import { UnstorableError } from "../../core/store.ts";
import { LOBBY, type Role, type RoomInfo, type User } from "../../protocol.ts";

export interface RoomRow {
  info: RoomInfo;
  readonly directKey?: string;
}

export interface MemberRow {
  readonly name: string;
  role: Role;
  mutedUntilMs: number;
}

const UNSTORABLE = /\0|\p{Surrogate}/u;
const KEY_DIGITS = 12;

export class RoomsState implements ChangeStore {
  readonly nowMs: () => number;
  readonly rooms = new Map<string, RoomRow>();
  readonly members = new Map<string, Map<string, MemberRow>>();
  readonly bans = new Map<string, Map<string, Ban>>();
  readonly invitations = new Map<string, { readonly room: string; invitation: Invitation }>();
  /** `user blocked`. */
  readonly blocks = new Set<string>();
  readonly #trail: Change[] = [];

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
    const lobby = {
      id: LOBBY,
      slug: LOBBY,
      kind: "public",
      name: "Lobby",
      topic: "",
      archived: false,
    } as const;
    this.rooms.set(LOBBY, { info: lobby });
  }

  /** What the auditor reads. */
  get trail(): readonly Change[] {
    return this.#trail;
  }

  membersOf(room: string): Map<string, MemberRow> {
    return of(this.members, room);
  }

  bansOf(room: string): Map<string, Ban> {
    return of(this.bans, room);
  }

  isBanned(room: string, user: string): boolean {
    return (this.bansOf(room).get(user)?.untilMs ?? 0) > this.nowMs();
  }

  isLastOwner(room: string, user: string): boolean {
    const owners = [...this.membersOf(room)].filter(([, { role }]) => role === "owner");
    return owners.length === 1 && owners[0]?.[0] === user;
  }

  wasMember(room: string, user: string): boolean {
    return this.#trail.some(
      (change) =>
        change.room === room &&
        change.user?.id === user &&
        ["leave", "remove", "ban"].includes(change.action),
    );
  }

  joinedAtMs(room: string, user: string): number {
    const isJoining = (change: Change) =>
      change.room === room && change.user?.id === user && ["create", "join"].includes(change.action);
    return this.#trail.findLast(isJoining)?.atMs ?? 0;
  }

  note(
    action: Action,
    by: User,
    about: { readonly room?: string | undefined; readonly user?: User; readonly detail?: Change["detail"] },
  ): void {
    const { room, user, detail = {} } = about;
    this.#trail.push({
      id: key(this.#trail.length),
      atMs: this.nowMs(),
      ...(room === undefined ? {} : { room }),
      ...(user === undefined ? {} : { user }),
      by,
      action,
      detail,
    });
  }

  async recentChanges(withinMs: number): Promise<readonly Change[]> {
    const sinceMs = this.nowMs() - withinMs;
    return this.#trail.filter(({ atMs }) => atMs > sinceMs);
  }

  async listChanges(room: string | undefined, page: Page): Promise<PageOf<Change>> {
    checkTexts(room, page.after);
    const mine = this.#trail.filter((change) => room === undefined || change.room === room).reverse();
    const behind = page.after === undefined ? mine : mine.filter(({ id }) => id < (page.after ?? ""));
    return pageOf(behind, page, ({ id }) => id);
  }
}

export function pageOf<Item>(
  items: readonly Item[],
  { limit }: Page,
  keyOf: (item: Item) => string,
): PageOf<Item> {
  const kept = items.slice(0, limit);
  const last = kept.at(-1);
  return items.length > limit && last !== undefined ? { items: kept, next: keyOf(last) } : { items: kept };
}

/** Text that sorts as the number does. */
export function key(number: number): string {
  return String(number).padStart(KEY_DIGITS, "0");
}

export function checkTexts(...texts: readonly (string | undefined)[]): void {
  if (texts.some((text) => text !== undefined && UNSTORABLE.test(text)))
    throw new UnstorableError("a text can't be stored");
}

function of<Value>(map: Map<string, Map<string, Value>>, room: string): Map<string, Value> {
  const inner = map.get(room) ?? new Map<string, Value>();
  map.set(room, inner);
  return inner;
}
