/**
 * Up to where people have read their rooms: told to all sessions of each at once, and written to the store together, a little later.
 *
 * Not on the log, for a room's events are everybody's and a mark is one person's. So nothing of the message path waits for
 * a mark, and one that is lost costs no more than reading it again: there are fewest when there is least room for them.
 */
import type { Logger } from "../lib/logger.ts";
import type { Attendant, Audience } from "./audience.ts";
import { Frame } from "./frame.ts";
import type { Notices } from "./notices.ts";
import type { Position } from "./position.ts";
import type { Cancel, Runtime } from "./runtime.ts";

export interface ReadMark {
  readonly user: string;
  readonly room: string;
  readonly position: Position;
}

/** Port. Errors as in `store.ts`. */
export interface ReadMarkStore {
  /** One statement: of each user and room the largest position stays. Answers what is in force now. Takes at least 1,000. */
  raise(marks: readonly ReadMark[]): Promise<readonly ReadMark[]>;
}

export interface ReadMarksDeps {
  readonly store: ReadMarkStore;
  readonly audience: Audience;
  readonly notices: Notices;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** Between two writes; other nodes hear of a mark when it is written. */
const WRITE_PAUSE_MS = 1_000;
const BATCH_MAX = 1_000;
/** Past it the marks that wait longest are dropped. */
const UNSAVED_MAX = 10_000;
/** Remembered; past it the oldest are forgotten, and a mark that is lower than one of them is put right by the store. */
const KNOWN_MAX = 100_000;

export class ReadMarks {
  readonly #deps: ReadMarksDeps;
  readonly #known = new Map<string, Position>();
  readonly #unsaved = new Map<string, ReadMark>();
  #cancelWrite: Cancel | undefined;
  #closed = false;

  constructor(deps: ReadMarksDeps) {
    this.#deps = deps;
    deps.notices.onReadMarks((marks) => marks.forEach((mark) => this.#hear(mark)));
  }

  /** The mark in force, as far as this node knows: the one that is given, unless it is below. `by` is not told again. */
  raise(mark: ReadMark, by: Attendant): Position {
    const key = keyOf(mark);
    const known = this.#known.get(key);
    if (known !== undefined && known >= mark.position) return known;
    this.#learn(mark, by);
    this.#unsaved.delete(key);
    keep(this.#unsaved, key, mark, UNSAVED_MAX);
    this.#writeLater();
    return mark.position;
  }

  /** Resolves when the store has what this user has read so far, or, without a user, what everybody has. */
  async save(user?: string): Promise<void> {
    const marks = [...this.#unsaved.values()].filter((mark) => user === undefined || mark.user === user);
    for (let start = 0; start < marks.length; start += BATCH_MAX)
      await this.#saveBatch(marks.slice(start, start + BATCH_MAX));
  }

  close(): void {
    this.#closed = true;
    this.#cancelWrite?.();
  }

  async #saveBatch(marks: readonly ReadMark[]): Promise<void> {
    const { store, notices, logger } = this.#deps;
    const inForce = await store.raise(marks);
    for (const mark of marks) if (this.#unsaved.get(keyOf(mark)) === mark) this.#unsaved.delete(keyOf(mark));
    inForce.forEach((mark) => this.#learn(mark));
    notices.announceReadMarks(inForce).catch((error: unknown) => {
      logger.debug("other nodes learn of read marks only from the store", { err: error });
    });
  }

  #writeLater(): void {
    if (this.#closed) return;
    this.#cancelWrite ??= this.#deps.runtime.after(WRITE_PAUSE_MS, () => void this.#write());
  }

  async #write(): Promise<void> {
    await this.save().catch((error: unknown) => {
      this.#deps.logger.debug("read marks can't be stored now", { err: error });
    });
    this.#cancelWrite = undefined;
    if (this.#unsaved.size > 0) this.#writeLater();
  }

  /** From another node, where it concerns this one. */
  #hear(mark: ReadMark): void {
    if (this.#deps.audience.of(mark.user).size > 0) this.#learn(mark);
  }

  #learn(mark: ReadMark, by?: Attendant): void {
    const { user, room, position } = mark;
    const known = this.#known.get(keyOf(mark));
    if (known !== undefined && known >= position) return;
    keep(this.#known, keyOf(mark), position, KNOWN_MAX);
    const frame = Frame.of({ type: "read", room, position });
    for (const session of this.#deps.audience.of(user)) if (session !== by) session.send(frame);
  }
}

function keyOf({ user, room }: ReadMark): string {
  return `${user} ${room}`;
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value, sizeMax: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > sizeMax && oldest !== undefined) map.delete(oldest);
}
