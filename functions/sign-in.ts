/** Puts together by what people and programs come in: tokens, accounts, bots, letters, and what was called back. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { BotTokens } from "./adapters/bot-tokens.ts";
import type { Database } from "./adapters/database.ts";
import { JwtAuth } from "./adapters/auth-jwt.ts";
import { systemRuntime as runtime } from "./adapters/runtime-system.ts";
import type { Config } from "./config.ts";
import type { Accounts, AccountSession, AccountStore, SignIn } from "./core/accounts.ts";
import type { Auth, Principal } from "./core/auth.ts";
import { deleteAccount } from "./core/deletion.ts";
import type { Mail, Mailbox } from "./core/mail.ts";
import { Revocations, type RevocationStore } from "./core/revocations.ts";
import { Verifiers, type Verifier } from "./core/verifiers.ts";
import { readSecret } from "./engines.ts";
import { ChatError } from "./lib/errors.ts";
import type { Lifecycle } from "./lib/lifecycle.ts";
import type { Logger } from "./lib/logger.ts";

export interface SignInDeps {
  readonly config: Config;
  readonly accounts: AccountStore & RevocationStore;
  readonly database: Database;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** Where the page is; asked when it is needed first. */
  readonly baseUrl: () => string;
}

export interface OpenSignIn {
  readonly auth: Auth;
  readonly signIn: SignIn;
  readonly mailbox?: Mailbox;
  /** Not started yet. */
  readonly revocations: Revocations;
}

export async function openSignIn(deps: SignInDeps): Promise<OpenSignIn> {
  const { config, accounts: store, logger, lifecycle } = deps;
  const secret = readSecret(config);
  const revocations = new Revocations({ store, runtime, logger });
  const tokens = new JwtAuth({
    secret,
    stage: config.stage,
    lifeMs: config.auth.tokenLifeMs,
    nameLengthMax: config.limits.nameLengthMax,
    runtime,
  });
  const bots = new BotTokens({ store, runtime });
  const own = config.auth.guests ? tokens : membersOnly(tokens);
  const auth = new Verifiers({
    kinds: [own, bots, ...(await foreignKinds(config))],
    ...(config.auth.guests ? { issueGuest: (name: unknown) => tokens.issueGuest(name) } : {}),
    revocations,
  });
  const { mail, mailbox } = await openMail(config);
  const accounts = config.auth.accounts ? openAccounts(deps, { secret, mail, revocations }) : undefined;
  const sessionOf = async (headers: Headers): Promise<AccountSession | undefined> => {
    const session = await accounts?.sessionOf(headers);
    if (session) revocations.check(toPrincipal(session));
    return session;
  };
  const { code, isOwnerCode } = ownerCode(secret, config.stage);
  if ((await store.owner()) === undefined)
    logger.info("nobody owns this server yet: claim it", { ownerCode: code });
  lifecycle.onClose("revocations", () => revocations.close());
  return {
    auth,
    revocations,
    ...(mailbox ? { mailbox } : {}),
    signIn: {
      ...(accounts ? { accounts } : {}),
      bots,
      store,
      isOwnerCode,
      deleteAccount: (principal, password) =>
        deleteAccount(
          { store, ...(accounts ? { accounts } : {}), onDeleted: () => revocations.look() },
          principal,
          password,
        ),
      principalOf: async (headers) => {
        const session = await sessionOf(headers);
        return session && toPrincipal(session);
      },
      issueToken: async (headers) => {
        const session = await sessionOf(headers);
        if (!session) throw new ChatError("not_authenticated", "Sign in first.");
        const lifeMs = Math.min(config.auth.accessLifeMs, session.expiresAtMs - runtime.now());
        return { token: await tokens.issue(session, lifeMs), user: session.user, expiresInMs: lifeMs };
      },
    },
  };
}

function toPrincipal({ id, user, expiresAtMs }: AccountSession): Principal {
  return { user, expiresAtMs, subjects: [`session:${id}`, `user:${user.id}`] };
}

/** Guests may have tokens of a time when they were taken. */
function membersOnly(tokens: Verifier): Verifier {
  return {
    recognizes: (token) => tokens.recognizes(token),
    verify: async (token) => {
      const principal = await tokens.verify(token);
      if (principal.subjects.some((subject) => subject.startsWith("guest:"))) {
        throw new ChatError("invalid_token", "This server takes no guests: sign in.");
      }
      return principal;
    },
  };
}

async function foreignKinds({ auth: { foreign }, limits }: Config): Promise<readonly Verifier[]> {
  if (foreign === undefined) return [];
  const { ForeignAuth } = await import("./adapters/auth-foreign.ts");
  return [new ForeignAuth({ ...foreign, nameLengthMax: limits.nameLengthMax, runtime })];
}

/** By SMTP; else printed and kept, where only this machine can look. */
async function openMail({
  auth: { smtp },
  role,
  isProduction,
  http,
}: Config): Promise<{ mail?: Mail; mailbox?: Mailbox }> {
  if (smtp !== undefined) {
    const { SmtpMail } = await import("./adapters/mail-smtp.ts");
    return { mail: new SmtpMail(smtp) };
  }
  const isLocal = ["127.0.0.1", "::1", "localhost"].includes(http.host);
  if (role !== "all" || isProduction || !isLocal) return {};
  const { MailboxMail } = await import("./adapters/mail-mailbox.ts");
  const mail = new MailboxMail(runtime, (text) => console.log(text));
  return { mail, mailbox: mail };
}

/** Loaded when the first request needs it. */
function openAccounts(
  { config, database, logger, baseUrl }: SignInDeps,
  { secret, mail, revocations }: { secret: string; mail: Mail | undefined; revocations: Revocations },
): Accounts {
  const { github, google, isVerificationRequired, tokenLifeMs } = config.auth;
  const open = async (): Promise<Accounts> => {
    const { createAccounts } = await import("./auth/accounts.ts");
    return createAccounts({
      prisma: database.prisma,
      secret: derive(secret, "accounts").toString("base64url"),
      baseUrl: baseUrl(),
      origins: config.http.origins,
      ...(mail ? { mail } : {}),
      ...(github ? { github } : {}),
      ...(google ? { google } : {}),
      isVerificationRequired,
      nameLengthMax: config.limits.nameLengthMax,
      runtime,
      logger,
      onMember: (user) => revocations.revoke(`guest:${user}`, runtime.now() + tokenLifeMs),
    });
  };
  let opened: Promise<Accounts> | undefined;
  const accounts = () => (opened ??= open());
  return {
    handle: async (request, guest) => (await accounts()).handle(request, guest),
    sessionOf: async (headers) => (await accounts()).sessionOf(headers),
    proves: async (claim) => (await accounts()).proves(claim),
  };
}

/** The same on every node of a stage, and of no use once there is an owner. */
function ownerCode(secret: string, stage: string): { code: string; isOwnerCode(code: string): boolean } {
  const digest = derive(secret, `owner/${stage}`).toString("hex").slice(0, 24);
  const code = digest.replace(/(.{6})(?=.)/g, "$1-");
  const right = Buffer.from(code);
  return {
    code,
    isOwnerCode: (given) => {
      const bytes = Buffer.from(given);
      return bytes.length === right.length && timingSafeEqual(bytes, right);
    },
  };
}

/** A secret for one use, so that what is signed for one is never taken for another. */
function derive(secret: string, use: string): Buffer {
  return createHmac("sha256", secret).update(use).digest();
}
