/** Takes out of values what must never be logged or printed: secrets and what people wrote. */

const HIDDEN = "[hidden]";
const HIDDEN_KEYS =
  /^(body|fields|json|value|args|parameters|token|secret|password|authorization|cookie|set-cookie)$/i;
const DEPTH_MAX = 6;

/** Passwords in URLs and signed tokens, wherever they stand in a text. */
export function hideSecrets(text: string): string {
  return text
    .replace(/(\w:\/\/[^\s/:@]*):[^\s/]*@/g, "$1:***@")
    .replace(/\bskat_bot_[\w-]+/g, HIDDEN)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, HIDDEN);
}

/** A copy that is safe to log. Of an error only what names it is kept: engines attach statements and their arguments. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return hideSecrets(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth === DEPTH_MAX) return "[deep]";
  if (value instanceof Error) return redactError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      HIDDEN_KEYS.test(key) ? HIDDEN : redact(item, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = "code" in error ? error.code : undefined;
  return {
    type: error.name,
    message: hideSecrets(error.message),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: hideSecrets(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: redact(error.errors, depth + 1) } : {}),
  };
}
