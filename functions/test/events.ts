/** Events for tests, at positions that can be read. */
import { systemRuntime } from "../adapters/runtime-system.ts";
import { fromBigInt, toBigInt, toMs, type Position } from "../core/position.ts";
import { uuidV7 } from "../core/uuid.ts";
import type { RoomEvent } from "../protocol.ts";

const BASE = toBigInt("1882735690000000000");

export function newId(): string {
  return uuidV7(systemRuntime);
}

/** The `n`th position of a test. */
export function place(n: number): Position {
  return fromBigInt(BASE + BigInt(n));
}

/** A message at the `n`th position of a room. */
export function message(room: string, n: number, more: Partial<RoomEvent> = {}): RoomEvent {
  const position = more.position ?? place(n);
  return {
    type: "event",
    room,
    position,
    prev: place(n - 1),
    kind: "message",
    id: newId(),
    user: { id: "u1", name: "Ada" },
    body: `message ${n}`,
    at: toMs(position),
    ...more,
  };
}

export function messages(room: string, count: number): RoomEvent[] {
  return Array.from({ length: count }, (_, n) => message(room, n));
}
