/** Names of users and rooms, and other texts of one line: what they may look like. */
import { ChatError } from "../lib/errors.ts";
import { DEFAULT_LIMITS, DELETED_NAME } from "../protocol.ts";

/** Control characters and line breaks, lone surrogates, and the marks that turn the direction of the text behind the name. */
const REFUSED = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * The name without the white space around it. Throws `ChatError("invalid_field")`, which names `field`, for anything that is not
 * a text of 1 to `lengthMax` UTF-16 units, that holds something one can't print on a line, or that is what those are called who have deleted their accounts.
 */
export function readName(
  value: unknown,
  field = "name",
  lengthMax: number = DEFAULT_LIMITS.nameLengthMax,
): string {
  if (typeof value !== "string") throw invalid(`\`${field}\` must be a string.`);
  const name = value.trim();
  if (name === "") throw invalid(`\`${field}\` must not be empty.`);
  if (name.length > lengthMax) throw invalid(`\`${field}\` is longer than ${lengthMax} characters.`);
  if (REFUSED.test(name) || !VISIBLE.test(name)) {
    throw invalid(`\`${field}\` has characters that can't be shown in a name.`);
  }
  if (name.toLowerCase() === DELETED_NAME.toLowerCase()) {
    throw invalid(`\`${field}\` is what those are called whose accounts were deleted.`);
  }
  return name;
}

/** A line of text that may be empty, without the white space around it. Throws as `readName`. */
export function readLine(value: string, field: string, lengthMax: number): string {
  const line = value.trim();
  if (line.length > lengthMax) throw invalid(`\`${field}\` is longer than ${lengthMax} characters.`);
  if (REFUSED.test(line)) throw invalid(`\`${field}\` has characters that can't be shown on a line.`);
  return line;
}

function invalid(message: string): ChatError {
  return new ChatError("invalid_field", message);
}
