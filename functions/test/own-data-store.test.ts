/** One's own data in the store, on both databases: what is read of it, what goes with the account, and what comes in too late. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PrismaAccountStore } from "../adapters/account-store-prisma.ts";
import type { Database } from "../adapters/database.ts";
import { PrismaStore } from "../adapters/store-prisma.ts";
import { Erasure } from "../core/erasure.ts";
import type { OwnRecord } from "../core/own-data.ts";
import { ZERO } from "../core/position.ts";
import { FOREVER_MS } from "../core/room-store.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { DELETED_NAME, type RoomInfo, type User } from "../protocol.ts";
import { describeEngine } from "./engines.ts";
import { message, messages, newId } from "./events.ts";
import { createPgliteTemplate, type PgliteTemplate } from "./pglite-template.ts";
import { createPostgresWorld, type PostgresWorld } from "./postgres-world.ts";
import { SteppedRuntime } from "./stepped-runtime.ts";

/** Of one person, so that it is found wherever it is kept. */
const SECRET = "a-secret-of-hers";
const emailOf = ({ name }: User) => `${name}@example.org`;

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

function describeOwnData(openDatabase: () => Promise<Database>): void {
  let database: Database;
  let store: PrismaStore;
  let accounts: PrismaAccountStore;
  let ann: User;
  let ben: User;
  beforeAll(async () => {
    database = await openDatabase();
    store = new PrismaStore(database);
    accounts = new PrismaAccountStore(database);
  }, 120_000);
  afterAll(() => database?.close());
  beforeEach(() => {
    ann = { id: newId(), name: `ann-${newId()}` };
    ben = { id: newId(), name: `ben-${newId()}` };
  });

  async function room(
    by: User,
    others: readonly User[] = [],
    kind: RoomInfo["kind"] = "public",
  ): Promise<string> {
    const id = newId();
    await store.rooms.createRoom(
      { id, slug: id, kind, name: `room of ${id}`, topic: "", archived: false },
      by,
    );
    for (const other of others) await store.members.addMember(id, other, 100);
    return id;
  }

  /** An account with all there can be of one. */
  async function signUp(user: User, email = emailOf(user)): Promise<void> {
    const { prisma } = database;
    const expiresAt = new Date(Date.now() + 60_000);
    const password = { id: newId(), accountId: user.id, providerId: "credential", password: SECRET };
    const github = {
      id: newId(),
      accountId: user.id,
      providerId: "github",
      accessToken: SECRET,
      idToken: SECRET,
    };
    const session = { id: newId(), token: `${SECRET} ${newId()}`, expiresAt, userAgent: "a browser" };
    await prisma.user.create({
      data: { ...user, email, accounts: { create: [password, github] }, sessions: { create: session } },
    });
    await prisma.verification.create({
      data: { id: newId(), identifier: "reset", value: JSON.stringify({ user: user.id, email }), expiresAt },
    });
  }

  async function read(user: User): Promise<{ records: OwnRecord[]; pages: number[] }> {
    const records: OwnRecord[] = [];
    const pages: number[] = [];
    for await (const page of accounts.ownData(user)) {
      records.push(...page);
      pages.push(page.length);
    }
    return { records, pages };
  }

  /** Which of the words stand anywhere in the database. */
  async function found(...words: string[]): Promise<string[]> {
    const text = await dump();
    return words.filter((word) => text.includes(word));
  }

  /** Everything that the database holds, as text. */
  async function dump(): Promise<string> {
    const tables = await database.prisma.$queryRaw<{ name: string }[]>`
      SELECT table_name::text AS name FROM information_schema.tables
      WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`;
    const rows: unknown[] = [];
    for (const { name } of tables)
      rows.push(await database.prisma.$queryRawUnsafe(`SELECT to_jsonb(t)::text AS row FROM "${name}" AS t`));
    return JSON.stringify(rows);
  }

  it("is read whole and in pages, each message once and in its order, and has no secret", async () => {
    await signUp(ann);
    const mine = await room(ann, [ben]);
    const others = await room(ben, [ann], "private");
    const said = [mine, others].flatMap((id) =>
      messages(id, 1_250).map((event) => ({ ...event, user: ann })),
    );
    await store.insertEvents([...said, message(mine, 5_000, { user: ben, body: "not hers" })]);
    await store.moderation.block(ann, ben.id);
    await store.readMarks.raise([{ user: ann.id, room: others, position: said[3]?.position ?? ZERO }]);
    await store.moderation.invite(mine, { code: newId(), role: "member", by: ann, expiresAtMs: FOREVER_MS });
    await store.members.mute(others, ann.id, 5, ben);
    const { records, pages } = await read(ann);
    expect(Math.max(...pages)).toBeLessThanOrEqual(500);
    const told = records.filter((record) => record.type === "message");
    const order = (one: { room: string; position: string }) => `${one.position} ${one.room}`;
    expect(told.map(order)).toEqual(told.map(order).toSorted());
    expect(told.map(({ id }) => id).toSorted()).toEqual(said.map(({ id }) => id).toSorted());
    expect(told.find(({ id }) => id === said[0]?.id)).toMatchObject({ body: said[0]?.body });
    expect(records[0]).toMatchObject({
      type: "profile",
      user: ann,
      account: { email: emailOf(ann), isVerified: false },
    });
    const kinds = new Set(records.map(({ type }) => type));
    expect([...kinds].toSorted()).toEqual(
      [
        "block",
        "change",
        "invitation",
        "message",
        "profile",
        "read",
        "room",
        "session",
        "sign-in",
      ].toSorted(),
    );
    const changes = records.filter((record) => record.type === "change");
    expect(changes.find(({ action }) => action === "mute")).toMatchObject({
      aboutMe: true,
      byMe: false,
      room: others,
    });
    expect(new Set(changes.map((change) => JSON.stringify(change))).size).toBe(changes.length);
    const text = JSON.stringify(records);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain("not hers");
    expect(text).not.toContain(`"${ben.name}"`);
  });

  it("goes with the account: neither name nor address is anywhere, and what was said stays as it was", async () => {
    await signUp(ann);
    const [shared, alone] = [await room(ben, [ann]), await room(ann)];
    const direct = await store.rooms.openDirect(
      { id: newId(), slug: newId(), kind: "direct", name: "Direct", topic: "", archived: false },
      [ann, ben],
      ann,
    );
    const said = messages(shared, 30).map((event, n) => ({ ...event, user: n % 2 ? ben : ann }));
    await store.insertEvents(said);
    await store.moderation.block(ben, ann.id);
    await store.moderation.ban(alone, { user: ben, reason: "", untilMs: FOREVER_MS }, ann);
    await store.moderation.invite(alone, { code: newId(), role: "member", by: ann, expiresAtMs: FOREVER_MS });
    await store.readMarks.raise([{ user: ann.id, room: shared, position: said[3]?.position ?? ZERO }]);
    const personal = [ann.name, emailOf(ann), "a browser of hers"];
    await database.prisma.session.updateMany({
      where: { userId: ann.id },
      data: { userAgent: personal[2] ?? "" },
    });
    expect(await found(...personal)).toEqual(personal);

    expect(await accounts.deleteAccount(ann.id)).toEqual({
      isDeleted: true,
      ownerless: [],
      ownsServer: false,
    });
    expect(await store.erasure.eraseNames(10)).toBe(10);
    expect(await store.erasure.eraseNames(10)).toBe(5);
    expect(await store.erasure.eraseNames(10)).toBe(0);
    expect(await found(...personal)).toEqual([]);
    const nameless = said.map((event) => ({
      ...event,
      user: event.user.id === ann.id ? { id: ann.id, name: DELETED_NAME } : event.user,
    }));
    expect((await store.eventsAfter(shared, ZERO, 100)).events).toEqual(nameless);
    expect((await store.members.members(shared, { limit: 9 })).items.map(({ id }) => id)).toEqual([ben.id]);
    expect((await store.members.members(direct.id, { limit: 9 })).items.map(({ id }) => id)).toEqual([
      ben.id,
    ]);
    const [whereAlone] = await store.rooms.standings([[alone, ben.id]]);
    expect(whereAlone?.room.archived).toBe(true);
    const trail = (await store.changes.listChanges(undefined, { limit: 4 })).items;
    expect(trail.map(({ action }) => action).toSorted()).toEqual([
      "delete-account",
      "leave",
      "leave",
      "leave",
    ]);
    expect(new Set(trail.map(({ by }) => by.name))).toEqual(new Set([DELETED_NAME]));
    const subjects = (await accounts.revokedSince()).map(({ subject }) => subject);
    expect(subjects).toEqual(expect.arrayContaining([`user:${ann.id}`, `deleted:${ann.id}`]));
    await signUp({ id: newId(), name: "Ann again" }, emailOf(ann)); // the address is free
  });

  it("[C1] a record that comes after the deletion, or once more, is stored under no name; no difference and no conflict is seen", async () => {
    const said = messages(await room(ben, [ann]), 6).map((event) => ({ ...event, user: ann }));
    const [first, second, ...late] = said;
    if (!first || !second) throw new Error("no messages");
    await store.insertEvents([first, second]);
    await accounts.deleteAccount(ann.id);
    expect(await store.insertEvents([first, ...late])).toEqual({ inserted: 4, conflicts: [] });
    expect((await store.findEvent(first.room, late[0]?.id ?? ""))?.user).toEqual({
      id: ann.id,
      name: DELETED_NAME,
    });
    await new Erasure({ store, runtime: new SteppedRuntime(), logger }).look();
    expect(await store.insertEvents(said)).toEqual({ inserted: 0, conflicts: [] });
    const entries = said.map(({ id, position }) => ({ id, position }));
    expect((await store.storedAmong(first.room, entries)).size).toBe(6);
    const { events } = await store.eventsAfter(first.room, ZERO, 100);
    expect(events).toEqual(said.map((event) => ({ ...event, user: { id: ann.id, name: DELETED_NAME } })));
  });

  it("what a node that did not know yet writes afterwards goes at the next look", async () => {
    const shared = await room(ben);
    await accounts.deleteAccount(ann.id);
    await store.members.addMember(shared, ann, 100);
    await store.readMarks.raise([{ user: ann.id, room: shared, position: ZERO }]);
    await new Erasure({ store, runtime: new SteppedRuntime(), logger }).look();
    expect(await found(ann.name)).toEqual([]);
    expect((await store.members.members(shared, { limit: 9 })).items.map(({ id }) => id)).toEqual([ben.id]);
  });

  it("a room's only owner is told which rooms; of two who leave at once one stays; alone nothing holds", async () => {
    const shared = await room(ann, [ben]);
    const before = digestOf(await dump());
    expect(await accounts.deleteAccount(ann.id)).toEqual({
      isDeleted: false,
      ownerless: [`room of ${shared}`],
      ownsServer: false,
    });
    expect(digestOf(await dump())).toBe(before);
    const cyd: User = { id: newId(), name: "Cyd" };
    await store.members.setRole(shared, ben.id, "owner", ann);
    await store.members.addMember(shared, cyd, 100);
    const both = await Promise.all([ann.id, ben.id].map((id) => accounts.deleteAccount(id)));
    expect(both.filter(({ isDeleted }) => isDeleted)).toHaveLength(1);
    await store.members.removeMember(shared, cyd.id, cyd, { action: "leave" });
    for (const { id } of [ann, ben]) expect((await accounts.deleteAccount(id)).isDeleted).toBe(true);
    for (const { id } of [ann, ben]) expect((await accounts.deleteAccount(id)).isDeleted).toBe(true); // again
    const { items } = await store.changes.listChanges(undefined, { limit: 200 });
    expect(items.filter(({ action, by }) => action === "delete-account" && by.id === ann.id)).toHaveLength(1);
  });

  it("the server's owner goes only after another has it, or when nobody else has an account", async () => {
    const cyd: User = { id: newId(), name: `cyd-${newId()}` };
    await database.prisma.user.deleteMany();
    await signUp(ann);
    await signUp(cyd);
    expect(await accounts.claimOwner(ann.id)).toBe(true);
    expect(await accounts.deleteAccount(ann.id)).toMatchObject({ isDeleted: false, ownsServer: true });
    expect(await accounts.makeOwner(newId(), ben)).toBe(false);
    expect(await accounts.makeOwner(cyd.id, ben)).toBe(true);
    expect(await accounts.owner()).toBe(cyd.id);
    expect((await accounts.deleteAccount(ann.id)).isDeleted).toBe(true);
    expect((await accounts.deleteAccount(cyd.id)).isDeleted).toBe(true);
    expect(await accounts.owner()).toBeUndefined();
  });
}

let template: PgliteTemplate;
beforeAll(async () => void (template = await createPgliteTemplate()));
afterAll(() => template.remove());
describe("one's own data on PGlite", () => describeOwnData(() => template.open()));

describeEngine(["postgres"], "one's own data on PostgreSQL", ({ databaseUrl }) => {
  let world: PostgresWorld;
  beforeAll(async () => void (world = await createPostgresWorld(databaseUrl)));
  afterAll(() => world.close());
  describeOwnData(() => world.openDatabase());
});
