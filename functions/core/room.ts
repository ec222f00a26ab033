/**
 * One room that is open on this node: it hears the feed, keeps the newest events, mends holes and tells its members.
 *
 * Every member's cursor is the room's `pos`: it got everything up to there when it joined, and each event since (N3).
 */
import type { ResetReason } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { DeletedUsers } from "./deleted-users.ts";
import type { Fences } from "./fences.ts";
import { Frame } from "./frame.ts";
import { links, RESUME_BYTES_MAX, type Missed, type Pages } from "./pages.ts";
import { ZERO, type Position } from "./position.ts";
import { Ring } from "./ring.ts";
import { partitionOf, type RoomFeed, type StreamEvent } from "./room-stream.ts";
import type { Settlement } from "./settlement.ts";

/** A session, as its rooms see it. */
export interface Member {
  readonly userId: string;
  send(frame: Frame): void;
  /** Whether it still is to hear a room: asked when its join has been read, right before it is told anything. */
  hears(room: string): boolean;
}

export interface RoomDeps {
  readonly feed: RoomFeed;
  readonly pages: Pages;
  readonly fences: Fences;
  readonly settlement: Settlement;
  readonly deletedUsers: DeletedUsers;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

type MissedHere = Missed | { readonly source: "ring"; readonly events: readonly StreamEvent[] };

interface Held {
  readonly fence: Position;
  readonly event: StreamEvent;
}

/** Events held back while a room loads; past it the feed is taken as interrupted and the room loads again. */
const HELD_MAX = 10_000;

export class Room {
  readonly id: string;
  readonly partition: number;
  readonly members = new Set<Member>();
  readonly #deps: RoomDeps;
  #ring = new Ring([], true);
  #fence: Position = ZERO;
  #pos: Position = ZERO;
  #provisional = true;
  #live = false;
  /** What is going on: a load or a repair. Events are held back meanwhile. */
  #work: Promise<void> | undefined;
  #loadAgain = false;
  #held: Held[] = [];
  /** Joins that are not answered yet. */
  readonly #joining = new Set<Member>();

  constructor(id: string, deps: RoomDeps) {
    this.id = id;
    this.partition = partitionOf(id);
    this.#deps = deps;
  }

  get pos(): Position {
    return this.#pos;
  }
  get isLive(): boolean {
    return this.#live;
  }
  get isProvisional(): boolean {
    return this.#provisional;
  }
  get isBusy(): boolean {
    return this.#work !== undefined;
  }

