/** What every store promises about rooms, members, moderation and the trail of changes, run against each database. */
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fromMs, toMs, ZERO, type Position } from "../core/position.ts";
import {
  FOREVER_MS,
  UNREAD_EVENTS_MAX,
  type Action,
  type Page,
  type PageOf,
  type Standing,
} from "../core/room-store.ts";
import { UnstorableError, type Store } from "../core/store.ts";
import { LOBBY, type RoomInfo, type RoomKind, type User } from "../protocol.ts";
import { message, newId } from "./events.ts";
import { waitFor } from "./wait-for.ts";

const ALL: Page = { limit: 200 };
const MANY = 1_000;

/** Each call ends in a millisecond of its own: within one the trail has no order. */
function paced(store: Store): Store {
  const parts = { rooms: pacedPart(store.rooms), members: pacedPart(store.members) };
  const all: Partial<Store> = { ...parts, moderation: pacedPart(store.moderation) };
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(all, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function pacedPart<Part extends object>(part: Part): Part {
  return new Proxy(part, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        const answer = (await method.apply(target, args)) as unknown;
        for (const endedMs = Date.now(); Date.now() <= endedMs;) await turn();
        return answer;
      };
    },
  });
}

export function describeRoomStore(name: string, openStore: () => Promise<Store>): void {
  describe(`${name}: the contract of rooms`, () => {
    let store: Store;
    let owner: User;
    let other: User;
    let room: RoomInfo;
    beforeAll(async () => {
      store = paced(await openStore());
    }, 60_000);
    afterAll(() => store.close());
    beforeEach(async () => {
      owner = { id: newId(), name: "Olga" };
      other = { id: newId(), name: "Otto" };
      room = await make("private");
    });

    async function make(kind: RoomKind, about: Partial<RoomInfo> = {}): Promise<RoomInfo> {
      const id = newId();
      const made = { id, slug: id, kind, name: "Tea & 'cake' 🍰", topic: "", archived: false, ...about };
      expect(await store.rooms.createRoom(made, owner)).toBe(true);
      return made;
    }

    async function standing(user: User, of = room): Promise<Standing | undefined> {
      const [only] = await store.rooms.standings([[of.id, user.id]]);
      return only;
    }

    async function trail(of = room): Promise<[Action, string | undefined, string][]> {
      const { items } = await store.changes.listChanges(of.id, ALL);
      return items.map(({ action, user, by }) => [action, user?.id, by.id]).reverse() as [
        Action,
        string | undefined,
        string,
      ][];
    }

    const join = (user: User, of = room, max = MANY) => store.members.addMember(of.id, user, max);

    describe("rooms", () => {
      it("the lobby is there from the start, public, without an owner", async () => {
        const lobby = { id: LOBBY, slug: LOBBY, kind: "public", name: "Lobby", topic: "", archived: false };
        expect((await store.rooms.standings([[LOBBY, other.id]]))[0]).toMatchObject({ room: lobby });
        expect(await store.rooms.idOfSlug(LOBBY)).toBe(LOBBY);
      });

      it("is made once; its maker is the owner, and the trail says so once", async () => {
        expect(await store.rooms.createRoom({ ...room, name: "another" }, other)).toBe(true);
        expect(await standing(owner)).toEqual({
          room,
          member: { name: "Olga", role: "owner", mutedUntilMs: 0 },
          bannedUntilMs: 0,
          blocked: false,
          wasMember: false,
        });
        expect((await standing(other))?.member).toBeUndefined();
        expect(await trail()).toEqual([["create", owner.id, owner.id]]);
        expect(await store.rooms.ownedRooms(owner.id)).toBe(1);
      });

      it("a slug belongs to one room", async () => {
        const second = { ...room, id: newId() };
        expect(await store.rooms.createRoom(second, other)).toBe(false);
        expect(await standing(other, second)).toBeUndefined();
        expect(await store.rooms.idOfSlug(room.slug)).toBe(room.id);
        expect(await store.rooms.idOfSlug("no-such-room")).toBeUndefined();
      });

      it("changes only what is given, and leaves no trace of a change to what it was", async () => {
        await store.rooms.updateRoom(room.id, { topic: "plans" }, owner);
        await store.rooms.updateRoom(room.id, { topic: "plans" }, owner);
        await store.rooms.updateRoom(room.id, { name: "Tea", archived: true }, owner);
        await store.rooms.updateRoom(room.id, { archived: true }, owner);
        expect((await standing(owner))?.room).toEqual({
          ...room,
          name: "Tea",
          topic: "plans",
          archived: true,
        });
        await store.rooms.updateRoom(room.id, { archived: false }, owner);
        expect((await standing(owner))?.room.archived).toBe(false);
        expect((await trail()).map(([action]) => action)).toEqual(["create", "update", "update", "update"]);
      });

      it("[G13] lists one's own and the public ones in the order of their making, and no other, in pages", async () => {
        const open = await make("public", { slug: newId() });
        const archived = await make("public");
        await store.rooms.updateRoom(archived.id, { archived: true }, owner);
        const all = async (user: User, mine: boolean) => {
          const found: string[] = [];
          let after: string | undefined;
          do {
            const page: PageOf<RoomInfo> = await store.rooms.listRooms(user.id, mine, { after, limit: 2 });
            expect(page.items.length).toBeLessThanOrEqual(2);
            found.push(...page.items.map(({ id }) => id));
            after = page.next;
          } while (after !== undefined);
          return found;
        };
        expect(await all(owner, true)).toEqual([room.id, open.id, archived.id]);
        const seen = await all(other, false);
        expect(seen[0]).toBe(LOBBY);
        expect(seen).toContain(open.id);
        expect(seen).not.toContain(room.id);
        expect(seen).not.toContain(archived.id);
        expect(await all(other, true)).toEqual([]);
        const everything: string[] = [];
        for (let page: PageOf<RoomInfo> | undefined; page?.next !== undefined || !page;) {
          page = await store.rooms.allRooms({ ...(page ? { after: page.next } : {}), limit: 2 });
          everything.push(...page.items.map(({ id }) => id));
        }
        expect(everything).toEqual(expect.arrayContaining([LOBBY, room.id, open.id, archived.id]));
        expect(new Set(everything).size).toBe(everything.length);
      });

      it("a direct room is the same for the same people, whoever asks and however often", async () => {
        const third = { id: newId(), name: "Theo" };
        const open = (people: User[], by: User) => {
          const id = newId();
          return store.rooms.openDirect({ ...room, id, slug: id, kind: "direct" }, people, by);
        };
        const [first, second] = await Promise.all([open([owner, other], owner), open([other, owner], other)]);
        expect(second).toEqual(first);
        expect((await open([owner, other, third], third)).id).not.toBe(first.id);
        const members = await store.members.members(first.id, ALL);
        expect(members.items.map(({ id, role }) => [id, role])).toEqual(
          [owner.id, other.id].sort().map((id) => [id, "member"]),
        );
      });
    });

    describe("read marks", () => {
      const soonMs = Date.now() + 3_600_000;
      const soon = (ms: number) => fromMs(soonMs + ms);
      const listed = async (user: User) => {
        const { items } = await store.rooms.listRooms(user.id, true, ALL);
        return items.find(({ id }) => id === room.id);
      };
      const raise = (position: Position, user = other) =>
        store.readMarks.raise([{ user: user.id, room: room.id, position }]);
      const write = (by: User, ...times: readonly number[]) =>
        store.insertEvents(
          times.map((ms) => message(room.id, 0, { user: by, position: soon(ms), prev: ZERO })),
        );

      it("only rise, also within one call, each user's and each room's its own", async () => {
        const mark = { user: other.id, room: room.id, position: soon(2) };
        const apart = [
          { ...mark, user: owner.id, position: soon(0) },
          { ...mark, room: newId(), position: soon(1) },
        ];
        const raised = await store.readMarks.raise([mark, ...apart, { ...mark, position: soon(1) }]);
        expect(raised).toHaveLength(3);
        expect(raised).toEqual(expect.arrayContaining([mark, ...apart]));
        expect(await raise(soon(1))).toEqual([mark]);
        expect(await raise(soon(3))).toEqual([{ ...mark, position: soon(3) }]);
        expect(await store.readMarks.raise([])).toEqual([]);
      });

      it("take a thousand at once", async () => {
        const marks = Array.from({ length: 1_000 }, () => ({
          user: newId(),
          room: room.id,
          position: soon(0),
        }));
        const byUser = (all: readonly { user: string }[]) =>
          all.toSorted((a, b) => (a.user < b.user ? -1 : 1));
        expect(byUser(await store.readMarks.raise(marks))).toEqual(byUser(marks));
      });

      it("a list counts the messages of others behind the mark, and without one those since the joining", async () => {
        await store.insertEvents([
          message(room.id, 0, { user: owner, position: fromMs(Date.now() - 60_000) }),
        ]);
        await join(other);
        const joined = (await listed(other))?.read ?? "";
        expect(Math.abs(toMs(joined) - Date.now())).toBeLessThan(30_000);
        await write(owner, 1, 2, 3);
        await write(other, 4);
        expect(await listed(other)).toMatchObject({ read: joined, unread: 3 });
        await raise(soon(2));
        expect(await listed(other)).toMatchObject({ read: soon(2), unread: 1 });
        await raise(fromMs(Date.now() - 3_600_000), owner);
        expect(await listed(owner)).toMatchObject({ unread: 1 });
      });

      it("a list looks at so many messages behind the mark and no further", async () => {
        await join(other);
        await write(owner, ...Array.from({ length: UNREAD_EVENTS_MAX + 5 }, (_, ms) => ms));
        expect(await listed(other)).toMatchObject({ unread: UNREAD_EVENTS_MAX });
      });

      it("who is no member is told neither mark nor count", async () => {
        const open = await make("public");
        await store.readMarks.raise([{ user: other.id, room: open.id, position: soon(0) }]);
        const { items } = await store.rooms.listRooms(other.id, false, ALL);
        expect(items.find(({ id }) => id === open.id)).toEqual(open);
      });

      it("a text that can't be kept is refused", async () => {
        await expect(raise(soon(0), { id: "a\0b", name: "" })).rejects.toThrow(UnstorableError);
      });
    });

    describe("members", () => {
      it("[G13] one is a member of just that room, once, however often added", async () => {
        await Promise.all([join(other), join(other)]);
        await join(other);
        expect((await standing(other))?.member).toEqual({ name: "Otto", role: "member", mutedUntilMs: 0 });
        expect((await standing(other, await make("private")))?.member).toBeUndefined();
        expect((await trail()).filter(([action]) => action === "join")).toEqual([
          ["join", other.id, other.id],
        ]);
      });

      it("a room takes no more than it may", async () => {
        await join(other, room, 1);
        expect((await standing(other))?.member).toBeUndefined();
        await join(other, room, 2);
        expect((await standing(other))?.member).toBeDefined();
      });

      it("leaves, is removed, gets another role, is muted: each is noted once, with who did it", async () => {
        await join(other);
        for (let twice = 0; twice < 2; twice++)
          await store.members.setRole(room.id, other.id, "moderator", owner);
        for (let twice = 0; twice < 2; twice++)
          await store.members.mute(room.id, other.id, FOREVER_MS, owner);
        expect((await standing(other))?.member).toEqual({
          name: "Otto",
          role: "moderator",
          mutedUntilMs: FOREVER_MS,
        });
        await store.members.mute(room.id, other.id, 0, owner);
        expect((await standing(other))?.member?.mutedUntilMs).toBe(0);
        for (let twice = 0; twice < 2; twice++)
          await store.members.removeMember(room.id, other.id, owner, { action: "remove", reason: "noise" });
        expect(await standing(other)).toMatchObject({ wasMember: true });
        expect((await standing(other))?.member).toBeUndefined();
        await join(other);
        await store.members.removeMember(room.id, other.id, other, { action: "leave" });
        expect((await trail()).slice(1)).toEqual([
          ["join", other.id, other.id],
          ["role", other.id, owner.id],
          ["mute", other.id, owner.id],
          ["mute", other.id, owner.id],
          ["remove", other.id, owner.id],
          ["join", other.id, other.id],
          ["leave", other.id, other.id],
        ]);
      });

      it("a room keeps an owner, also when two owners take each other's part in the same moment", async () => {
        const remove = (user: User, by: User) =>
          store.members.removeMember(room.id, user.id, by, { action: "remove" });
        const ban = (user: User, by: User) =>
          store.moderation.ban(room.id, { user, reason: "", untilMs: FOREVER_MS }, by);
        const demote = (user: User, by: User) => store.members.setRole(room.id, user.id, "member", by);
        for (const alone of [remove, ban, demote]) expect(await alone(owner, owner)).toBe(false);
        for (const take of [remove, ban, demote]) {
          for (let round = 0; round < 2; round++) {
            const second = { id: newId(), name: "second" };
            await join(second);
            await store.members.setRole(room.id, second.id, "owner", owner);
            const taken = await Promise.all([take(owner, second), take(second, owner)]);
            expect(taken.filter(Boolean)).toHaveLength(1);
            if (taken[0]) owner = second;
          }
        }
        expect((await standing(owner))?.member?.role).toBe("owner");
      });

      it("are listed by id, in pages, and known by their last name", async () => {
        const people = Array.from({ length: 5 }, (_, n) => ({ id: newId(), name: `n${n}` }));
        for (const one of people) await join(one);
        const ids = [owner, ...people].map(({ id }) => id).sort();
        const first = await store.members.members(room.id, { limit: 4 });
        const second = await store.members.members(room.id, { limit: 4, after: first.next });
        expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
        expect(second.next).toBeUndefined();
        expect(await store.members.people([people[0]?.id ?? "", newId()])).toEqual([people[0]]);
      });
    });

    describe("moderation", () => {
      const ban = (untilMs = FOREVER_MS, reason = "spam") =>
        store.moderation.ban(room.id, { user: other, reason, untilMs }, owner);

      it("[G13] a banned user is out and can't be joined until the ban is lifted", async () => {
        await join(other);
        await ban();
        await ban();
        await join(other);
        expect(await standing(other)).toMatchObject({ bannedUntilMs: FOREVER_MS, wasMember: true });
        expect((await standing(other))?.member).toBeUndefined();
        expect((await store.moderation.bans(room.id, ALL)).items).toEqual([
          { user: other, reason: "spam", untilMs: FOREVER_MS },
        ]);
        await store.moderation.unban(room.id, other.id, owner);
        await store.moderation.unban(room.id, other.id, owner);
        await join(other);
        expect((await standing(other))?.member).toBeDefined();
        expect((await trail()).map(([action]) => action)).toEqual(["create", "join", "ban", "unban", "join"]);
      });

      it("a ban that is over counts no more", async () => {
        await ban(Date.now() - 1);
        expect(await standing(other)).toMatchObject({ bannedUntilMs: 0 });
        expect((await store.moderation.bans(room.id, ALL)).items).toEqual([]);
        await join(other);
        expect((await standing(other))?.member).toBeDefined();
      });

      it("an invitation lets in as often as it may and until it is over, whoever is not banned", async () => {
        const invite = async (more: { usesLeft?: number; expiresAtMs?: number }) => {
          const code = newId();
          const all = { code, role: "read-only" as const, by: owner, expiresAtMs: FOREVER_MS, ...more };
          await store.moderation.invite(room.id, all);
          return code;
        };
        const once = await invite({ usesLeft: 1 });
        const others = Array.from({ length: 4 }, () => ({ id: newId(), name: "guest" }));
        const joined = await Promise.all(others.map((one) => store.moderation.redeem(once, one, MANY)));
        expect(joined.filter(Boolean)).toHaveLength(1);
        expect(await store.moderation.roomOfInvitation(once)).toBeUndefined();
        const over = await invite({ expiresAtMs: Date.now() - 1 });
        expect(await store.moderation.redeem(over, other, MANY)).toBe(false);
        const free = await invite({});
        await ban();
        expect(await store.moderation.redeem(free, other, MANY)).toBe(false);
        await store.moderation.unban(room.id, other.id, owner);
        expect(await store.moderation.redeem(free, other, MANY)).toBe(true);
        expect(await store.moderation.redeem(free, other, MANY)).toBe(false);
        expect((await standing(other))?.member?.role).toBe("read-only");
        expect((await store.moderation.invitations(room.id, ALL)).items).toEqual([
          { code: free, role: "read-only", by: owner, expiresAtMs: FOREVER_MS },
        ]);
        await store.moderation.revokeInvitation(room.id, free, owner);
        expect(await store.moderation.roomOfInvitation(free)).toBeUndefined();
      });

      it("a member uses nothing of an invitation, nor does one whom the room has no place for", async () => {
        const code = newId();
        await store.moderation.invite(room.id, {
          code,
          role: "member",
          by: owner,
          expiresAtMs: FOREVER_MS,
          usesLeft: 1,
        });
        expect(await store.moderation.redeem(code, owner, MANY)).toBe(false);
        expect(await store.moderation.redeem(code, other, 1)).toBe(false);
        expect(await store.moderation.redeem(code, other, MANY)).toBe(true);
      });

      it("a block counts in the direct room of the two, both ways, and nowhere else", async () => {
        const third = { id: newId(), name: "Theo" };
        const id = newId();
        const direct = await store.rooms.openDirect(
          { ...room, id, slug: id, kind: "direct" },
          [owner, other],
          owner,
        );
        const group = newId();
        const three = { ...room, id: group, slug: group, kind: "direct" as const };
        await store.rooms.openDirect(three, [owner, other, third], owner);
        for (let twice = 0; twice < 2; twice++) await store.moderation.block(owner, other.id);
        expect((await standing(owner, direct))?.blocked).toBe(true);
        expect((await standing(other, direct))?.blocked).toBe(true);
        expect((await standing(other, three))?.blocked).toBe(false);
        expect(await store.moderation.isBlocked(other.id, owner.id)).toBe(true);
        expect(await store.moderation.isBlocked(owner.id, third.id)).toBe(false);
        expect((await store.moderation.blocks(owner.id, ALL)).items).toEqual([other.id]);
        await store.moderation.unblock(owner, other.id);
        expect((await standing(owner, direct))?.blocked).toBe(false);
        expect((await trail(direct)).slice(2)).toEqual([
          ["block", other.id, owner.id],
          ["unblock", other.id, owner.id],
        ]);
      });
    });

    describe("the trail", () => {
      it("has what was changed lately, oldest first, and whom it was done to", async () => {
        await join(other);
        await store.members.removeMember(room.id, other.id, owner, { action: "remove", reason: "noise" });
        const recent = (await store.changes.recentChanges(60_000)).filter(
          (change) => change.room === room.id,
        );
        expect(recent.map(({ action }) => action)).toEqual(["create", "join", "remove"]);
        expect(recent[2]).toMatchObject({ user: other, by: owner, detail: { reason: "noise" } });
        expect(await store.changes.recentChanges(-60_000)).toEqual([]);
      });

      it("is paged, newest first; any text as a key is a page", async () => {
        for (const name of ["a", "b", "c"]) {
          // What is changed within one millisecond has no order.
          const atMs = Date.now();
          await waitFor(() => Date.now() > atMs, "the next millisecond");
          await store.rooms.updateRoom(room.id, { name }, owner);
        }
        const first = await store.changes.listChanges(room.id, { limit: 3 });
        const second = await store.changes.listChanges(room.id, { limit: 3, after: first.next });
        expect([...first.items, ...second.items].map(({ detail }) => detail["name"])).toEqual([
          "c",
          "b",
          "a",
          room.name,
        ]);
        for (const after of ["", "x", "1.x", `${"9".repeat(14)}.x`, "'; DROP TABLE rooms"]) {
          await store.changes.listChanges(room.id, { after, limit: 1 });
          await store.rooms.listRooms(owner.id, false, { after, limit: 1 });
        }
      });
    });

    it("refuses text that can't be stored as it is, anywhere", async () => {
      for (const text of ["a\0b", "\ud83d"]) {
        const bad = { id: text, name: text };
        const calls = [
          () => store.rooms.createRoom({ ...room, id: newId(), name: text }, owner),
          () => store.rooms.createRoom({ ...room, id: newId() }, bad),
          () => store.rooms.updateRoom(room.id, { topic: text }, owner),
          () => store.rooms.idOfSlug(text),
          () => store.rooms.listRooms(text, false, ALL),
          () => store.rooms.standings([[text, owner.id]]),
          () => store.members.addMember(room.id, bad, MANY),
          () => store.members.members(room.id, { ...ALL, after: text }),
          () => store.moderation.ban(room.id, { user: other, reason: text, untilMs: FOREVER_MS }, owner),
          () => store.moderation.roomOfInvitation(text),
          () => store.moderation.redeem(text, other, MANY),
          () => store.moderation.block(owner, text),
          () => store.changes.listChanges(text, ALL),
        ];
        for (const call of calls) await expect(call()).rejects.toBeInstanceOf(UnstorableError);
      }
    });
  });
}
