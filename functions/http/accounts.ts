/** Accounts over HTTP: the library's own paths, tokens for its sessions, and the first owner. */
import { createHash } from "node:crypto";
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { Accounts, SignIn } from "../core/accounts.ts";
import { isPerson, type Auth } from "../core/auth.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import { rateKeyOf } from "../lib/client-address.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";
import { bearerOf } from "./authenticate.ts";
import { brokenOff } from "./body.ts";
import { requestOf, route, type Route, type Serving } from "./routes.ts";
import { user } from "./schemas.ts";

export interface AccountPathsDeps extends Serving {
  readonly accounts: Accounts;
  readonly rates: RateLimiter;
}

/** What no text of the store can hold: NUL, and half a surrogate pair; also as JSON and as URLs write them. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]|\0|%00/i;
const SURROGATE_PAIR = /\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/gi;

/** Where a password or an address could be guessed. */
const GUESSED = /\/(sign-in|sign-up|request-password-reset|reset-password|verify-password)\b/;

export function accountRoutes(signIn: SignIn): readonly Route[] {
  return [
    route({
      method: "post",
      path: "/api/token",
      title: "A token of minutes for the session that the cookie proves",
      isOpen: true,
      answer: z.object({ token: z.string(), user, expiresInMs: z.number() }),
      handle: ({ headers }) => signIn.issueToken(headers),
    }),
    route({
      method: "post",
      path: "/api/owner",
      title: "Makes the caller the owner of this server, by the code that was printed at its start",
      body: z.object({ code: z.string() }),
      answer: z.object({ owner: user }),
      handle: async ({ principal, body: { code } }) => {
        if (!isPerson(principal)) throw new ChatError("owner_only", "Guests and bots can't own a server.");
        if (!signIn.isOwnerCode(code) || !(await signIn.store.claimOwner(principal.user.id))) {
          throw new ChatError("wrong_code", "The code is not the one that was printed, or was used.");
        }
        return { owner: principal.user };
      },
    }),
  ];
}

/** The library's own paths. */
export function addAccountPaths(app: Hono, deps: AccountPathsDeps): void {
  app.on(["GET", "POST"], "/api/auth/*", (c) => answer(c, deps));
}

async function answer(c: Context, deps: AccountPathsDeps): Promise<Response> {
  const body = c.req.method === "POST" ? await c.req.text().catch(brokenOff) : undefined;
  if (UNSTORABLE.test(c.req.url) || UNSTORABLE.test(body?.replaceAll(SURROGATE_PAIR, "") ?? "")) {
    throw new ChatError("invalid_field", "A text holds NUL or half a surrogate pair.");
  }
  if (GUESSED.test(c.req.path)) await countGuess(c, body ?? "", deps);
  const { url, method, headers } = c.req.raw;
  const request = new Request(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const response = await deps.accounts.handle(request, await guestOf(c, deps.auth));
  if (response.status < 500) return response;
  // Its cause is in the log already, by the library's own hand.
  throw new ChatError("unavailable", "Accounts can't be read or written now.", { retryAfterMs: 1_000 });
}

/** By the account, wherever the guesses come from, and by the client's address, whatever it guesses. */
async function countGuess(c: Context, body: string, { rates, addressOf }: AccountPathsDeps): Promise<void> {
  const email = emailIn(body);
  const address = rateKeyOf(addressOf(requestOf(c)));
  if (address !== undefined) await rates.take("signIns", `address ${address}`);
  if (email !== undefined) await rates.take("signIns", `account ${digestOf(email.toLowerCase())}`);
}

/** As the library will read it, however it is escaped, and with the last one where there are several. */
function emailIn(body: string): string | undefined {
  try {
    const { email } = JSON.parse(body) as { email?: unknown };
    return typeof email === "string" ? email : undefined;
  } catch {
    return undefined; // No JSON, or null: it is refused and guesses nothing.
  }
}

/** Names of keys hold nobody's address. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** The guest that signs up, if one does. */
async function guestOf(c: Context, auth: Auth): Promise<User | undefined> {
  const token = c.req.path === "/api/auth/sign-up/email" ? bearerOf(c) : undefined;
  if (token === undefined) return undefined;
  const principal = await auth.verify(token);
  return principal.subjects.some((subject) => subject.startsWith("guest:")) ? principal.user : undefined;
}
