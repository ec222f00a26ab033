/**
 * The names of everything in Redis, built in one place.
 *
 * Keys and channels carry the stage, so that stages on one Redis are sealed from each other, and the partition as hash
 * tag, so that one script may touch all that belongs to a room on a cluster too.
 */
import { partitionOf } from "../core/room-stream.ts";

export interface RedisNames {
  fence(partition: number): string;
  active(partition: number): string;
  stream(room: string): string;
  id(room: string, id: string): string;
  channel(room: string): string;
  /** The room that a channel belongs to; undefined for another kind of channel. */
  roomOf(channel: string): string | undefined;
  /** One for each server that a node hears, in a partition which that server holds. */
  canary(node: string, partition: number): string;
  /** Where all nodes of the stage hear that rooms have changed. As the two below, of `COMMON_PARTITION`. */
  readonly notices: string;
  /** Where they hear what was read. */
  readonly readMarks: string;
  /** What the keys of a rate limit begin with. */
  rate(name: string): string;
}

/** Where everything is that belongs to no room. */
export const COMMON_PARTITION = 0;

/** What a cluster places a partition's keys and channels by. */
export function hashTagOf(partition: number): string {
  return `p${partition}`;
}

export function redisNames(stage: string): RedisNames {
  const tag = (partition: number) => `skat:${stage}:{${hashTagOf(partition)}}:`;
  const inRoom = (room: string, kind: string) => `${tag(partitionOf(room))}${kind}:${room}`;
  const channelOf = /^skat:[^:]+:\{p\d+\}:room:(.+)$/s;
  return {
    fence: (partition) => `${tag(partition)}fence`,
    active: (partition) => `${tag(partition)}active`,
    stream: (room) => inRoom(room, "stream"),
    id: (room, id) => `${inRoom(room, "id")}:${id}`,
    channel: (room) => inRoom(room, "room"),
    roomOf: (channel) => channelOf.exec(channel)?.[1],
    canary: (node, partition) => `${tag(partition)}canary:${node}`,
    notices: `${tag(COMMON_PARTITION)}notices`,
    readMarks: `${tag(COMMON_PARTITION)}read-marks`,
    rate: (name) => `${tag(COMMON_PARTITION)}rate:${name}`,
  };
}
