/** Who makes a request: by its bearer token, else by the cookie of an account; and whether it is the one who owns the server. */
import type { Context } from "hono";
import { SESSION_COOKIE, type SignIn } from "../core/accounts.ts";
import { isPerson, type Auth, type Principal } from "../core/auth.ts";
import { ChatError } from "../lib/errors.ts";

export interface AuthenticateDeps {
  readonly auth: Auth;
  readonly signIn: SignIn;
}

/** Throws `not_authenticated`, or what `Auth.verify` throws. */
export async function principalOf(c: Context, { auth, signIn }: AuthenticateDeps): Promise<Principal> {
  const token = bearerOf(c);
  if (token !== undefined) return auth.verify(token);
  const principal = hasSessionCookie(c.req.header("cookie"))
    ? await signIn.principalOf(c.req.raw.headers)
    : undefined;
  if (principal) return principal;
  throw new ChatError("not_authenticated", "Send `Authorization: Bearer <token>`, or sign in.");
}

/** Throws `owner_only`. */
export async function checkOwner(store: SignIn["store"], principal: Principal): Promise<void> {
  if (!isPerson(principal) || (await store.owner()) !== principal.user.id) {
    throw new ChatError("owner_only", "Only the owner of this server may do this.");
  }
}

export function bearerOf(c: Context): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

export function hasSessionCookie(cookie: string | undefined): boolean {
  return cookie?.includes(SESSION_COOKIE) ?? false;
}
