/** Puts one node together from its ports: everything between the sockets and the engines. */
import type { Engine, Limits, RateName, User } from "../protocol.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { Access } from "./access.ts";
import { Audience } from "./audience.ts";
import type { Auth, Principal } from "./auth.ts";
import { Chat } from "./chat.ts";
import { DeletedUsers } from "./deleted-users.ts";
import type { EventLog } from "./event-log.ts";
import { Fences } from "./fences.ts";
import { Flusher } from "./flusher.ts";
import { Follower } from "./follower.ts";
import { Frame } from "./frame.ts";
import { Health, type Probe } from "./health.ts";
import { History } from "./history.ts";
import { Hub } from "./hub.ts";
import { Judge } from "./judge.ts";
import { Moderation } from "./moderation.ts";
import type { Notices } from "./notices.ts";
import { Pages } from "./pages.ts";
import type { RateLimiter } from "./rate-limits.ts";
import { ReadMarks } from "./read-marks.ts";
import type { Revoked } from "./revocations.ts";
import type { RoomFeed, RoomStream } from "./room-stream.ts";
import { Rooms } from "./rooms.ts";
import { sleep, type Runtime } from "./runtime.ts";
import { Session, type SessionDeps } from "./session.ts";
import { Settlement } from "./settlement.ts";
import type { Store } from "./store.ts";
import type { Transport } from "./transport.ts";

export interface NodeOptions {
  readonly stream: RoomStream;
  readonly feed: RoomFeed;
  readonly notices: Notices;
  readonly log: EventLog;
  readonly store: Store;
  readonly auth: Auth;
  /** Those who are not named any more; nobody where it is not given. */
  readonly deletedUsers?: DeletedUsers;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly rates: RateLimiter;
  /** Connections of one user that a node takes. */
  readonly connectionsPerUserMax: number;
  readonly heartbeatMs: number;
  /** As in `SessionDeps`. */
  readonly tokenGraceMs?: number;
  readonly backlogMax: number;
  /** Engines that are embedded can't be away. */
  readonly real: ReadonlySet<Engine>;
}

/** Sessions closed in one go while draining, and the pause after each. */
const DRAIN_BATCH = 50;
const DRAIN_PAUSE_MS = 50;
/** A drained client comes back after at least this, spread over as much again per thousand sessions. */
const RECONNECT_MS = 500;

export class ChatNode {
  readonly history: History;
  readonly access: Access;
  readonly rooms: Rooms;
  readonly moderation: Moderation;
  readonly #options: NodeOptions;
  readonly #hub: Hub;
  readonly #flusher: Flusher;
  readonly #health: Health;
  readonly #chat: Chat;
  readonly #audience = new Audience();
  readonly #follower: Follower;
  readonly #marks: ReadMarks;
  readonly #sessionDeps: SessionDeps;
  readonly #sessions = new Set<Session>();
  #draining = false;

