/** The one error class of the client, and what the client itself adds to the codes of the wire. */
import type { ErrorBody, ErrorCode } from "../../../functions/protocol.ts";

/** Errors that no server sends. */
export const CLIENT_ERRORS = {
  unreachable: { retriable: true, when: "No answer came." },
  bad_frame: { retriable: true, when: "Not a frame." },
  closed: { retriable: false, when: "Closed." },
  left: { retriable: false, when: "The room was left." },
  cancelled: { retriable: false, when: "Cancelled." },
  no_message: { retriable: false, when: "No such message." },
  no_user: { retriable: false, when: "Give `user`." },
  no_websocket: { retriable: false, when: "Give a `WebSocket`." },
  not_kept: { retriable: true, when: "The storage failed." },
} as const satisfies Record<string, { retriable: boolean; when: string }>;

export type ClientErrorCode = ErrorCode | keyof typeof CLIENT_ERRORS;

/** What failed, by code. `retriable` says whether the same may succeed later. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly retriable: boolean;
  /** The least pause before another try, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(code: ClientErrorCode, message?: string, options: ClientErrorOptions = {}) {
    // What the server said is given beside its codes; what became of a refused message or join is final.
    const own = isOwn(code) ? CLIENT_ERRORS[code] : { when: code, retriable: false };
    const { retriable = own.retriable, retryAfterMs = 0, ...cause } = options;
    super(message ?? own.when, cause);
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

function isOwn(code: ClientErrorCode): code is keyof typeof CLIENT_ERRORS {
  return code in CLIENT_ERRORS;
}
