/**
 * Accounts by better-auth, on the tables of the store: e-mail and password, GitHub and Google, sessions, profile.
 *
 * The library is as large as the rest of the server together, so this file is imported when the first request needs it. Only what
 * is used is switched on: most of its advisories were in plugins.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { betterAuth, type BetterAuthOptions } from "better-auth";
import { prismaAdapter } from "better-auth/adapters/prisma";
import type { Accounts, AccountSession, Claim } from "../core/accounts.ts";
import type { Mail } from "../core/mail.ts";
import type { Runtime } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import type { PrismaClient } from "../generated/prisma/client.ts";
import { ChatError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { isOriginAllowed, type AllowedOrigins } from "../lib/origins.ts";
import type { User } from "../protocol.ts";
import { letters } from "./letters.ts";
import { profileHooks } from "./profile.ts";

export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface AccountsOptions {
  readonly prisma: PrismaClient;
  /** Of this use alone. */
  readonly secret: string;
  /** Where the page is; stands in letters and is told to the other services. */
  readonly baseUrl: string;
  readonly origins: AllowedOrigins;
  /** Absent: there are no letters, so nobody can prove an address or get back in without the password. */
  readonly mail?: Mail;
  readonly isVerificationRequired: boolean;
  readonly github?: OAuthClient;
  readonly google?: OAuthClient;
  readonly nameLengthMax: number;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** A guest has become a member: its tokens count no more. */
  readonly onMember: (user: string) => Promise<void>;
}

const PASSWORD_LENGTH_MIN = 10;
const SESSION_S = 30 * 86_400;
/** A session counts as just made for this long. */
const FRESH_MS = 10 * 60_000;
/**
 * Of no use here, so not there: tokens of other services, changes that need letters to two addresses, and a deletion that would know
 * nothing of rooms and messages; ours is `core/deletion.ts`.
 */
const DISABLED = ["/account-info", "/get-access-token", "/refresh-token", "/change-email", "/delete-user"];

/** The guest that the request at hand is made as. */
type Guests = AsyncLocalStorage<User | undefined>;

export function createAccounts(options: AccountsOptions): Accounts {
  const guests: Guests = new AsyncLocalStorage();
  const auth = betterAuth(toOptions(options, () => guests.getStore()));
  return {
    handle: (request, guest) => guests.run(guest, () => auth.handler(request)),
    sessionOf: async (headers) => {
      const query = { disableRefresh: true };
      const found = await auth.api.getSession({ headers, query }).catch((cause: unknown) => {
        throw new ChatError("unavailable", "Sessions can't be read now.", { cause, retryAfterMs: 1_000 });
      });
      return found === null ? undefined : toSession(found);
    },
    proves: async (claim) => {
      const { password } = await auth.$context;
      return proves(claim, options, (hash, given) => password.verify({ hash, password: given }));
    },
  };
}

async function proves(
  { user, session, password }: Claim,
  { prisma, runtime }: AccountsOptions,
  verify: (hash: string, password: string) => Promise<boolean>,
): Promise<boolean> {
  const row = await prisma.session
    .findUnique({ where: { id: session }, include: { user: { include: { accounts: true } } } })
    .catch((cause: unknown) => {
      throw new ChatError("unavailable", "Accounts can't be read now.", { cause, retryAfterMs: 1_000 });
    });
  if (row === null || row.userId !== user) return false;
  const hash = row.user.accounts.find(({ password: kept }) => kept !== null)?.password;
  if (hash) return password !== undefined && verify(hash, password);
  return row.createdAt.getTime() > runtime.now() - FRESH_MS;
}

interface FoundSession {
  readonly user: { readonly id: string; readonly name: string };
  readonly session: { readonly id: string; readonly expiresAt: Date };
}

function toSession({ user: { id, name }, session }: FoundSession): AccountSession {
  return { id: session.id, user: { id, name }, expiresAtMs: session.expiresAt.getTime() };
}

function toOptions(options: AccountsOptions, guest: () => User | undefined) {
  const { prisma, secret, baseUrl, runtime, logger } = options;
  return {
    appName: "Skat",
    baseURL: baseUrl,
    secret,
    database: prismaAdapter(prisma, { provider: "postgresql" }),
    trustedOrigins: (request) => trustedOrigins(options.origins, request),
    disabledPaths: DISABLED,
    user: { additionalFields: { color: { type: "string", required: false } } },
    session: { expiresIn: SESSION_S },
    account: { accountLinking: { enabled: true, trustedProviders: [] } },
    ...passwordOptions(options),
    socialProviders: {
      ...(options.github ? { github: options.github } : {}),
      ...(options.google ? { google: options.google } : {}),
    },
    databaseHooks: { user: profileHooks(options, guest) },
    advanced: {
      cookiePrefix: "skat",
      useSecureCookies: baseUrl.startsWith("https:"),
      ipAddress: { disableIpTracking: true },
      // Said, since the library leaves its checks out where NODE_ENV is `test`.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      database: { generateId: () => uuidV7(runtime) },
    },
    // Guessing is slowed down where all limits are kept.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: {
      level: "error",
      log: (_level, message, ...details) => logger.error(`accounts: ${message}`, { err: details[0] }),
    },
  } satisfies BetterAuthOptions;
}

function passwordOptions({ mail, baseUrl, isVerificationRequired }: AccountsOptions) {
  const emailAndPassword = {
    enabled: true,
    minPasswordLength: PASSWORD_LENGTH_MIN,
    revokeSessionsOnPasswordReset: true,
    requireEmailVerification: isVerificationRequired,
  };
  if (mail === undefined) return { emailAndPassword };
  const write = letters(mail, baseUrl);
  return {
    emailAndPassword: { ...emailAndPassword, sendResetPassword: write.reset },
    emailVerification: { sendVerificationEmail: write.verification, sendOnSignUp: true },
  };
}

/** The library compares with a list; ours may be a rule, which then decides for the one origin at hand. */
function trustedOrigins(origins: AllowedOrigins, request: Request | undefined): string[] {
  if (origins !== "local") return [...origins];
  const origin = request?.headers.get("origin") ?? undefined;
  const isOurs = isOriginAllowed("local", origin, request?.headers.get("host") ?? undefined);
  return origin !== undefined && isOurs ? [origin] : [];
}
