/**
 * A connection of a process to an engine, and everything that can go wrong on it: delay, cut, half open, a reply that is lost after
 * the work was done, an engine that is down, slow or frozen.
 *
 * It fails as the product's clients do: at once while there is no connection, by a time limit where no answer comes, and then the
 * outcome is unknown.
 */
import type { Runtime } from "../../core/runtime.ts";
import { ChatError } from "../../lib/errors.ts";

/** The state of an engine, as its connections meet it. */
export class Engine {
  isDown = false;
  isFrozen = false;
  /** Added to each answer, at most. */
  slowMs = 0;
  /** The chance that an answer is lost after the work was done, and the connection with it. */
  lostReplies = 0;
  /** The chance that a request is refused and nothing was done. */
  refusals = 0;
  readonly links = new Set<Link>();
  #thawed: (() => void)[] = [];

  crash(): void {
    this.isDown = true;
    this.#thawed = [];
    for (const link of this.links) link.cut();
  }

  freeze(): void {
    this.isFrozen = true;
  }

  thaw(): void {
    this.isFrozen = false;
    for (const task of this.#thawed.splice(0)) task();
  }

  /** Now, or when the engine is thawed. */
  whenAwake(task: () => void): void {
    if (this.isFrozen) this.#thawed.push(task);
    else task();
  }

  heal(): void {
    this.isDown = false;
    this.slowMs = this.lostReplies = this.refusals = 0;
    this.thaw();
    for (const link of this.links) link.isBlocked = link.isDeaf = false;
  }
}

export interface LinkOptions {
  /** Where the network and the engine live. */
  readonly world: Runtime;
  /** The process. */
  readonly host: Runtime;
  readonly engine: Engine;
  readonly latencyMs: number;
  readonly timeoutMs: number;
  /** One connection, in order both ways; else a pool, where each request goes its own way. */
  readonly isOrdered: boolean;
  /** What an engine gets late is done although its client gave up. */
  readonly doesLateWork?: boolean;
  readonly onCut?: () => void;
  readonly onConnected?: () => void;
}

interface Call {
  readonly work: () => Promise<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly deadlineMs: number;
}

/** What left in the same moment arrives in the same moment, as by pipelining. */
interface Packet<Item> {
  readonly atMs: number;
  readonly items: Item[];
}

const RECONNECT_MS_MAX = 500;

export class Link {
  readonly #options: LinkOptions;
  /** Calls without an answer yet, oldest first. */
  readonly #pending = new Set<Call>();
  #epoch = 0;
  #isUp = true;
  #isClosed = false;
  #isWatching = false;
  #lastArrivalMs = 0;
  #lastReturnMs = 0;
  #requests: Packet<Call> | undefined;
  /** What is held on the way, while something is. */
  #held: (() => void)[] | undefined;
  #replies: Packet<() => void> | undefined;
  /** Nothing gets through, in either direction, and nobody is told. */
  isBlocked = false;
  /** What the engine sends unasked is not heard until the connection is made anew. */
  isDeaf = false;
  /** The chance that something sent unasked is lost. */
  dropChance = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    options.engine.links.add(this);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Has the engine do `work`, and answers what it answered. */
  request<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return new Promise(() => {});
    if (!this.#isUp) return Promise.reject(unavailable("there is no connection"));
    const deadlineMs = this.#options.host.elapsed() + this.#options.timeoutMs;
    return new Promise<unknown>((resolve, reject) => {
      const call = { work, resolve, reject, deadlineMs };
      this.#pending.add(call);
      this.#watch();
      this.#send(call);
    }) as Promise<T>;
  }