  constructor(options: NodeOptions) {
    const { stream, feed, notices, log, store, runtime, metrics, logger, limits, backlogMax, real } = options;
    const { deletedUsers = new DeletedUsers() } = options;
    this.#options = options;
    const fences = new Fences({ stream, runtime, metrics, logger });
    const settlement = new Settlement(store, runtime, logger);
    const pages = new Pages(stream, store, fences, logger);
    const probes: Readonly<Record<Engine, Probe>> = {
      redis: () => stream.ping(),
      kafka: () => this.#flusher.probe(),
      postgres: () => store.ping(),
    };
    const asked = Object.fromEntries(Object.entries(probes).filter(([engine]) => real.has(engine as Engine)));
    this.#health = new Health({ probes: asked, runtime, metrics, logger });
    this.#hub = new Hub({
      stream,
      feed,
      pages,
      fences,
      settlement,
      deletedUsers,
      runtime,
      metrics,
      logger,
      health: this.#health,
    });
    this.#flusher = new Flusher({ log, stream, runtime, metrics, logger, backlogMax, health: this.#health });
    const judge = new Judge({ stream, store, fences, settlement, runtime });
    this.#chat = new Chat({ stream, fences, judge, flusher: this.#flusher, runtime, metrics });
    const isStoreAway = () => this.#health.down.includes("postgres");
    const isStreamAway = () => this.#health.down.includes("redis");
    this.history = new History({ stream, store, fences, deletedUsers, isStoreAway, isStreamAway });
    const { membersPerRoomMax } = limits;
    const access = new Access({ store, runtime, logger, membersPerRoomMax });
    const { hub, audience } = { hub: this.#hub, audience: this.#audience };
    const follower = new Follower({ store: store.changes, access, audience, hub, notices, runtime, logger });
    access.onChange = () => void follower.announce();
    access.onDecided = (pair) => follower.recheck(pair);
    const marks = new ReadMarks({ store: store.readMarks, audience, notices, runtime, logger });
    const verbs = { store, access, marks, runtime, limits, announce: () => follower.announce() };
    this.access = access;
    this.#follower = follower;
    this.#marks = marks;
    this.rooms = new Rooms(verbs);
    this.moderation = new Moderation(verbs, this.rooms);
    this.#sessionDeps = {
      ...options,
      chat: this.#chat,
      hub,
      access,
      audience,
      marks,
      health: this.#health,
      isDraining: () => this.#draining,
    };
  }

  /** Counts one against a limit of the user's; throws `rate_limited`. */
  admitUser(rate: RateName, user: User): Promise<void> {
    return this.#options.rates.take(rate, user.id);
  }

  /** Members have changed by another way than the verbs of rooms: resolves when that has taken effect here and others have been told. */
  membersChanged(): Promise<void> {
    return this.#follower.announce();
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** What keeps the node from being of use; empty when it is ready. */
  unready(): readonly string[] {
    return this.#draining ? ["draining"] : this.#health.down.filter((engine) => engine === "redis");
  }

  /** A new connection, of somebody whom its upgrade has proved. The caller hands its frames over and says when it has ended. */
  openSession(transport: Transport, principal?: Principal): Session {
    const session = new Session(transport, this.#sessionDeps, principal);
    this.#sessions.add(session);
    return session;
  }

  /** Closes the sessions that are here by something that was called back. */
  revoke(subjects: Revoked): void {
    for (const session of this.#sessions) if (session.isRevoked(subjects)) session.close("token_revoked");
  }

  closeSession(session: Session): void {
    session.ended();
    this.#sessions.delete(session);
  }

  /**
   * Sends everybody away, in paced batches and each with a time to come back, then waits for what was accepted to be saved
   * (G11). What is not saved by the deadline is in the streams, and the consumer brings it to the log.
   */
  async drain(deadlineMs: number): Promise<void> {
    const { runtime, logger } = this.#options;
    this.#draining = true;
    const endMs = runtime.elapsed() + deadlineMs;
    const sessions = [...this.#sessions];
    const batchMs = Math.min(DRAIN_PAUSE_MS, (deadlineMs / 2) * (DRAIN_BATCH / Math.max(1, sessions.length)));
    for (let start = 0; start < sessions.length; start += DRAIN_BATCH) {
      for (const session of sessions.slice(start, start + DRAIN_BATCH))
        this.#sendAway(session, sessions.length);
      if (start + DRAIN_BATCH < sessions.length) await sleep(runtime, batchMs);
    }
    const saved = this.#marks.save().catch((error: unknown) => {
      logger.debug("read marks were not stored", { err: error });
    });
    const drained = await this.#flusher.drained(Math.max(0, endMs - runtime.elapsed()));
    await Promise.race([saved, sleep(runtime, Math.max(0, endMs - runtime.elapsed()))]);
    if (!drained) logger.warn("messages are left to the consumer", { messages: this.#flusher.backlog });
  }

  close(): void {
    this.#follower.close();
    this.#marks.close();
    this.#hub.close();
    this.#flusher.close();
  }

  #sendAway(session: Session, count: number): void {
    const spreadMs = RECONNECT_MS * (1 + count / 1000);
    const afterMs = Math.round(RECONNECT_MS + this.#options.runtime.random() * spreadMs);
    session.send(Frame.of({ type: "reconnect", afterMs }));
    session.close("draining");
  }
}
