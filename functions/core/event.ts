/** Encoding and decoding of events: one JSON text, the same in the stream, on the wire, in the log and in a page. */
import type { RoomEvent, User } from "../protocol.ts";
import { isPosition, toMs, type Position } from "./position.ts";
import type { EventDraft, StreamEvent } from "./room-stream.ts";

export interface MessageDraft {
  readonly room: string;
  readonly id: string;
  readonly user: User;
  readonly body: string;
  readonly replyTo?: string;
}

/** The part of the JSON that does not depend on the position, made before the append. */
export function encodeDraft({ room, id, user, body, replyTo }: MessageDraft): EventDraft {
  const fields = {
    kind: "message",
    id,
    user: { id: user.id, name: user.name },
    body,
    ...(replyTo === undefined ? {} : { replyTo }),
  };
  return { room, id, fields: JSON.stringify(fields).slice(1, -1) };
}

/** The whole event. The stream's Lua script writes the very same text. */
export function encodeAt(draft: EventDraft, position: Position, prev: Position): string {
  return `{"type":"event","room":${JSON.stringify(draft.room)},"position":"${position}","prev":"${prev}",${draft.fields},"at":${toMs(position)}}`;
}

export function encodeEvent(event: RoomEvent): string {
  return encodeAt(encodeDraft(event), event.position, event.prev);
}

export function toStreamEvent(event: RoomEvent): StreamEvent {
  return { position: event.position, prev: event.prev, json: encodeEvent(event) };
}

/** Reads an event that was encoded by us. Throws a plain error that says what is wrong with it: the caller calls it poison. */
export function decodeEvent(json: string): RoomEvent {
  const value: unknown = JSON.parse(json);
  const event = record(value, "event");
  const user = record(event["user"], "user");
  const position = text(event["position"], "position");
  const prev = text(event["prev"], "prev");
  if (!isPosition(position)) throw new Error("position is not a position");
  if (!isPosition(prev)) throw new Error("prev is not a position");
  if (event["type"] !== "event") throw new Error("type is not event");
  if (event["kind"] !== "message") throw new Error(`kind ${JSON.stringify(event["kind"])} is not known`);
  const replyTo = event["replyTo"];
  return {
    type: "event",
    room: text(event["room"], "room"),
    position,
    prev,
    kind: "message",
    id: text(event["id"], "id"),
    user: { id: text(user["id"], "user.id"), name: text(user["name"], "user.name") },
    body: text(event["body"], "body"),
    ...(replyTo === undefined ? {} : { replyTo: text(replyTo, "replyTo") }),
    at: toMs(position),
  };
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${name} is not an object`);
  return value as Record<string, unknown>;
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string") throw new Error(`${name} is not a string`);
  return value;
}
