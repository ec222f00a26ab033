/** The limit of every writer: COPY by the same driver into the same table with the same indexes, as many rows a statement as fit it well. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from } from "pg-copy-streams";
import type { RoomEvent } from "../functions/protocol.ts";
import { makeEvents } from "./records.ts";
import type { Stage } from "./stage.ts";

const ROWS_PER_STATEMENT = 2_000;
const INTO = "COPY events (room, position, prev, kind, id, user_id, user_name, body) FROM STDIN";

/** Answers how long it took, in ms. Making the events is not timed, writing them as text is. */
export async function copyRows({ client }: Stage, count: number): Promise<number> {
  const events = makeEvents(count);
  const startMs = performance.now();
  for (let start = 0; start < count; start += ROWS_PER_STATEMENT) {
    const text = events
      .slice(start, start + ROWS_PER_STATEMENT)
      .map(lineOf)
      .join("");
    await pipeline(Readable.from([text]), client.query(from(INTO)));
  }
  return performance.now() - startMs;
}

/** Nothing in these events needs escaping. */
function lineOf({ room, position, prev, kind, id, user, body }: RoomEvent): string {
  return `${[room, position, prev, kind, id, user.id, user.name, body].join("\t")}\n`;
}
