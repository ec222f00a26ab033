/** Fills a room of the real table with messages, one a millisecond until now, by SQL alone. */
import type pg from "pg";
import { fromMs, toBigInt } from "../functions/core/position.ts";

export interface FilledRoom {
  readonly id: string;
  readonly rows: number;
  readonly lowest: bigint;
  readonly highest: bigint;
  readonly fillSeconds: number;
}

const ROWS_PER_STATEMENT = 500_000;

/** Ids rise with time as those of clients do; parameters: room, first and last number of the chunk, milliseconds of number 0. */
const FILL = `INSERT INTO events (room, position, prev, kind, id, user_id, user_name, body)
  SELECT $1, ($4::bigint + n) << 20, ($4::bigint + n - 1) << 20, 'message',
    (lpad(to_hex($4::bigint + n), 12, '0') || '70008' || left(md5(n::text), 15))::uuid,
    'bench', 'bench', repeat('x', 150)
  FROM generate_series($2::bigint, $3::bigint) AS n`;

export async function fillRoom(client: pg.Client, id: string, rows: number): Promise<FilledRoom> {
  const startMs = performance.now();
  const zeroMs = Date.now() - rows;
  for (let done = 0; done < rows; done += ROWS_PER_STATEMENT) {
    await client.query(FILL, [id, done + 1, Math.min(rows, done + ROWS_PER_STATEMENT), zeroMs]);
  }
  // What would otherwise run in the midst of the measurement.
  await client.query("VACUUM (ANALYZE) events");
  await client.query("CHECKPOINT");
  const [lowest, highest] = [toBigInt(fromMs(zeroMs + 1)), toBigInt(fromMs(zeroMs + rows))];
  return { id, rows, lowest, highest, fillSeconds: (performance.now() - startMs) / 1000 };
}
