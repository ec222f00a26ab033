/**
 * Room feed and notices on Redis's sharded pub/sub, on a connection of its own.
 *
 * The subscriptions wanted are kept here, not in the client: after each reconnect they are made again, and only then the
 * listener is told that it may have missed something.
 */
import type { Redis } from "ioredis";
import type { Notices } from "../core/notices.ts";
import type { ReadMark } from "../core/read-marks.ts";
import type { FeedListener, RoomFeed } from "../core/room-stream.ts";
import { partitionOf } from "../core/room-stream.ts";
import type { Runtime } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";
import { connectRedis, whenReady, type RedisTarget } from "./redis-connection.ts";
import { redisNames, type RedisNames } from "./redis-names.ts";

/** Fence, position and prev stand in front of the event's JSON, nineteen digits each, so that nobody parses it. */
const DIGITS = 19;
const CANARY_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

export interface RedisRoomFeedOptions extends RedisTarget {
  readonly stage: string;
  readonly runtime: Runtime;
  /** Publishes on the command connection, which is not the one that is probed. */
  readonly publish: (channel: string, text: string) => Promise<void>;
  readonly onError: (error: Error) => void;
}

export class RedisRoomFeed implements RoomFeed, Notices {
  readonly #client: Redis;
  readonly #names: RedisNames;
  readonly #runtime: Runtime;
  readonly #publish: RedisRoomFeedOptions["publish"];
  readonly #onError: RedisRoomFeedOptions["onError"];
  readonly #canary: string;
  readonly #wanted = new Set<string>();
  #heardCanary: ((nonce: string) => void) | undefined;
  #listener: FeedListener | undefined;
  #noticed: () => void = () => {};
  #heardReadMarks: (marks: readonly ReadMark[]) => void = () => {};
  #subscribed = false;

  constructor({ stage, runtime, publish, onError, ...target }: RedisRoomFeedOptions) {
    this.#names = redisNames(stage);
    this.#runtime = runtime;
    this.#publish = publish;
    this.#onError = onError;
    this.#canary = this.#names.canary(uuidV7(runtime));
    this.#client = connectRedis(target);
    this.#client.on("error", onError);
    this.#client.on("close", () => (this.#subscribed = false));
    this.#client.on("ready", () => void this.#resubscribe());
    this.#client.on("smessage", (channel: string, text: string) => this.#hear(channel, text));
  }

  listen(listener: FeedListener): void {
    this.#listener = listener;
  }

  async announce(): Promise<void> {
    await this.#publish(this.#names.notices, "");
  }

  onNotice(listener: () => void): void {
    this.#noticed = listener;
  }

  async announceReadMarks(marks: readonly ReadMark[]): Promise<void> {
    await this.#publish(this.#names.readMarks, JSON.stringify(marks));
  }

  onReadMarks(listener: (marks: readonly ReadMark[]) => void): void {
    this.#heardReadMarks = listener;
  }

  async subscribe(room: string): Promise<void> {
    this.#wanted.add(room);
    if (!this.#subscribed)
      throw new ChatError("unavailable", "The feed is not connected.", { retryAfterMs: 500 });
    await this.#ask(this.#client.ssubscribe(this.#names.channel(room)));
  }

  async unsubscribe(room: string): Promise<void> {
    this.#wanted.delete(room);
    if (this.#subscribed) await this.#ask(this.#client.sunsubscribe(this.#names.channel(room)));
  }

  async probe(): Promise<void> {
    if (!this.#subscribed) return;
    const nonce = uuidV7(this.#runtime);
    const heard = new Promise<boolean>((resolve) => {
      const cancel = this.#runtime.after(CANARY_TIMEOUT_MS, () => resolve(false));
      this.#heardCanary = (answer) => {
        if (answer !== nonce) return;
        cancel();
        resolve(true);
      };
    });
    await this.#publish(this.#canary, nonce);
    if (!(await heard) && this.#subscribed) this.#client.disconnect(true);
  }

  /** Resolves when the connection stands. */
  async ready(): Promise<void> {
    await whenReady(this.#client, CONNECT_TIMEOUT_MS);
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }

  #hear(channel: string, text: string): void {
    if (channel === this.#names.notices) return this.#noticed();
    if (channel === this.#names.readMarks) return this.#heardReadMarks(JSON.parse(text) as ReadMark[]);
    const room = this.#names.roomOf(channel);
    if (room === undefined) return this.#heardCanary?.(text);
    this.#listener?.onEvent(room, text.slice(0, DIGITS), {
      position: text.slice(DIGITS, 2 * DIGITS),
      prev: text.slice(2 * DIGITS, 3 * DIGITS),
      json: text.slice(3 * DIGITS),
    });
  }

  async #resubscribe(): Promise<void> {
    try {
      await this.#client.ssubscribe(this.#canary, this.#names.notices, this.#names.readMarks);
      // Rooms that are wanted while these are made are made by `subscribe` itself.
      this.#subscribed = true;
      for (const channels of this.#channelsByPartition()) await this.#client.ssubscribe(...channels);
      this.#listener?.onInterrupted();
      this.#noticed();
    } catch (error) {
      this.#onError(error as Error);
      this.#client.disconnect(true);
    }
  }

  /** One call may name channels of one hash tag only. */
  #channelsByPartition(): Iterable<string[]> {
    const channels = new Map<number, string[]>();
    for (const room of this.#wanted) {
      const partition = partitionOf(room);
      channels.set(partition, [...(channels.get(partition) ?? []), this.#names.channel(room)]);
    }
    return channels.values();
  }

  async #ask(reply: Promise<unknown>): Promise<void> {
    try {
      await reply;
    } catch (cause) {
      throw new ChatError("unavailable", "The feed does not answer.", { cause, retryAfterMs: 500 });
    }
  }
}
