/** The sessions of each user on this node. */
import type { LeftReason } from "../protocol.ts";
import type { Frame } from "./frame.ts";
import type { Standing } from "./room-store.ts";

/** A session, as changes of rooms and read marks see it. */
export interface Attendant {
  /** How its user now stands to a room; `reason` says why where it may not read it any more. */
  standingChanged(room: string, standing: Standing | undefined, reason: LeftReason): void;
  send(frame: Frame): void;
}

export class Audience {
  readonly #byUser = new Map<string, Set<Attendant>>();

  add(user: string, session: Attendant): void {
    const sessions = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, sessions.add(session));
  }

  delete(user: string, session: Attendant): void {
    const sessions = this.#byUser.get(user);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byUser.delete(user);
  }

  of(user: string): ReadonlySet<Attendant> {
    return this.#byUser.get(user) ?? NOBODY;
  }
}

const NOBODY: ReadonlySet<Attendant> = new Set();
