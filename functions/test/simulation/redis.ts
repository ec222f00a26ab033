/** Simulated Redis: the memory adapter as the server, and for each process a command and a subscriber connection that can fail. */
import { StreamMemory, type MemoryRoomStream } from "../../adapters/room-stream-memory.ts";
import type { Notices } from "../../core/notices.ts";
import type { ReadMark } from "../../core/read-marks.ts";
import type { Position } from "../../core/position.ts";
import type { FeedListener, RoomFeed, RoomOutbox, RoomStream, StreamEvent } from "../../core/room-stream.ts";
import type { Runtime } from "../../core/runtime.ts";
import { ChatError } from "../../lib/errors.ts";
import { Engine, Link, over } from "./link.ts";

const COMMAND_TIMEOUT_MS = 2_000;
const CANARY_TIMEOUT_MS = 1_000;

export interface RedisOptions {
  readonly world: Runtime;
  readonly latencyMs: number;
  readonly roomEntriesMax?: number;
}

export class SimulatedRedis extends Engine {
  readonly memory: StreamMemory;
  readonly options: RedisOptions;

  constructor(options: RedisOptions) {
    super();
    this.options = options;
    this.memory = new StreamMemory(options.world, { roomEntriesMax: options.roomEntriesMax ?? 100_000 });
  }

  connect(host: Runtime): RedisConnection {
    return new RedisConnection(this, host);
  }

  /** The process ends and another one starts, with these contents or none. */
  restart(contents?: StreamMemory["contents"]): void {
    this.crash();
    this.memory.restart(contents);
    this.isDown = false;
  }
}

/** What one process has: its commands, and the feed on a connection of its own. */
export class RedisConnection {
  readonly stream: RoomStream & RoomOutbox;
  readonly feed: SimulatedFeed;
  readonly #commands: Link;
  #session: MemoryRoomStream;

  constructor(redis: SimulatedRedis, host: Runtime) {
    this.#session = redis.memory.connect();
    this.#commands = new Link({
      ...redis.options,
      host,
      engine: redis,
      timeoutMs: COMMAND_TIMEOUT_MS,
      isOrdered: true,
      doesLateWork: true,
      // A new connection has opened no fence.
      onCut: () => {
        redis.memory.connections.delete(this.#session);
        this.#session = redis.memory.connect();
      },
    });
    this.stream = over(this.#commands, () => this.#session);
    this.feed = new SimulatedFeed(redis, host, this.#commands);
  }

  get links(): readonly [commands: Link, feed: Link] {
    return [this.#commands, this.feed.link];
  }

  close(): void {
    this.#commands.close();
    this.feed.close();
  }
}

export class SimulatedFeed implements RoomFeed, Notices {
  readonly link: Link;
  readonly #redis: SimulatedRedis;
  readonly #host: Runtime;
  readonly #commands: Link;
  readonly #wanted = new Set<string>();
  #session: MemoryRoomStream;
  #listener: FeedListener | undefined;
  #isSubscribed = true;
  #noticed: () => void = () => {};
  #heardReadMarks: (marks: readonly ReadMark[]) => void = () => {};

  constructor(redis: SimulatedRedis, host: Runtime, commands: Link) {
    this.#redis = redis;
    this.#host = host;
    this.#commands = commands;
    this.#session = this.#connect();
    this.link = new Link({
      ...redis.options,
      host,
      engine: redis,
      timeoutMs: COMMAND_TIMEOUT_MS,
      isOrdered: true,
      onCut: () => this.#disconnect(),
      onConnected: () => void this.#resubscribe(),
    });
  }

  listen(listener: FeedListener): void {
    this.#listener = listener;
  }

  async subscribe(room: string): Promise<void> {
    this.#wanted.add(room);
    if (!this.#isSubscribed) throw new ChatError("unavailable", "The feed is not connected.");
    const session = this.#session;
    await this.link.request(() => session.subscribe(room));
  }

  async unsubscribe(room: string): Promise<void> {
    this.#wanted.delete(room);
    const session = this.#session;
    if (this.#isSubscribed) await this.link.request(() => session.unsubscribe(room));
  }

  async announce(): Promise<void> {
    const session = this.#session;
    await this.#commands.request(() => session.announce());
  }

  onNotice(listener: () => void): void {
    this.#noticed = listener;
  }

  async announceReadMarks(marks: readonly ReadMark[]): Promise<void> {
    const session = this.#session;
    await this.#commands.request(() => session.announceReadMarks(marks));
  }

  onReadMarks(listener: (marks: readonly ReadMark[]) => void): void {
    this.#heardReadMarks = listener;
  }

  async probe(): Promise<void> {
    if (!this.#isSubscribed) return;
    let wasHeard: (isHeard: boolean) => void = () => {};
    const heard = new Promise<boolean>((resolve) => (wasHeard = resolve));
    const cancel = this.#host.after(CANARY_TIMEOUT_MS, () => wasHeard(false));
    try {
      await this.#commands.request(async () => this.link.push(() => wasHeard(true)));
      if (!(await heard)) this.link.cut();
    } finally {
      cancel();
    }
  }

  close(): void {
    this.link.close();
    this.#disconnect();
  }

  #connect(): MemoryRoomStream {
    const session = this.#redis.memory.connect();
    session.listen({
      onEvent: (room: string, fence: Position, event: StreamEvent) =>
        this.link.push(() => this.#listener?.onEvent(room, fence, event)),
      onInterrupted: () => {},
    });
    session.onNotice(() => this.link.push(() => this.#noticed()));
    session.onReadMarks((marks) => this.link.push(() => this.#heardReadMarks(marks)));
    return session;
  }

  #disconnect(): void {
    this.#isSubscribed = false;
    this.#redis.memory.connections.delete(this.#session);
  }

  async #resubscribe(): Promise<void> {
    const session = (this.#session = this.#connect());
    this.#isSubscribed = true;
    try {
      for (const room of this.#wanted) await this.link.request(() => session.subscribe(room));
      this.#listener?.onInterrupted();
      this.#noticed();
    } catch {
      this.link.cut(); // it was cut meanwhile, or does not answer: the next connection subscribes anew
    }
  }
}
