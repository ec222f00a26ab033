/** The trail of changes on Prisma: written by the statements that make them, read here. */
import type { Action, Change, ChangeStore, Page, PageOf } from "../core/room-store.ts";
import type { Change as Row } from "../generated/prisma/client.ts";
import { checkTexts, readTimeKey, timeKey, toPageOf, type Ask } from "./prisma-ask.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NIL = "00000000-0000-0000-0000-000000000000";

export class PrismaChanges implements ChangeStore {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async recentChanges(withinMs: number): Promise<readonly Change[]> {
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<Row[]>`
        SELECT id, at, room, "user", user_name AS "userName", by, by_name AS "byName", action, detail FROM changes
        WHERE at > now() - ${withinMs}::float * interval '1 millisecond' ORDER BY at, id`,
    );
    return rows.map(toChange);
  }

  async listChanges(room: string | undefined, page: Page): Promise<PageOf<Change>> {
    checkTexts(room, page.after);
    const { at, id: text } = readTimeKey(page.after ?? "");
    const id = UUID.test(text) ? text : NIL;
    const behind = page.after === undefined ? {} : { OR: [{ at: { lt: at } }, { at, id: { lt: id } }] };
    const where = { ...(room === undefined ? {} : { room }), ...behind };
    const rows = await this.#ask((prisma) =>
      prisma.change.findMany({ where, orderBy: [{ at: "desc" }, { id: "desc" }], take: page.limit + 1 }),
    );
    return toPageOf(rows, page, toChange, timeKey);
  }
}

function toChange({ id, at, room, user, userName, by, byName, action, detail }: Row): Change {
  return {
    id,
    atMs: at.getTime(),
    ...(room === null ? {} : { room }),
    ...(user === null ? {} : { user: { id: user, name: userName ?? "" } }),
    by: { id: by, name: byName },
    action: action as Action,
    detail: detail as Record<string, unknown>,
  };
}
