/** The one error class of the client, and what the client itself adds to the codes of the wire. */
import type { ErrorBody, ErrorCode } from "../../../functions/protocol.ts";

/** Errors that no server sends, and what they say. */
export const CLIENT_ERRORS = {
  unreachable: "No answer came.",
  bad_frame: "Not a frame.",
  closed: "Closed.",
  left: "The room was left.",
  cancelled: "Cancelled.",
  no_message: "No such message.",
  no_user: "Give `user`.",
  no_websocket: "Give a `WebSocket`.",
  not_kept: "The storage failed.",
} as const;

/** Of the client's own; what the server said is given beside its codes, and what became of a refused message or join is final. */
const RETRIABLE: readonly string[] = ["unreachable", "bad_frame", "not_kept"];

export type ClientErrorCode = ErrorCode | keyof typeof CLIENT_ERRORS;

/** What failed, by code. `retriable` says whether the same may succeed later. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly retriable: boolean;
  /** The least pause before another try, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(code: ClientErrorCode, message?: string, options: ClientErrorOptions = {}) {
    const { retriable = RETRIABLE.includes(code), retryAfterMs = 0, ...cause } = options;
    super(message ?? (CLIENT_ERRORS as Record<string, string>)[code] ?? code, cause);
    this.name = "ClientError";
    this.code = code;
    this.retriable = retriable;
    this.retryAfterMs = retryAfterMs;
  }

  /** The error that a server's answer carries. */
  static of({ code, message, retriable, retryAfterMs = 0 }: ErrorBody): ClientError {
    return new ClientError(code, message, { retriable, retryAfterMs });
  }
}

export interface ClientErrorOptions {
  readonly cause?: unknown;
  readonly retriable?: boolean;
  readonly retryAfterMs?: number;
}

const SESSION_ERRORS: readonly string[] = ["not_authenticated", "invalid_token", "token_expired"];

/** Refusals of the session, not of what was asked: another token may help. */
export function isSessionError(code: string): boolean {
  return SESSION_ERRORS.includes(code);
}
