/**
 * Follows the trail of changes, so that one made on any node takes effect on this one: at once when a notice is heard,
 * and without any notice within `FOLLOW_MS` and the time of a question to the store.
 *
 * The trail is in the order of the statements' beginnings, and one that began early may end late. So each look reaches
 * back over what was seen already.
 */
import type { ServerFrame } from "../protocol.ts";
import type { Logger } from "../lib/logger.ts";
import type { Access } from "./access.ts";
import type { Audience } from "./audience.ts";
import { Frame } from "./frame.ts";
import type { Hub } from "./hub.ts";
import type { Notices } from "./notices.ts";
import {
  leftReasonOf,
  type Action,
  type Change,
  type ChangeStore,
  type Pair,
  type Standing,
} from "./room-store.ts";
import type { Cancel, Runtime } from "./runtime.ts";

/** G13 promises five seconds. */
const FOLLOW_MS = 1_500;
/** Longer than a statement may take; looked back over every `FOLLOW_MS`. */
const OVERLAP_MS = 30_000;
/** Looked back over at a notice: of what takes longer, the next look in time hears. */
const NOTICE_OVERLAP_MS = 1_000;
/** Notices that come within it are answered by one look. */
const NOTICE_PAUSE_MS = 20;

export interface FollowerDeps {
  readonly store: ChangeStore;
  readonly access: Access;
  readonly audience: Audience;
  readonly hub: Hub;
  readonly notices: Notices;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

interface Changed {
  readonly pair: Pair;
  /** Undefined: the room itself. */
  readonly change: Change | undefined;
}

export class Follower {
  readonly #deps: FollowerDeps;
  /** Ids of changes, and when they were seen. */
  readonly #seen = new Map<string, number>();
  #lookedAtMs: number;
  /** How far the next look reaches back beyond the last one. */
  #overlapMs = 0;
  /** The last look failed; that has been told. */
  #failing = false;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #cancelTimer: Cancel;
  #cancelNotice: Cancel | undefined;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
    this.#lookedAtMs = deps.runtime.elapsed();
    deps.notices.onNotice(() => {
      this.#cancelNotice ??= deps.runtime.after(NOTICE_PAUSE_MS, () => {
        this.#cancelNotice = undefined;
        void this.look(NOTICE_OVERLAP_MS);
      });
    });
    const again = () => deps.runtime.after(FOLLOW_MS, () => void this.look(OVERLAP_MS).then(restart));
    const restart = () => (this.#cancelTimer = again());
    this.#cancelTimer = again();
  }

  /** Something was changed here: resolves when it has taken effect on this node and others have been told. */
  async announce(): Promise<void> {
    this.#deps.notices.announce().catch((error: unknown) => {
      this.#deps.logger.warn("other nodes learn of a change only in time", { err: error });
    });
    await this.look(NOTICE_OVERLAP_MS);
  }

  /** Resolves when everything that was in the trail at the call has been applied. Never rejects: the next look makes good. */
  look(overlapMs: number): Promise<void> {
    this.#overlapMs = Math.max(this.#overlapMs, overlapMs);
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      return (this.#current = this.#look());
    });
    return this.#next;
  }

  /** A standing may have changed without the trail having it. */
  async recheck(pair: Pair): Promise<void> {
    const work = this.#current.then(() => this.#apply([{ pair, change: undefined }]));
    this.#current = work.catch(() => {}); // told to the caller
    await work;
  }

  close(): void {
    this.#cancelTimer();
    this.#cancelNotice?.();
  }

  async #look(): Promise<void> {
    const { store, runtime, logger } = this.#deps;
    const nowMs = runtime.elapsed();
    const withinMs = nowMs - this.#lookedAtMs + this.#overlapMs;
    this.#overlapMs = 0;
    try {
      const changes = await store.recentChanges(withinMs);
      const fresh = changes.filter(({ id }) => !this.#seen.has(id));
      await this.#apply(fresh.flatMap((change) => this.#concerned(change)));
      fresh.forEach(({ id }) => this.#seen.set(id, nowMs));
      this.#lookedAtMs = nowMs;
      this.#failing = false;
      for (const [id, seenMs] of this.#seen) {
        if (seenMs >= nowMs - 2 * OVERLAP_MS) break;
        this.#seen.delete(id);
      }
    } catch (error) {
      logger[this.#failing ? "debug" : "warn"]("the trail of changes can't be read now", { err: error });
      this.#failing = true;
    }
  }

  /** Whose standing a change may have changed, as far as this node has to do with it. */
  #concerned(change: Change): Changed[] {
    const { hub, audience, access } = this.#deps;
    const { room, user, by, action } = change;
    if (room === undefined) return [];
    if (user === undefined) {
      access.forget(room);
      return [...hub.usersIn(room)].map((id) => ({ pair: [room, id], change: undefined }));
    }
    const ids = action === "block" || action === "unblock" ? [user.id, by.id] : [user.id];
    return ids
      .filter((id) => hub.isOpen(room) || audience.of(id).size > 0 || access.known(room, id))
      .map((id) => ({ pair: [room, id], change }));
  }

  async #apply(changed: readonly Changed[]): Promise<void> {
    const { access, audience, hub } = this.#deps;
    // The last word about each.
    const byPair = [...new Map(changed.map((each) => [each.pair.join(" "), each])).values()];
    const standings = await access.refresh(byPair.map(({ pair }) => pair));
    byPair.forEach(({ pair: [room, user], change }, index) => {
      const standing = standings[index];
      const reason = leftReasonOf(change?.action, standing);
      for (const session of audience.of(user)) session.standingChanged(room, standing, reason);
      if (change?.user && isOfMembers(change.action))
        hub.tell(room, toMemberFrame(room, change.user, standing));
    });
  }
}

function isOfMembers(action: Action): boolean {
  return action !== "block" && action !== "unblock" && action !== "unban";
}

function toMemberFrame(
  room: string,
  { id, name }: { id: string; name: string },
  standing: Standing | undefined,
): Frame {
  const member = standing?.bannedUntilMs === 0 ? standing.member : undefined;
  const frame: ServerFrame = {
    type: "member",
    room,
    user: { id, name: member?.name ?? name },
    role: member?.role ?? null,
    ...(member && member.mutedUntilMs > 0 ? { mutedUntilMs: member.mutedUntilMs } : {}),
  };
  return Frame.of(frame);
}
