/** Text → client frame, or an error that names what is wrong. Unknown fields are ignored. */
import type { ClientFrame, ErrorCode, Limits } from "../protocol.ts";
import { ChatError } from "../lib/errors.ts";
import { isPosition } from "./position.ts";
import { isUuidV7 } from "./uuid.ts";

type Fields = Record<string, unknown>;

/** The `ref` of a frame that could not be decoded, so that its error can carry it. */
export function refIn(text: string): number | undefined {
  try {
    const ref = (JSON.parse(text) as Fields | null)?.["ref"];
    return Number.isSafeInteger(ref) ? (ref as number) : undefined;
  } catch {
    return undefined; // Not JSON: there is no ref to echo.
  }
}

export function decodeFrame(text: string, limits: Limits): ClientFrame {
  const fields = parse(text);
  const ref = fields["ref"];
  if (ref !== undefined && !Number.isSafeInteger(ref)) throw invalid("`ref` must be an integer.");
  const base = ref === undefined ? {} : { ref: ref as number };
  switch (fields["type"]) {
    case "auth":
      return { type: "auth", ...base, token: string(fields, "token") };
    case "join": {
      const after = fields["after"];
      return {
        type: "join",
        ...base,
        room: string(fields, "room"),
        ...(after === undefined ? {} : { after: position(fields, "after") }),
      };
    }
    case "leave":
      return { type: "leave", ...base, room: string(fields, "room") };
    case "send": {
      const replyTo = fields["replyTo"];
      return {
        type: "send",
        ...base,
        room: string(fields, "room"),
        id: uuid(fields, "id"),
        body: readBody(fields["body"], limits),
        since: position(fields, "since"),
        ...(replyTo === undefined || replyTo === null ? {} : { replyTo: uuid(fields, "replyTo") }),
      };
    }
    case "read":
      return { type: "read", ...base, room: string(fields, "room"), position: position(fields, "position") };
    default:
      throw error("unknown_type", `\`type\` is not one of auth, join, leave, send, read.`);
  }
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ChatError("invalid_json", "The frame is not JSON.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw error("invalid_json", "The frame is not a JSON object.");
  }
  return value as Fields;
}

/** A message's text: not empty, storable as it is, within the limit. */
export function readBody(body: unknown, limits: Limits): string {
  if (typeof body !== "string") throw invalid("`body` must be a string.");
  if (body.trim() === "") throw invalid("`body` must not be empty.");
  if (Buffer.byteLength(body) > limits.bodyBytesMax) {
    throw error("body_too_long", `\`body\` is over ${limits.bodyBytesMax} bytes of UTF-8.`);
  }
  if (/\p{Cs}/u.test(body)) throw invalid("`body` has half of a surrogate pair.");
  if (body.includes("\0")) throw invalid("`body` has a NUL character.");
  return body;
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "")
    throw invalid(`\`${name}\` must be a string that is not empty.`);
  return value;
}

function position(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || !isPosition(value))
    throw invalid(`\`${name}\` must be a position of nineteen digits.`);
  return value;
}

function uuid(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || !isUuidV7(value))
    throw invalid(`\`${name}\` must be a UUIDv7 in lower case.`);
  return value;
}

function invalid(message: string): ChatError {
  return error("invalid_field", message);
}

function error(code: ErrorCode, message: string): ChatError {
  return new ChatError(code, message);
}
