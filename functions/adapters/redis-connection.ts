/**
 * One Redis connection that fails at once instead of queueing: nothing waits offline, nothing is sent again by the library.
 *
 * What a lost connection had in flight is rejected, its outcome unknown; who asks again decides with what is known then.
 */
import { Redis, type RedisOptions } from "ioredis";
import { ChatError } from "../lib/errors.ts";

export interface RedisTarget {
  /** redis:// or rediss:// */
  readonly url: string;
  /** CA of a private certificate, PEM. */
  readonly ca?: string;
}

const COMMAND_TIMEOUT_MS = 2_000;
const RECONNECT_MS_MAX = 500;

export function connectRedis(
  { url, ca }: RedisTarget,
  options: Omit<RedisOptions, "replyMapping"> = {},
): Redis {
  const all = {
    connectTimeout: 3_000,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // What a lost connection had in flight is rejected at once. Without it ioredis lets it time out, and a pipeline that formed behind it
    // in the meantime is written to the next connection, whose memory nobody has looked at.
    maxRetriesPerRequest: 0,
    // Shorter than the library's: Redis away for seconds must not cost more seconds.
    retryStrategy: (attempt: number) =>
      Math.random() * Math.min(RECONNECT_MS_MAX, 20 * 2 ** Math.min(attempt, 10)),
    replyMapping: "legacy" as const,
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...options,
  };
  return new Redis(url, all);
}

/** One attempt, and the reason where it fails: the client itself says only that the connection is closed. */
export async function connectOnce(target: RedisTarget, timeoutMs: number): Promise<Redis> {
  const client = connectRedis(target, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    retryStrategy: () => null,
  });
  let reason: Error | undefined;
  client.on("error", (error: Error) => (reason = error));
  try {
    await client.connect();
    await client.ping();
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  }
}

/** Resolves when the connection takes commands; rejects with `unavailable` after `timeoutMs`. */
export async function whenReady(client: Redis, timeoutMs: number): Promise<void> {
  if (client.status === "ready") return;
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      client.off("ready", ready);
    };
    const ready = () => (stop(), resolve());
    const timer = setTimeout(
      () => (stop(), reject(new ChatError("unavailable", "Redis does not answer."))),
      timeoutMs,
    );
    client.on("ready", ready);
  });
}
