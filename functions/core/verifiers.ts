/** Auth put together from the kinds of token that are accepted; what was called back is refused, whoever issued it. */
import { ChatError } from "../lib/errors.ts";
import type { Auth, GuestPass, Principal } from "./auth.ts";
import type { Revocations } from "./revocations.ts";

/** One kind of token. */
export interface Verifier {
  /** Whether a token looks like this kind; nothing is proved by that. */
  recognizes(token: string): boolean;
  /** As `Auth.verify`. */
  verify(token: string): Promise<Principal>;
}

export interface VerifiersOptions {
  readonly kinds: readonly Verifier[];
  /** Absent: guests are not taken. */
  readonly issueGuest?: (name: unknown) => Promise<GuestPass>;
  readonly revocations: Revocations;
}

export class Verifiers implements Auth {
  readonly #options: VerifiersOptions;

  constructor(options: VerifiersOptions) {
    this.#options = options;
  }

  async verify(token: string): Promise<Principal> {
    const kind = this.#options.kinds.find((each) => each.recognizes(token));
    if (kind === undefined) throw new ChatError("invalid_token", "The token is not one of this server's.");
    const principal = await kind.verify(token);
    this.#options.revocations.check(principal);
    return principal;
  }

  async issueGuest(name: unknown): Promise<GuestPass> {
    const { issueGuest } = this.#options;
    if (issueGuest === undefined) throw new ChatError("guests_refused", "This server takes no guests.");
    return issueGuest(name);
  }
}
