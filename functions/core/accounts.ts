/**
 * Ports: people with an account, and programs with a token.
 *
 * Accounts are kept by a library behind its own paths; this is what the rest needs of it. Errors: `ChatError("unavailable")` when the
 * store does not answer.
 */
import type { User } from "../protocol.ts";
import type { Principal, Scope } from "./auth.ts";
import type { OwnDataStore } from "./own-data.ts";

/** Beginning of the cookie's name: a request without it needs not be looked at. */
export const SESSION_COOKIE = "skat.session_token";

/** What a browser's cookie proves. */
export interface AccountSession {
  readonly id: string;
  readonly user: User;
  readonly expiresAtMs: number;
}

export interface Accounts {
  /** Answers a request below `/api/auth`. `guest`: the user that it was made as, whose account a new one becomes. */
  handle(request: Request, guest: User | undefined): Promise<Response>;
  /** The session of the request's cookie; undefined without one that is valid. */
  sessionOf(headers: Headers): Promise<AccountSession | undefined>;
  /** Whether somebody who has this session is the person: by the password, or where the account has none by having just signed in. */
  proves(claim: Claim): Promise<boolean>;
}

export interface Claim {
  readonly user: string;
  readonly session: string;
  readonly password: string | undefined;
}

export interface OwnerStore {
  /** Makes the user the owner where there is none; answers whether it is the owner now. */
  claimOwner(user: string): Promise<boolean>;
  owner(): Promise<string | undefined>;
  /** Hands the server over to somebody with an account, and notes it in the trail. Answers whether there is such an account. */
  makeOwner(user: string, by: User): Promise<boolean>;
}

/** A person, as the one in charge sees it. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly isVerified: boolean;
  /** That are not over. */
  readonly sessions: number;
}

export interface PeopleStore {
  /** Oldest first. */
  accounts(): Promise<readonly Account[]>;
  /** Calls every session of the user back, and notes it in the trail; answers how many there were. */
  endSessions(user: string, by: User): Promise<number>;
  /** Refuses the user's every token until then, and notes it in the trail. Idempotent. */
  bar(user: string, untilMs: number, by: User): Promise<void>;
}

export interface BotToken {
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Absent: until it is called back. */
  readonly expiresAtMs?: number;
}

export interface NewBotToken extends BotToken {
  /** Shown now and never again. */
  readonly token: string;
}

export interface Bot {
  readonly user: User;
  readonly createdBy: string;
  readonly tokens: readonly BotToken[];
}

export interface BotStore {
  createBot(user: User, createdBy: string): Promise<void>;
  /** `digest`: what is kept of the token. Throws `ChatError("unknown_bot")`. */
  addBotToken(bot: string, token: BotToken, digest: string): Promise<void>;
  /** Oldest first. */
  bots(): Promise<readonly Bot[]>;
  findBotToken(digest: string): Promise<{ user: User; token: BotToken } | undefined>;
  /** Calls its sessions back too, and notes it in the trail. Answers whether there was one. */
  removeBotToken(id: string, by: User): Promise<boolean>;
}

export interface BotIssuer {
  /** A new bot, without a token yet. */
  create(name: string, createdBy: User): Promise<User>;
  /** Throws `unknown_bot`. */
  issue(bot: string, scopes: readonly Scope[], lifeMs?: number): Promise<NewBotToken>;
}

export interface AccessToken {
  readonly token: string;
  readonly user: User;
  readonly expiresInMs: number;
}

/** Everything by which people and programs come in, as the HTTP side needs it. */
export interface SignIn {
  /** Absent: there are no accounts. */
  readonly accounts?: Accounts;
  readonly bots: BotIssuer;
  readonly store: AccountStore;
  /** Whom the request's cookie proves. */
  principalOf(headers: Headers): Promise<Principal | undefined>;
  /** A token of minutes for the session of the request's cookie. Throws `not_authenticated`. */
  issueToken(headers: Headers): Promise<AccessToken>;
  /** Whether it is the code that was printed. */
  isOwnerCode(code: string): boolean;
  /** As in `core/deletion.ts`. */
  deleteAccount(principal: Principal, password: string | undefined): Promise<void>;
}

export interface AccountStore extends OwnerStore, PeopleStore, BotStore, OwnDataStore {}
