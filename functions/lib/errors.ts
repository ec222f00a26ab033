/** The one error class: a code from the protocol's table, which carries HTTP status and whether a retry can help. */
import { ERRORS, type ErrorBody, type ErrorCode } from "../protocol.ts";

export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retriable(): boolean {
    return ERRORS[this.code].retriable;
  }

  /** What a client is told. */
  toBody(): ErrorBody {
    const body = { code: this.code, message: this.message, retriable: this.retriable };
    return this.retryAfterMs === undefined ? body : { ...body, retryAfterMs: this.retryAfterMs };
  }
}

/** An unknown failure as a client may see it; what it really was belongs in the log. */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  return new ChatError("internal", "Something went wrong on the server.", {
    cause: error,
    retryAfterMs: 1000,
  });
}
