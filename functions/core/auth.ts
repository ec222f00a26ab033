/**
 * Port: who is speaking.
 *
 * A token belongs to one stage and ends at a set time. Nodes of one stage accept each other's tokens; nothing is looked up.
 */
import type { User } from "../protocol.ts";

export interface Principal {
  readonly user: User;
  /** Milliseconds since 1970. From then on the token is refused and its session must be closed or refreshed. */
  readonly expiresAtMs: number;
}

export interface GuestPass {
  readonly token: string;
  readonly user: User;
}

export interface Auth {
  /** Throws `ChatError("token_expired")` for a token of ours that is over, `ChatError("invalid_token")` for everything else. */
  verify(token: string): Promise<Principal>;
  /** A new user under that name, and the token that proves it. Throws `ChatError("invalid_field")` for a name that `readName` refuses. */
  issueGuest(name: unknown): Promise<GuestPass>;
}