  /** Something that the engine sends unasked. */
  push(task: () => void): void {
    if (this.isDeaf || (this.dropChance > 0 && this.#options.world.random() < this.dropChance)) return;
    this.#return(this.#epoch, task);
  }

  /** Requests are held on the way, until they are released. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) task();
  }

  /** What is under way is lost; a new connection follows as soon as the engine can be reached. */
  cut(): void {
    if (!this.#isUp || this.#isClosed) return;
    this.#isUp = false;
    this.#epoch++;
    this.#requests = this.#replies = undefined;
    this.#options.onCut?.();
    for (const call of [...this.#pending]) this.#fail(call, "the connection was cut");
    this.#reconnectLater();
  }

  /** The process has ended: whoever still waits waits for ever. */
  close(): void {
    this.#isClosed = true;
    this.#isUp = false;
    this.#epoch++;
    this.#pending.clear();
    this.#options.engine.links.delete(this);
  }

  #send(call: Call): void {
    const { world, isOrdered } = this.#options;
    const atMs = world.elapsed();
    if (isOrdered && this.#requests?.atMs === atMs) return void this.#requests.items.push(call);
    const packet = (this.#requests = { atMs, items: [call] });
    const epoch = this.#epoch;
    world.after(this.#arrivalMs(), () => {
      if (this.#requests === packet) this.#requests = undefined;
      this.#arrive(packet.items, epoch);
    });
  }

  #arrive(calls: readonly Call[], epoch: number): void {
    const { engine, doesLateWork } = this.#options;
    if (this.isBlocked || engine.isDown) return;
    if (this.#held) return void this.#held.push(() => this.#arrive(calls, epoch));
    engine.whenAwake(() => {
      if (epoch === this.#epoch || doesLateWork) for (const call of calls) this.#work(call, epoch);
    });
  }

  #work(call: Call, epoch: number): void {
    const { world, engine } = this.#options;
    if (engine.refusals > 0 && world.random() < engine.refusals)
      return this.#return(epoch, () => this.#fail(call, "the engine refused"));
    call.work().then(
      (answer) => this.#answer(epoch, () => this.#pending.delete(call) && call.resolve(answer)),
      (error: Error) => this.#answer(epoch, () => this.#pending.delete(call) && call.reject(error)),
    );
  }

  #answer(epoch: number, settle: () => void): void {
    const { world, host, engine, isOrdered } = this.#options;
    if (engine.lostReplies === 0 || world.random() >= engine.lostReplies) return this.#return(epoch, settle);
    if (isOrdered && epoch === this.#epoch) host.after(this.#latencyMs(), () => this.cut());
  }

  #return(epoch: number, task: () => void): void {
    if (epoch !== this.#epoch || this.isBlocked) return;
    const { world, host, isOrdered } = this.#options;
    const atMs = world.elapsed();
    if (isOrdered && this.#replies?.atMs === atMs) return void this.#replies.items.push(task);
    const packet = (this.#replies = { atMs, items: [task] });
    host.after(this.#returnMs(), () => {
      if (this.#replies === packet) this.#replies = undefined;
      if (epoch === this.#epoch) for (const item of packet.items) item();
    });
  }

  #fail(call: Call, why: string): void {
    if (this.#pending.delete(call)) call.reject(unavailable(why));
  }

  /** Looks after the oldest call: one that is over its time may stand for a connection that is half open. */
  #watch(): void {
    if (this.#isWatching) return;
    const { host, isOrdered } = this.#options;
    const [oldest] = this.#pending;
    if (!oldest) return;
    this.#isWatching = true;
    host.after(oldest.deadlineMs - host.elapsed(), () => {
      this.#isWatching = false;
      const nowMs = host.elapsed();
      const late = [...this.#pending].filter(({ deadlineMs }) => deadlineMs <= nowMs);
      for (const call of late) this.#fail(call, "no answer in time");
      if (late.length > 0 && isOrdered) this.cut();
      this.#watch();
    });
  }

  #reconnectLater(): void {
    const { host, engine } = this.#options;
    host.after(5 + host.random() * RECONNECT_MS_MAX, () => {
      if (this.#isClosed || this.#isUp) return;
      if (engine.isDown || engine.isFrozen || this.isBlocked) return this.#reconnectLater();
      this.#isUp = true;
      this.isDeaf = false;
      this.#options.onConnected?.();
    });
  }

  #latencyMs(): number {
    const { world, latencyMs, engine } = this.#options;
    return latencyMs === 0 ? 0 : latencyMs * (0.5 + world.random()) + engine.slowMs * world.random();
  }

  /** How long a request is on its way: not before the one that was sent before it. */
  #arrivalMs(): number {
    const nowMs = this.#options.world.elapsed();
    const atMs = nowMs + this.#latencyMs();
    if (!this.#options.isOrdered) return atMs - nowMs;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, atMs);
    return this.#lastArrivalMs - nowMs;
  }

  #returnMs(): number {
    const nowMs = this.#options.world.elapsed();
    const atMs = nowMs + this.#latencyMs();
    if (!this.#options.isOrdered) return atMs - nowMs;
    this.#lastReturnMs = Math.max(this.#lastReturnMs, atMs);
    return this.#lastReturnMs - nowMs;
  }
}

/** An engine's object as a process uses it: each of its methods, which must answer promises, is called over the link. */
export function over<T extends object>(link: Link, target: () => T): T {
  return new Proxy({} as T, {
    get: (_, name) => {
      if (name === "then") return undefined;
      return (...args: unknown[]) => {
        const present = target();
        const method: unknown = Reflect.get(present, name);
        if (typeof method !== "function") throw new Error(`${String(name)} is not a method`);
        return link.request(async () => (await Reflect.apply(method, present, args)) as unknown);
      };
    },
  });
}

function unavailable(why: string): ChatError {
  return new ChatError("unavailable", `The engine does not answer: ${why}.`, { retryAfterMs: 500 });
}
