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
  canary(node: string): string;
  /** Where all nodes of the stage hear that rooms have changed. */
  readonly notices: string;
  /** Where they hear what was read. */
  readonly readMarks: string;
  /** What the keys of a rate limit begin with. */
  rate(name: string): string;
}

export function redisNames(stage: string): RedisNames {
  const tag = (partition: number) => `skat:${stage}:{p${partition}}:`;
  const inRoom = (room: string, kind: string) => `${tag(partitionOf(room))}${kind}:${room}`;
  const channelOf = /^skat:[^:]+:\{p\d+\}:room:(.+)$/s;
  return {
    fence: (partition) => `${tag(partition)}fence`,
    active: (partition) => `${tag(partition)}active`,
    stream: (room) => inRoom(room, "stream"),
    id: (room, id) => `${inRoom(room, "id")}:${id}`,
    channel: (room) => inRoom(room, "room"),
    roomOf: (channel) => channelOf.exec(channel)?.[1],
    canary: (node) => `${tag(0)}canary:${node}`,
    notices: `${tag(0)}notices`,
    readMarks: `${tag(0)}read-marks`,
    rate: (name) => `${tag(0)}rate:${name}`,
  };
}
