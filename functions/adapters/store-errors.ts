/** What an error of Prisma or its drivers means for the caller: never storable, or try again. */
import { UnstorableError } from "../core/store.ts";
import { ChatError } from "../lib/errors.ts";

/** Classes of SQLSTATE that name the data itself: data exception, constraint violation, a limit of the program exceeded. */
const DATA_CLASSES = new Set(["22", "23", "54"]);
/** No partition takes the row, or the default one must not: that is mended by making the period. No other table has such a condition. */
const CHECK_VIOLATION = "23514";

/**
 * Everything that does not name the data is `unavailable`: connection and time limits, shutdown, deadlock, a full disk, and also a
 * missing table or right, since those are mended in the database while the caller waits.
 */
export function storeError(error: unknown): Error {
  const state = sqlStateOf(error);
  if (state !== undefined && state !== CHECK_VIOLATION && DATA_CLASSES.has(state.slice(0, 2))) {
    return new UnstorableError(`the database refused the data (SQLSTATE ${state})`, { cause: error });
  }
  return new ChatError("unavailable", "The store does not answer.", { cause: error });
}

/** Prisma puts the driver's error into `meta.driverAdapterError`, and the database's own code into that one's `cause`. */
function sqlStateOf(error: unknown): string | undefined {
  const cause = field(field(field(error, "meta"), "driverAdapterError"), "cause") ?? field(error, "cause");
  const code = field(cause, "originalCode") ?? field(cause, "code");
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
