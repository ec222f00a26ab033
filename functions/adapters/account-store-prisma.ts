/** Owner, bots, revocations and one's own data on Prisma: the same statements on PostgreSQL and on PGlite. */
import type { Account, AccountStore, Bot, BotToken } from "../core/accounts.ts";
import { SCOPES, type Scope } from "../core/auth.ts";
import type { Deletion, OwnRecord } from "../core/own-data.ts";
import type { Revocation, RevocationStore } from "../core/revocations.ts";
import type { BotToken as BotTokenRow } from "../generated/prisma/client.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";
import type { Database } from "./database.ts";
import { PrismaErasure } from "./erasure-prisma.ts";
import { readOwnData } from "./own-data-prisma.ts";
import { asking, checkTexts, noted, type Ask } from "./prisma-ask.ts";

export class PrismaAccountStore implements AccountStore, RevocationStore {
  readonly #ask: Ask;
  readonly #erasure: PrismaErasure;

  constructor(database: Database) {
    this.#ask = asking(database);
    this.#erasure = new PrismaErasure(this.#ask);
  }

  async claimOwner(user: string): Promise<boolean> {
    await this.#ask((prisma) => prisma.owner.createMany({ data: [{ user }], skipDuplicates: true }));
    return (await this.owner()) === user;
  }

  async owner(): Promise<string | undefined> {
    return (await this.#ask((prisma) => prisma.owner.findFirst()))?.user;
  }

  async makeOwner(user: string, by: User): Promise<boolean> {
    checkTexts(user);
    const made = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH made AS (
          INSERT INTO owners (place, "user") SELECT 1, id FROM users WHERE id = ${user}
          ON CONFLICT (place) DO UPDATE SET "user" = excluded."user" RETURNING "user"
        ), done AS (SELECT NULL::text AS room, id AS "user", name AS user_name FROM users WHERE id IN (SELECT "user" FROM made))
        ${noted(by, "owner")}`,
    );
    return made > 0;
  }

  ownData(user: User): AsyncIterable<readonly OwnRecord[]> {
    return readOwnData(this.#ask, user);
  }

  deleteAccount(user: string): Promise<Deletion> {
    return this.#erasure.deleteAccount(user);
  }

  async accounts(): Promise<readonly Account[]> {
    const sessions = { where: { expiresAt: { gt: new Date() } } };
    const rows = await this.#ask((prisma) =>
      prisma.user.findMany({ include: { _count: { select: { sessions } } }, orderBy: { createdAt: "asc" } }),
    );
    return rows.map(({ id, name, email, emailVerified: isVerified, _count }) => ({
      id,
      name,
      email,
      isVerified,
      sessions: _count.sessions,
    }));
  }

  async endSessions(user: string, by: User): Promise<number> {
    checkTexts(user);
    const [row] = await this.#ask(
      (prisma) => prisma.$queryRaw<{ ended: number }[]>`
        WITH gone AS (DELETE FROM sessions WHERE user_id = ${user} RETURNING user_id), done AS (
          SELECT NULL::text AS room, id AS "user", name AS user_name FROM users WHERE id IN (SELECT user_id FROM gone)
        ), trail AS (${noted(by, "sign-out")}) SELECT count(*)::int AS ended FROM gone`,
    );
    return row?.ended ?? 0;
  }

  async bar(user: string, untilMs: number, by: User): Promise<void> {
    checkTexts(user);
    await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH barred AS (
          INSERT INTO revocations (subject, until) VALUES ('user:' || ${user}::text, ${new Date(untilMs)}::timestamptz)
          ON CONFLICT DO NOTHING RETURNING subject
        ), done AS (
          SELECT NULL::text AS room, ${user}::text AS "user",
            coalesce((SELECT name FROM users WHERE id = ${user}), '') AS user_name
          FROM barred
        ) ${noted(by, "bar")}`,
    );
  }

  async createBot({ id, name }: User, createdBy: string): Promise<void> {
    await this.#ask((prisma) => prisma.bot.create({ data: { id, name, createdBy } }));
  }

  async addBotToken(bot: string, { id, scopes, expiresAtMs }: BotToken, digest: string): Promise<void> {
    if ((await this.#ask((prisma) => prisma.bot.findUnique({ where: { id: bot } }))) === null) {
      throw new ChatError("unknown_bot", "There is no such bot.");
    }
    const expiresAt = expiresAtMs === undefined ? null : new Date(expiresAtMs);
    const data = { id, bot, digest, scopes: [...scopes], expiresAt };
    await this.#ask((prisma) => prisma.botToken.create({ data }));
  }

  async bots(): Promise<readonly Bot[]> {
    const rows = await this.#ask((prisma) =>
      prisma.bot.findMany({ include: { tokens: { orderBy: { id: "asc" } } }, orderBy: { id: "asc" } }),
    );
    return rows.map(({ id, name, createdBy, tokens }) => ({
      user: { id, name },
      createdBy,
      tokens: tokens.map(toToken),
    }));
  }

  async findBotToken(digest: string): Promise<{ user: User; token: BotToken } | undefined> {
    const row = await this.#ask((prisma) =>
      prisma.botToken.findUnique({ where: { digest }, include: { owner: true } }),
    );
    return row === null
      ? undefined
      : { user: { id: row.owner.id, name: row.owner.name }, token: toToken(row) };
  }

  async removeBotToken(id: string, by: User): Promise<boolean> {
    checkTexts(id);
    const removed = await this.#ask(
      (prisma) => prisma.$executeRaw`
        WITH gone AS (DELETE FROM bot_tokens WHERE id = ${id} RETURNING bot), done AS (
          SELECT NULL::text AS room, id AS "user", name AS user_name FROM bots WHERE id IN (SELECT bot FROM gone)
        ) ${noted(by, "revoke-token", { token: id })}`,
    );
    return removed > 0;
  }

  async revokedSince(atMs?: number): Promise<readonly Revocation[]> {
    const since = atMs === undefined ? {} : { at: { gte: new Date(atMs) } };
    const rows = await this.#ask((prisma) =>
      prisma.revocation.findMany({ where: { ...since, until: { gt: new Date() } } }),
    );
    return rows.map(({ subject, at, until }) => ({
      subject,
      atMs: at.getTime(),
      untilMs: until.getTime(),
    }));
  }

  async revoke(subject: string, untilMs: number): Promise<void> {
    const data = [{ subject, until: new Date(untilMs) }];
    await this.#ask((prisma) => prisma.revocation.createMany({ data, skipDuplicates: true }));
  }

  async forgetRevoked(): Promise<void> {
    await this.#ask((prisma) => prisma.revocation.deleteMany({ where: { until: { lt: new Date() } } }));
  }
}

function toToken({ id, scopes, expiresAt }: BotTokenRow): BotToken {
  const known = scopes.filter((scope): scope is Scope => (SCOPES as readonly string[]).includes(scope));
  return { id, scopes: known, ...(expiresAt === null ? {} : { expiresAtMs: expiresAt.getTime() }) };
}