  /** Whose sessions have joined it, or are joining it. */
  get userIds(): ReadonlySet<string> {
    const listeners = [...this.members, ...this.#joining].filter((member) => member.hears(this.id));
    return new Set(listeners.map(({ userId }) => userId));
  }

  /** Nobody needs it: it may be closed. */
  get isIdle(): boolean {
    return this.members.size === 0 && this.#joining.size === 0 && this.#work === undefined;
  }

  /** Resolves when the room is loaded; rejects with `unavailable` when it can't be now. */
  async ready(): Promise<void> {
    if (this.#live && !this.#loadAgain) return;
    await this.load("fence");
    if (!this.#live)
      throw new ChatError("unavailable", "The room can't be loaded now.", { retryAfterMs: 500 });
  }

  /** Answers a join: the frames that bring the member to the room's cursor, and from then on every event. Nothing, if it may not hear them any more. */
  async join(member: Member, ref: number | undefined, after: Position | undefined): Promise<void> {
    this.#joining.add(member);
    try {
      await this.#join(member, ref, after);
    } finally {
      this.#joining.delete(member);
    }
  }

  async #join(member: Member, ref: number | undefined, after: Position | undefined): Promise<void> {
    await this.ready();
    const missed = after === undefined ? undefined : await this.#missed(after);
    if (!this.#live) await this.ready();
    if (!member.hears(this.id)) return;
    // No await between what is read here and the membership: nothing can fall in between.
    this.members.add(member);
    if (after === undefined || missed === undefined) return this.#sendPage(member, "joined", ref);
    const events = this.#completed(after, missed);
    if (typeof events === "string") {
      this.#deps.metrics.resumes.inc({ source: "reset" });
      return this.#sendPage(member, "reset", ref, events);
    }
    if (typeof missed === "object") this.#deps.metrics.resumes.inc({ source: missed.source });
    member.send(
      Frame.of({
        type: "joined",
        ...refOf(ref),
        room: this.id,
        head: this.#pos,
        complete: false,
        provisional: this.#provisional,
      }),
    );
    member.send(this.#eventsFrame(events));
  }

  /** An event from the feed. */
  hear(fence: Position, event: StreamEvent): void {
    if (this.#work === undefined && this.#live) return this.#apply(fence, event);
    this.#held.push({ fence, event });
    if (this.#held.length <= HELD_MAX) return;
    this.#held = [];
    this.#loadAgain = true;
  }

  /** The fence of the partition rose: everything here is from before (N2). */
  fenceRaised(fence: Position): void {
    if (fence === this.#fence) return;
    this.#background(this.load("fence"));
  }

  /** The head and fence that the stream has, asked when the room was at `posThen` (N3). */
  compare(head: Position, posThen: Position): void {
    if (!this.#live || this.#work) return;
    if (head < posThen) return this.#vanished();
    if (head <= this.#pos) return;
    this.#deps.metrics.gaps.inc({ kind: "lost_head" });
    this.#background(this.#repair(head));
  }

  /** The settled page after a provisional one (N8). */
  async settle(): Promise<void> {
    await this.load("settled");
  }

  /** Reads the newest page anew; members are told by a `reset`. Never rejects: a failed load is tried again by the sweep. */
  load(reason: ResetReason): Promise<void> {
    if (this.#work) {
      this.#loadAgain = true;
      return this.#work;
    }
    return this.#doWork(() => this.#load(reason));
  }

  async #load(reason: ResetReason): Promise<void> {
    const { feed, pages, fences, settlement, logger } = this.#deps;
    try {
      await feed.subscribe(this.id);
      const { position: fence } = await fences.of(this.id);
      // Asked before the page is read: what is stored after the page may be what it lacks.
      const isSettled = await settlement.check(fence);
      const page = await pages.newest(this.id);
      // The fence rose while the page was read: the page is from before.
      if (fences.known(this.id)?.position !== page.fence.position) return void (this.#loadAgain = true);
      this.#loadAgain = false;
      this.#ring = new Ring(page.events, page.complete);
      this.#fence = page.fence.position;
      this.#pos = page.head;
      this.#provisional = !(page.whole && isSettled && page.fence.position === fence);
      this.#live = true;
      fences.saw(page.head);
      for (const member of this.members) this.#sendPage(member, "reset", undefined, reason);
    } catch (error) {
      this.#live = false;
      logger.warn("the room can't be loaded now", { room: this.id, err: error });
    }
  }

  /** One load or repair at a time; then what was held back meanwhile. */
  #doWork(task: () => Promise<void>): Promise<void> {
    this.#work = task().finally(() => {
      this.#work = undefined;
      if (this.#live && this.#loadAgain) return this.load("fence");
      if (this.#live) this.#release();
      return undefined;
    });
    return this.#work;
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const { fence, event } of held) this.hear(fence, event);
  }

  #apply(fence: Position, event: StreamEvent): void {
    if (fence > this.#fence) {
      this.#held.push({ fence, event });
      this.#background(this.#doWork(() => this.#learnFence()));
      return;
    }
    if (event.position <= this.#pos) return;
    if (event.prev === this.#pos) return this.#advance(event);
    if (event.prev < this.#pos) return this.#vanished();
    this.#deps.metrics.gaps.inc({ kind: "hole" });
    this.#held.push({ fence, event });
    this.#background(this.#repair(event.position));
  }

  #advance(event: StreamEvent): void {
    this.#pos = event.position;
    this.#deps.fences.saw(event.position);
    this.#ring.push(event);
    const frame = new Frame(this.#deps.deletedUsers.told(event.json));
    for (const member of this.members) member.send(frame);
    this.#deps.metrics.eventsDelivered.inc(this.members.size);
  }

  /** An event was appended under a fence that this node does not know. Its other rooms learn of it by the same way. */
  async #learnFence(): Promise<void> {
    await this.#deps.fences.open(this.partition).catch((error: unknown) => {
      this.#deps.logger.warn("the new fence can't be read now", { room: this.id, err: error });
    });
    this.#loadAgain = true;
  }

  /** Reads what the feed did not bring. What does not link on is answered by a reset. */
  #repair(upTo: Position): Promise<void> {
    return this.#doWork(async () => {
      const { pages, metrics, logger } = this.#deps;
      try {
        const missed = await pages.since(this.id, this.#pos, upTo);
        metrics.repairs.inc({ source: typeof missed === "string" ? "reset" : missed.source });
        if (typeof missed === "string") return void (await this.#load("gap"));
        for (const event of missed.events) if (event.prev === this.#pos) this.#advance(event);
      } catch (error) {
        logger.warn("a hole can't be mended now", { room: this.id, err: error });
        this.#live = false;
      }
    });
  }

  /** The stream is behind what was shown: it is gone, though the fence is not. Only a new fence makes that known to all. */
  #vanished(): void {
    this.#deps.metrics.gaps.inc({ kind: "vanished" });
    this.#background(
      this.#doWork(async () => {
        await this.#deps.fences.force(this.id, this.#pos).catch((error: unknown) => {
          this.#deps.logger.warn("no new fence can be set now", { room: this.id, err: error });
        });
        this.#loadAgain = true;
      }),
    );
  }

