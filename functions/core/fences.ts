/** The fences of all partitions as this node knows them, and the largest position it has seen anywhere (N1, N2). */
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import { max, ZERO, type Position } from "./position.ts";
import { partitionOf, StaleFenceError, type Fence, type RoomStream } from "./room-stream.ts";
import type { Runtime } from "./runtime.ts";
import { ChatError } from "../lib/errors.ts";

export interface FencesOptions {
  readonly stream: RoomStream;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export class Fences {
  readonly #options: FencesOptions;
  readonly #known = new Map<number, Fence>();
  readonly #opening = new Map<number, Promise<Fence>>();
  #floor: Position = ZERO;
  /** Told of every partition whose fence rose, after it is known. */
  onRaised: (partition: number, fence: Fence) => void = () => {};

  constructor(options: FencesOptions) {
    this.#options = options;
  }

  /** The largest position seen anywhere: no new one may be below it (S3). */
  get floor(): Position {
    return this.#floor;
  }

  saw(position: Position): void {
    if (position > this.#floor) this.#floor = position;
  }

  known(room: string): Fence | undefined {
    return this.#known.get(partitionOf(room));
  }

  /** The fence of a room's partition, found on the first call. */
  async of(room: string): Promise<Fence> {
    return this.known(room) ?? (await this.open(partitionOf(room)));
  }

  /** Asks for the fence again: after it was refused as stale, or when an event named a higher one. */
  open(partition: number, known = this.#known.get(partition)): Promise<Fence> {
    const running = this.#opening.get(partition);
    if (running) return running;
    const opening = this.#open(partition, known).finally(() => this.#opening.delete(partition));
    this.#opening.set(partition, opening);
    return opening;
  }

  /** As `open`, for one who can't wait: a failure is logged, and the next who asks opens again. */
  openLater(partition: number): void {
    this.open(partition).catch((error: unknown) => {
      this.#options.logger.debug("a fence can't be read now", { partition, err: error });
    });
  }

  /** The stream of a room is gone though its fence is there: a new fence above everything seen (N3). */
  async force(room: string, above: Position): Promise<Fence> {
    const partition = partitionOf(room);
    const memory = this.#known.get(partition)?.memory ?? "";
    return this.open(partition, {
      memory,
      position: max(above, this.#known.get(partition)?.position ?? ZERO),
    });
  }

  /** Asks the stream under the room's fence; a stale one is opened anew and the question is asked once more. */
  async read<T>(room: string, ask: (fence: Fence) => Promise<T>): Promise<T> {
    const fence = await this.of(room);
    try {
      return await ask(fence);
    } catch (error) {
      if (!(error instanceof StaleFenceError)) throw error;
      this.#options.metrics.staleFences.inc();
      const present = await this.open(error.partition);
      return ask(present).catch(unavailableWhenStale);
    }
  }

  async #open(partition: number, known: Fence | undefined): Promise<Fence> {
    const { stream, runtime, metrics, logger } = this.#options;
    const opening = { nowMs: runtime.now(), floor: this.#floor, ...(known ? { known } : {}) };
    const fence = await stream.open(partition, opening);
    const before = this.#known.get(partition);
    this.#known.set(partition, fence);
    if (before?.position === fence.position) return fence;
    metrics.fencesOpened.inc();
    logger.info(before ? "redis has a new memory" : "partition opened", { partition, fence: fence.position });
    if (before) this.onRaised(partition, fence);
    return fence;
  }
}

/** What a caller is told when the fence changed twice under one question. */
export function unavailableWhenStale(error: unknown): never {
  if (!(error instanceof StaleFenceError)) throw error;
  throw new ChatError("unavailable", "Redis has just come back; try again.", {
    cause: error,
    retryAfterMs: 200,
  });
}
