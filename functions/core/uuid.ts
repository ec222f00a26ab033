/** UUIDv7: the form of all ids, in lower case, with the time of its making in front. */
import type { Runtime } from "./runtime.ts";

const TIME_MS_MAX = 2 ** 48 - 1;

/** A new id. Ids of one millisecond have no order among themselves. */
export function uuidV7(runtime: Pick<Runtime, "now" | "randomBytes">): string {
  const timeMs = Math.min(Math.max(0, Math.floor(runtime.now())), TIME_MS_MAX);
  const bytes = runtime.randomBytes(10);
  bytes[0] = ((bytes[0] ?? 0) & 0x0f) | 0x70; // version 7
  bytes[2] = ((bytes[2] ?? 0) & 0x3f) | 0x80; // variant of RFC 9562
  const chance = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = timeMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-${chance.slice(0, 4)}-${chance.slice(4, 8)}-${chance.slice(8)}`;
}

/** Lower case only: an id is compared as text in the stream, and Postgres would give another case back as lower. */
export function isUuidV7(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}

/** The smallest of all ids that are made at a time or later. */
export function firstUuidAt(timeMs: number): string {
  const time = timeMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** When the id was made, by its maker's clock, in milliseconds since 1970. The id must be a UUIDv7. */
export function uuidTimeMs(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
