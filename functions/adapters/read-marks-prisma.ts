/** Read marks on Prisma. */
import { fromBigInt } from "../core/position.ts";
import type { ReadMark, ReadMarkStore } from "../core/read-marks.ts";
import { checkTexts, type Ask } from "./prisma-ask.ts";

export class PrismaReadMarks implements ReadMarkStore {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async raise(marks: readonly ReadMark[]): Promise<readonly ReadMark[]> {
    if (marks.length === 0) return [];
    const users = marks.map(({ user }) => user);
    const rooms = marks.map(({ room }) => room);
    const positions = marks.map(({ position }) => position);
    checkTexts(...users, ...rooms);
    // In the order of the key, as every writer of several rows.
    const rows = await this.#ask(
      (prisma) => prisma.$queryRaw<{ user_id: string; room: string; position: bigint }[]>`
        INSERT INTO read_marks (user_id, room, position)
        SELECT user_id, room, max(position::bigint)
        FROM unnest(${users}::text[], ${rooms}::text[], ${positions}::text[]) AS given (user_id, room, position)
        GROUP BY 1, 2
        ORDER BY 1, 2
        ON CONFLICT (user_id, room) DO UPDATE SET position = greatest(read_marks.position, excluded.position)
        RETURNING user_id, room, position`,
    );
    return rows.map(({ user_id: user, room, position }) => ({ user, room, position: fromBigInt(position) }));
  }
}
