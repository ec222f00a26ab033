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
import { COMMON_PARTITION, redisNames } from "./redis-names.ts";
import { oneServer, type RedisServers } from "./redis-servers.ts";
import { RedisShards } from "./redis-shards.ts";

/** Part of the points that a node counts by itself before it tells the others. */
const OWN_PART = 0.1;
const REPORT_MS = 200;
/** A Redis that takes longer is taken as away: nobody waits for a counter. */
const ANSWER_MS = 250;

export interface RateLimiterOptions {
  readonly rates: Limits["rates"];
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** Absent: this process counts alone. `servers`: of a cluster; without them the target is the one server. */
  readonly redis?: RedisTarget & { readonly stage: string; readonly servers?: RedisServers };
}

type Limiters = ReadonlyMap<string, readonly RateLimiterAbstract[]>;
type MakeLimiter = (rate: string, options: IRateLimiterOptions, index: number) => RateLimiterAbstract;

interface Count {
  points: number;
  untilMs: number;
}

export class FlexibleRateLimiter implements RateLimiter {
  readonly #windows: Readonly<Record<string, readonly Window[]>>;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  /** What this node counts alone, and while Redis is away. */
  readonly #own: Limiters;
  readonly #shards: RedisShards<{ readonly client: Redis; readonly limiters: Limiters }> | undefined;
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
    this.#own = this.#limiters((_, options) => new RateLimiterMemory(options));
    this.#shards = redis && this.#connect(redis);
  }

  async take(rate: RateName, key: string): Promise<void> {
    for (const limiter of this.#limitersOf(rate)) {
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
    this.#shards?.close();
  }

  #connect({ stage, servers, ...target }: NonNullable<RateLimiterOptions["redis"]>) {
    return new RedisShards({
      servers: servers ?? oneServer(target),
      partitions: [COMMON_PARTITION],
      open: (server) => {
        const client = connectRedis(server, { commandTimeout: ANSWER_MS });
        client.on("error", (err: Error) => this.#logger.debug("rate limits are this node's own", { err }));
        return { client, limiters: this.#limiters(this.#onRedis(client, stage)) };
      },
    });
  }

  #onRedis(storeClient: Redis, stage: string): MakeLimiter {
    return (rate, options, index) => {
      const insuranceLimiter = this.#own.get(rate)?.[index];
      const keyPrefix = redisNames(stage).rate(options.keyPrefix ?? "");
      const shared = { ...options, keyPrefix, storeClient, rejectIfRedisNotReady: true };
      return new RateLimiterRedis(insuranceLimiter ? { ...shared, insuranceLimiter } : shared);
    };
  }

  #limiters(make: MakeLimiter): Limiters {
    return new Map(
      Object.entries(this.#windows).map(([rate, windows]) => [
        rate,
        windows.map(({ points, seconds: duration }, index) =>
          make(rate, { keyPrefix: `${rate}:${duration}`, points, duration }, index),
        ),
      ]),
    );
  }

  #limitersOf(rate: RateName): readonly RateLimiterAbstract[] {
    return (this.#shards?.at(COMMON_PARTITION)?.limiters ?? this.#own).get(rate) ?? [];
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
        const [limiter] = this.#limitersOf(rate);
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
