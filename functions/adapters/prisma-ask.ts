/** What the parts of the Prisma store share: asking, texts that can be stored, pages, and the trail of changes. */
import type { Action, Page, PageOf } from "../core/room-store.ts";
import { UnstorableError } from "../core/store.ts";
import { Prisma, type PrismaClient } from "../generated/prisma/client.ts";
import type { User } from "../protocol.ts";
import type { Database } from "./database.ts";
import { storeError } from "./store-errors.ts";

export type Ask = <T>(question: (prisma: PrismaClient) => Promise<T>) => Promise<T>;

/** NUL has no place in a Postgres text, and half a surrogate pair none in UTF-8: it would come back as another character. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

export function asking({ prisma }: Database): Ask {
  return async (question) => {
    try {
      return await question(prisma);
    } catch (error) {
      throw storeError(error);
    }
  };
}

export function checkTexts(...texts: readonly (string | undefined)[]): void {
  if (texts.some((text) => text !== undefined && UNSTORABLE.test(text))) {
    throw new UnstorableError("a text holds NUL or half a surrogate pair");
  }
}

/** The end of a statement: what the part `done (room, user, user_name)` before it has changed is noted in the trail. */
export function noted(by: User, action: Action, detail: object = {}): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO changes (room, "user", user_name, by, by_name, action, detail)
    SELECT room, "user", user_name, ${by.id}, ${by.name}, ${action}, ${JSON.stringify(detail)}::jsonb FROM done`;
}

/** The room's owners, held until the statement ends: of two that would take each other's part the second sees the first's work. */
export function heldOwners(room: string): Prisma.Sql {
  return Prisma.sql`
    owners AS (SELECT "user" FROM members WHERE room = ${room} AND role = 'owner' ORDER BY "user" FOR UPDATE)`;
}

/** Whether one of `owners` is left when this user is none any more. */
export function leavesOwner(user: string): Prisma.Sql {
  return Prisma.sql`
    ((SELECT count(*) FROM owners) <> 1 OR NOT EXISTS (SELECT FROM owners WHERE "user" = ${user}))`;
}

/** A page of rows of which one more than the limit was asked for. */
export function toPageOf<Row, Item>(
  rows: readonly Row[],
  { limit }: Page,
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => string,
): PageOf<Item> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(toItem),
    ...(rows.length > limit && last !== undefined ? { next: keyOf(last) } : {}),
  };
}

/** The key of rows that are in the order of time and id. */
export function timeKey({ at, id }: { at: Date; id: string }): string {
  return `${at.getTime()}.${id}`;
}

/** Any other text is a key before or behind everything, as a page that is empty shows. */
export function readTimeKey(key: string): { at: Date; id: string } {
  const [, ms = "0", id = ""] = /^(\d{1,14})\.([\w-]{1,64})$/.exec(key) ?? [];
  return { at: new Date(Number(ms)), id };
}
