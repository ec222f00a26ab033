/** One node's core on engines in memory under stepped time, with hooks to lose, delay and refuse what passes between them. */
import { MemoryRoomStream, StreamMemory } from "../adapters/room-stream-memory.ts";
import type { Auth } from "../core/auth.ts";
import { DeletedUsers } from "../core/deleted-users.ts";
import { decodeEvent } from "../core/event.ts";
import type { EventLog, LogRecord } from "../core/event-log.ts";
import type { Frame } from "../core/frame.ts";
import { ChatNode } from "../core/node.ts";
import { ZERO, type Position } from "../core/position.ts";
import type { FeedListener, StreamEvent } from "../core/room-stream.ts";
import type { Session } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import { uuidV7 } from "../core/uuid.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { createMetrics } from "../lib/metrics.ts";
import { DEFAULT_LIMITS, LOBBY, type RoomEvent, type ServerFrame } from "../protocol.ts";
import { MemoryStore } from "./simulation/postgres.ts";
import { SteppedRuntime } from "./stepped-runtime.ts";

/** Runs before a call of the engine; what it throws is the call's answer. */
type Hook = (method: string) => unknown;

/** A log that a test can take away. What it took is stored at once, as by a consumer that is never behind. */
class HookedLog implements EventLog {
  readonly records: RoomEvent[] = [];
  before: Hook = () => {};
  readonly #store: (event: RoomEvent) => Promise<unknown>;

  constructor(store: (event: RoomEvent) => Promise<unknown>) {
    this.#store = store;
  }

  async append(records: readonly LogRecord[]): Promise<void> {
    await this.before("append");
    for (const { value } of records) {
      this.records.push(decodeEvent(value));
      await this.#store(decodeEvent(value));
    }
  }

  async ping(): Promise<void> {
    await this.before("ping");
  }

  async close(): Promise<void> {
    this.before = () => {};
  }
}

/** The memory's own connection, deaf to what a test names. */
class HookedStream extends MemoryRoomStream {
  isLost: (event: StreamEvent) => boolean = () => false;
  beforeRead: Hook = () => {};
  afterRead: Hook = () => {};

  override hear(room: string, fence: Position, event: StreamEvent): void {
    if (!this.isLost(event)) super.hear(room, fence, event);
  }

  override async readAfter(...args: Parameters<MemoryRoomStream["readAfter"]>) {
    await this.beforeRead("readAfter");
    return super.readAfter(...args);
  }

  override async readNewest(...args: Parameters<MemoryRoomStream["readNewest"]>) {
    await this.beforeRead("readNewest");
    const tail = await super.readNewest(...args);
    await this.afterRead("readNewest");
    return tail;
  }
}

/** Every token is the id of a user: signatures are made on other threads, whose time can't be stepped. */
export const auth: Auth = {
  verify: async (id) => ({ user: { id, name: "Ada" }, expiresAtMs: Number.MAX_SAFE_INTEGER, subjects: [] }),
  issueGuest: async () => Promise.reject(new Error("not asked for here")),
};

export class Member {
  readonly frames: ServerFrame[] = [];
  readonly session: Session;
  readonly #runtime: SteppedRuntime;
  #ref = 0;

  constructor(node: ChatNode, runtime: SteppedRuntime) {
    this.#runtime = runtime;
    this.session = node.openSession({
      send: (frame: Frame) => void this.frames.push(JSON.parse(frame.text) as ServerFrame),
      close: () => {},
    });
  }

  async ask(frame: object): Promise<ServerFrame> {
    const ref = ++this.#ref;
    this.session.receive(JSON.stringify({ ...frame, ref }));
    const answer = () => this.frames.find((it) => "ref" in it && it.ref === ref);
    await this.#runtime.until(answer, `an answer to ${JSON.stringify(frame)}`);
    return answer() as ServerFrame;
  }

  async send(body: string, more: object = {}): Promise<ServerFrame> {
    const since = this.headOf(LOBBY);
    return this.ask({ type: "send", room: LOBBY, id: uuidV7(this.#runtime), body, since, ...more });
  }

  of<Type extends ServerFrame["type"]>(type: Type): Extract<ServerFrame, { type: Type }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { type: Type }> => frame.type === type);
  }

  /** The cursor, as the frames so far give it. */
  headOf(room: string): Position {
    let head = ZERO;
    for (const frame of this.frames) {
      if ((frame.type === "joined" || frame.type === "reset") && frame.room === room) head = frame.head;
      if (frame.type === "event" && frame.room === room) head = frame.position;
    }
    return head;
  }

  /** What it shows of a room that it joined once: the last page and what came since. */
  shown(room: string): string[] {
    let shown: string[] = [];
    for (const frame of this.frames) {
      if (frame.type === "reset" && frame.room === room) shown = [];
      if (frame.type === "events" && frame.room === room) shown.push(...frame.events.map(({ body }) => body));
      if (frame.type === "event" && frame.room === room) shown.push(frame.body);
    }
    return shown;
  }
}

export function openRulesWorld() {
  const runtime = new SteppedRuntime();
  const memory = new StreamMemory(runtime);
  const stream = new HookedStream(memory);
  memory.connections.add(stream);
  const { store, hooks } = hooked(new MemoryStore(() => runtime.now()), runtime);
  const log = new HookedLog((event) => store.insertEvents([event]));
  const deletedUsers = new DeletedUsers();
  const deps = { stream, log, store, auth, deletedUsers, runtime, logger, limits: DEFAULT_LIMITS };
  const node = new ChatNode({
    ...deps,
    feed: stream satisfies { listen(listener: FeedListener): void },
    notices: stream,
    rates: { take: async () => {}, count: () => 0 },
    connectionsPerUserMax: 100,
    metrics: createMetrics(),
    heartbeatMs: 25_000,
    backlogMax: 1_000,
    real: new Set(),
  });
  return {
    runtime,
    memory,
    stream,
    store,
    storeHooks: hooks,
    log,
    node,
    deletedUsers,
    async member(rooms: readonly string[] = [LOBBY]): Promise<Member> {
      const member = new Member(node, runtime);
      await member.ask({ type: "auth", token: uuidV7(runtime) });
      for (const room of rooms) await member.ask({ type: "join", room });
      return member;
    },
    /** As a consumer that has stored everything the log held at this moment. */
    caughtUp: () => store.markCaughtUp([{ partition: 0, caughtUpAtMs: runtime.now() }], 1),
    close: () => node.close(),
  };
}

/** Counts what is under way, so that time waits for it, and runs the hook before each call. */
function hooked(target: Store, runtime: SteppedRuntime): { store: Store; hooks: { before: Hook } } {
  const hooks: { before: Hook } = { before: () => {} };
  let running = 0;
  runtime.isBusy = () => running > 0;
  const watched = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (_, name) => {
        const member: unknown = Reflect.get(part, name, part);
        if (typeof member !== "function")
          return typeof member === "object" && member ? watched(member) : member;
        return async (...args: unknown[]) => {
          running++;
          try {
            await hooks.before(String(name));
            return await (member.apply(part, args) as unknown);
          } finally {
            running--;
          }
        };
      },
    });
  const store = watched(target);
  return { store, hooks };
}
