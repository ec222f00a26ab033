/** Accounts: sign-up, sign-in, a new password, sign-out. Each answers a fault where it was refused; the cookie is the browser's. */
import { ClientError, type User } from "@skat/client";
import type { Fault } from "./ui/fault.ts";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** `user` is absent where a letter must be answered first. */
export type Outcome = { readonly user?: User } | { readonly fault: Fault };

export interface Accounts {
  signIn(credentials: Credentials): Promise<Outcome>;
  /** With a guest's token the account is that guest's, whose messages stay its own. */
  signUp(account: Credentials & { readonly name: string }, guestToken?: string): Promise<Outcome>;
  /** Sends a letter; says nothing about whether the address has an account. */
  requestReset(email: string): Promise<Outcome>;
  reset(newPassword: string, token: string): Promise<Outcome>;
  signOut(): Promise<void>;
  /** Everything that is kept of who is signed in, one JSON object a line. Rejects with `ClientError`. */
  ownData(guestToken?: string): Promise<Blob>;
  /** With the password, where there is one. */
  deleteAccount(password: string, guestToken?: string): Promise<Outcome>;
  /** A token for the session of the cookie. Rejects with `ClientError`. */
  token(): Promise<string>;
}

interface Answer {
  readonly user?: User;
  readonly token?: string | null;
  readonly code?: string;
  readonly message?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly retriable: boolean };
}

/** Letters lead back here; the token stands in the address before it. */
const RESET_PAGE = "/#/reset";

export function createAccounts(): Accounts {
  return {
    signIn: (credentials) => outcome("/auth/sign-in/email", credentials),
    signUp: (account, guestToken) => outcome("/auth/sign-up/email", account, guestToken),
    requestReset: (email) => outcome("/auth/request-password-reset", { email, redirectTo: RESET_PAGE }),
    reset: (newPassword, token) => outcome("/auth/reset-password", { newPassword, token }),
    signOut: async () => void (await post("/auth/sign-out", {})),
    ownData: async (guestToken) => {
      const response = await ask("/me/export", { headers: bearer(guestToken) });
      if (response.ok) return response.blob();
      throw toClientError(await readAnswer(response));
    },
    deleteAccount: (password, guestToken) =>
      outcome("/me/delete", password === "" ? {} : { password }, guestToken),
    token: async () => {
      const { answer } = await post("/token", {});
      if (answer.error !== undefined) throw toClientError(answer);
      if (typeof answer.token !== "string") throw new ClientError("unreachable");
      return answer.token;
    },
  };
}

async function outcome(path: string, body: object, guestToken?: string): Promise<Outcome> {
  try {
    const { ok, answer } = await post(path, body, guestToken);
    if (!ok) return { fault: faultOf(answer) };
    // Without a token there is no session yet.
    return answer.user && answer.token ? { user: { id: answer.user.id, name: answer.user.name } } : {};
  } catch (error) {
    if (error instanceof ClientError) return { fault: { code: error.code, message: error.message } };
    throw error;
  }
}

function faultOf({ error, code = "", message = "" }: Answer): Fault {
  return error === undefined ? { code, message } : { code: error.code, message: error.message };
}

function toClientError({ error }: Answer): ClientError {
  return ClientError.of(error as Parameters<typeof ClientError.of>[0]);
}

async function post(
  path: string,
  body: object,
  guestToken?: string,
): Promise<{ ok: boolean; answer: Answer }> {
  const headers = { "content-type": "application/json", ...bearer(guestToken) };
  const response = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  return { ok: response.ok, answer: await readAnswer(response) };
}

function bearer(guestToken: string | undefined): Record<string, string> {
  return guestToken === undefined ? {} : { authorization: `Bearer ${guestToken}` };
}

/** Rejects with `ClientError("unreachable")`, as the next one. */
function ask(path: string, init: RequestInit): Promise<Response> {
  return fetch(`/api${path}`, init).catch(unreachable);
}

async function readAnswer(response: Response): Promise<Answer> {
  return ((await response.json().catch(unreachable)) ?? {}) as Answer;
}

function unreachable(cause: unknown): never {
  throw new ClientError("unreachable", undefined, { cause });
}
