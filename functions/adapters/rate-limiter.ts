/** Rate limits by rate-limiter-flexible: on Redis for all nodes, in memory for one, and in memory while Redis is away. */
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type IRateLimiterOptions,
  type RateLimiterAbstract,
} from "rate-limiter-flexible";
import type { Redis } from "ioredis";
import { readWindows, type RateLimiter, type Window } from "../core/rate-limits.ts";
import type { Runtime } from "../core/runtime.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { Limits, RateName } from "../protocol.ts";
import { connectRedis, type RedisTarget } from "./redis-connection.ts";
import { redisNames } from "./redis-names.ts";

/** Part of the points that a node counts by itself before it tells the others. */
const OWN_PART = 0.1;
const REPORT_MS = 200;
/** A Redis that takes longer is taken as away: nobody waits for a counter. */
const ANSWER_MS = 250;

export interface RateLimiterOptions {
  readonly rates: Limits["rates"];
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** Absent: this process counts alone. */
  readonly redis?: RedisTarget & { readonly stage: string };
}

interface Count {
  points: number;
  untilMs: number;
}

export class FlexibleRateLimiter implements RateLimiter {
  readonly #windows: Readonly<Record<string, readonly Window[]>>;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #client: Redis | undefined;
  readonly #limiters = new Map<string, readonly RateLimiterAbstract[]>();
  /** By rate and key: what this node counted in the present window. */
  readonly #counts = new Map<string, Count>();
  readonly #unreported = new Map<string, { rate: RateName; key: string; points: number }>();
  readonly #blockedUntilMs = new Map<string, number>();
  /** There is one while anything is counted. */
  #hasTimer = false;

  constructor({ rates, runtime, logger, redis }: RateLimiterOptions) {
    this.#windows = Object.fromEntries(
      Object.entries(rates).map(([rate, text]) => [rate, readWindows(text)]),
    );
    this.#runtime = runtime;
    this.#logger = logger;
    this.#client = redis && connectRedis(redis, { commandTimeout: ANSWER_MS });
    this.#client?.on("error", (err: Error) => logger.debug("rate limits are this node's own", { err }));
    for (const [rate, windows] of Object.entries(this.#windows)) {
      const prefix = redis ? redisNames(redis.stage).rate(rate) : rate;
      this.#limiters.set(
        rate,
        windows.map((window) => this.#limiter(prefix, window)),
      );
    }
  }

  async take(rate: RateName, key: string): Promise<void> {
    for (const limiter of this.#limiters.get(rate) ?? []) {
      const waitMs = await consume(limiter, key, 1);
      if (waitMs > 0) throw tooOften(waitMs);
    }
  }

  count(rate: RateName, key: string): number {
    const [window] = this.#windows[rate] ?? [];
    if (!window) return 0;
    const id = `${rate} ${key}`;
    const nowMs = this.#runtime.elapsed();
    const blockedMs = (this.#blockedUntilMs.get(id) ?? 0) - nowMs;
    if (blockedMs > 0) return Math.ceil(blockedMs);
    const count = this.#countOf(id, window, nowMs);
    count.points += 1;
    if (count.points > window.points) return Math.ceil(count.untilMs - nowMs);
    this.#note(id, rate, key, count.points);
    return 0;
  }

  close(): void {
    this.#client?.disconnect();
  }

  #limiter(keyPrefix: string, { points, seconds: duration }: Window): RateLimiterAbstract {
    const options: IRateLimiterOptions = { keyPrefix: `${keyPrefix}:${duration}`, points, duration };
    if (!this.#client) return new RateLimiterMemory(options);
    const insuranceLimiter = new RateLimiterMemory(options);
    return new RateLimiterRedis({
      ...options,
      storeClient: this.#client,
      rejectIfRedisNotReady: true,
      insuranceLimiter,
    });
  }

  #countOf(id: string, { seconds }: Window, nowMs: number): Count {
    const count = this.#counts.get(id);
    if (count && count.untilMs > nowMs) return count;
    const begun = { points: 0, untilMs: nowMs + seconds * 1000 };
    this.#counts.set(id, begun);
    return begun;
  }

  /** From its own part on, a count is told to the others: first all of it, then each one more. */
  #note(id: string, rate: RateName, key: string, points: number): void {
    const ownPoints = Math.floor((this.#windows[rate]?.[0]?.points ?? 0) * OWN_PART);
    if (points > ownPoints) {
      const more = points === ownPoints + 1 ? points : 1;
      const told = this.#unreported.get(id)?.points ?? 0;
      this.#unreported.set(id, { rate, key, points: told + more });
    }
    if (this.#hasTimer) return;
    this.#hasTimer = true;
    this.#runtime.after(REPORT_MS, () => void this.#tell());
  }

  async #tell(): Promise<void> {
    const unreported = [...this.#unreported];
    this.#unreported.clear();
    await Promise.all(
      unreported.map(async ([id, { rate, key, points }]) => {
        const [limiter] = this.#limiters.get(rate) ?? [];
        const waitMs = limiter ? await consume(limiter, key, points) : 0;
        if (waitMs > 0) this.#blockedUntilMs.set(id, this.#runtime.elapsed() + waitMs);
      }),
    ).catch((error: unknown) => this.#logger.warn("messages were not counted", { err: error }));
    this.#forget();
  }

  #forget(): void {
    const nowMs = this.#runtime.elapsed();
    for (const [id, untilMs] of this.#blockedUntilMs) if (untilMs <= nowMs) this.#blockedUntilMs.delete(id);
    for (const [id, { untilMs }] of this.#counts) if (untilMs <= nowMs) this.#counts.delete(id);
    this.#hasTimer = this.#counts.size > 0;
    if (this.#hasTimer) this.#runtime.after(REPORT_MS, () => void this.#tell());
  }
}

/** 0, or the milliseconds until the key may again. */
async function consume(limiter: RateLimiterAbstract, key: string, points: number): Promise<number> {
  try {
    await limiter.consume(key, points);
    return 0;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, Math.ceil(refusal.msBeforeNext));
    throw refusal;
  }
}

function tooOften(retryAfterMs: number): ChatError {
  return new ChatError("rate_limited", "Too often: wait.", { retryAfterMs });
}