  /** What a resume has missed so far, or why it can't be whole. */
  async #missed(after: Position): Promise<MissedHere | ResetReason> {
    if (after < this.#fence) return "fence";
    if (after === this.#pos) return { source: "ring", events: [] };
    const events = this.#ring.since(after);
    if (events) return { source: "ring", events };
    return this.#deps.pages.since(this.id, after, this.#pos);
  }

  /** The missed events and what came while they were read, exactly up to `pos`. */
  #completed(after: Position, missed: MissedHere | ResetReason): readonly StreamEvent[] | ResetReason {
    if (after < this.#fence) return "fence";
    if (typeof missed === "string") return missed;
    const known = missed.events.filter(({ position }) => position <= this.#pos);
    const cursor = known.at(-1)?.position ?? after;
    const since = cursor === this.#pos ? [] : this.#ring.since(cursor);
    const events = since && [...known, ...since];
    if (!events || !links(after, events, this.#pos)) return "gap";
    const bytes = events.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
    return bytes > RESUME_BYTES_MAX ? "too_far" : events;
  }

  #sendPage(member: Member, type: "joined", ref: number | undefined): void;
  #sendPage(member: Member, type: "reset", ref: number | undefined, reason: ResetReason): void;
  #sendPage(
    member: Member,
    type: "joined" | "reset",
    ref: number | undefined,
    reason: ResetReason = "fence",
  ): void {
    if (type === "reset") this.#deps.metrics.resets.inc({ reason });
    const { events, complete } = this.#ring.newest();
    const page = { ...refOf(ref), room: this.id, head: this.#pos, complete, provisional: this.#provisional };
    member.send(Frame.of(type === "joined" ? { type, ...page } : { type, reason, ...page }));
    member.send(this.#eventsFrame(events));
  }

  /** The events' own JSON, put together without parsing it. */
  #eventsFrame(events: readonly StreamEvent[]): Frame {
    const told = events.map(({ json }) => this.#deps.deletedUsers.told(json));
    return new Frame(`{"type":"events","room":${JSON.stringify(this.id)},"events":[${told.join(",")}]}`);
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.#deps.logger.error("work on a room failed", { room: this.id, err: error }),
    );
  }
}

function refOf(ref: number | undefined): { ref?: number } {
  return ref === undefined ? {} : { ref };
}
