/**
 * Port: who is speaking.
 *
 * A token belongs to one stage and ends at a set time. Whoever issued it, what it proves is a `Principal`.
 */
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";

/** What a token may be limited to: `read` rooms, `write` to them, `manage` what there is. */
export const SCOPES = ["read", "write", "manage"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Principal {
  readonly user: User;
  /** Milliseconds since 1970. From then on the token is refused and its session must be closed or refreshed. */
  readonly expiresAtMs: number;
  /** The names by which it can be called back: see `core/revocations.ts`. */
  readonly subjects: readonly string[];
  /** Absent: everything that its user may do. */
  readonly scopes?: readonly Scope[];
}

export interface GuestPass {
  readonly token: string;
  readonly user: User;
}

export interface Auth {
  /**
   * Throws `ChatError`: `token_expired` for a token that is over, `token_revoked` for one that was called back, `unavailable` where the
   * issuer's keys or the store can't be asked, and `invalid_token` for everything else.
   */
  verify(token: string): Promise<Principal>;
  /**
   * A new user under that name, and the token that proves it. Throws `ChatError("invalid_field")` for a name that `readName` refuses,
   * `ChatError("guests_refused")` where guests are not taken.
   */
  issueGuest(name: unknown): Promise<GuestPass>;
}

/** Throws `insufficient_scope` where the token was not made for this. */
export function requireScope({ scopes }: Principal, scope: Scope): void {
  if (scopes !== undefined && !scopes.includes(scope)) {
    throw new ChatError("insufficient_scope", `The token has no scope \`${scope}\`.`);
  }
}

/** Neither a guest nor a bot. */
export function isPerson({ subjects }: Principal): boolean {
  return !subjects.some((subject) => subject.startsWith("guest:") || subject.startsWith("token:"));
}
