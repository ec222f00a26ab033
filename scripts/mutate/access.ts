/** Who may do what, for how long, and how often. */
import type { Mutation } from "./mutations.ts";

const ROOMS = "functions/test/rooms.test.ts";
const LATE_CHANGES = "functions/test/late-changes.test.ts";
const ACCOUNTS = "functions/test/accounts.test.ts";

export const ACCESS_MUTATIONS: readonly Mutation[] = [
  {
    name: "asked-together",
    mechanism: "G11 whom a node does not know is asked for together with the others that come at once",
    file: "functions/core/together.ts",
    edits: [["if (!this.#isAsking) void this.#askWaiting();", "void this.#askWaiting();"]],
    noticedBy: ["functions/test/together.test.ts", "goes as one"],
  },
  {
    name: "signature-of-tokens",
    mechanism: "G13 a token's signature is compared",
    file: "functions/adapters/auth-jwt.ts",
    edits: [["    if (!isSame(signature, made)) throw invalidToken();\n", ""]],
    noticedBy: ["functions/test/auth-jwt.test.ts", "changed claims"],
  },
  {
    name: "header-of-tokens",
    mechanism: "G13 a token with a header that is not ours is refused",
    file: "functions/adapters/auth-jwt.ts",
    edits: [["header !== HEADER || payload", "payload"]],
    noticedBy: ["functions/test/auth-jwt.test.ts", "a header with more in it"],
  },
  {
    name: "follow-in-time",
    mechanism: "G13 a change takes effect although its notice was lost",
    file: "functions/core/follower.ts",
    edits: [["const FOLLOW_MS = 1_500;", "const FOLLOW_MS = 600_000;"]],
    noticedBy: [ROOMS, "real engines.*without a notice"],
  },
  {
    name: "late-join",
    mechanism: "G13 who is put out while it joins gets no page",
    file: "functions/core/room.ts",
    edits: [["    if (!member.hears(this.id)) return;\n", ""]],
    noticedBy: [LATE_CHANGES, "join is under way gets no page"],
  },
  {
    name: "late-change",
    mechanism: "G13 a change of the room counts for who is joining it",
    file: "functions/core/room.ts",
    edits: [["[...this.members, ...this.#joining]", "[...this.members]"]],
    noticedBy: [LATE_CHANGES, "archived while a join is under way"],
  },
  {
    name: "late-history",
    mechanism: "G13 who is put out while its page of history is read does not get it",
    file: "functions/http/chat-routes.ts",
    edits: [
      [
        "        await checkStanding(); // who was put out meanwhile gets nothing of what was said since\n",
        "",
      ],
    ],
    noticedBy: [LATE_CHANGES, "page of history is being read"],
  },
  {
    name: "out-of-the-room",
    mechanism: "G13 who is no member any more hears nothing more",
    file: "functions/core/session.ts",
    edits: [["    this.#detach(room);\n", ""]],
    noticedBy: [ROOMS, "embedded.*a ban takes effect"],
  },
  {
    name: "retry-of-the-banned",
    mechanism: "G2 a retry of what was sent before a ban gets its first answer again",
    file: "functions/core/session.ts",
    edits: [["maybeSent ? await chat.repeat(send) : undefined", "maybeSent ? undefined : undefined"]],
    noticedBy: [ROOMS, "embedded.*retry of what was sent"],
  },
  {
    name: "unknown-to-strangers",
    mechanism: "G13 a private room is unknown to strangers",
    file: "functions/core/permissions.ts",
    edits: [['(!member && standing.room.kind !== "public")', "false"]],
    noticedBy: [ROOMS, "embedded.*answers a stranger exactly"],
  },
  {
    name: "counted-together",
    mechanism: "nodes count rates together",
    file: "functions/adapters/rate-limiter.ts",
    edits: [["(this.#shards?.at(COMMON_PARTITION)?.limiters ?? this.#own)", "this.#own"]],
    noticedBy: ["functions/test/limits.test.ts", "two nodes count together"],
  },
  {
    name: "trusted-hops",
    mechanism: "an address is believed of trusted proxies only",
    file: "functions/lib/client-address.ts",
    edits: [["hops.at(-trustedHops)", "hops.at(0)"]],
    noticedBy: ["functions/test/limits.test.ts", "client wrote a header itself"],
  },
  {
    name: "revocation-trigger",
    mechanism: "G13 a session that is deleted is called back",
    file: "prisma/migrations/20261124150000_accounts/migration.sql",
    edits: [["VALUES ('session:' || OLD.", "VALUES ('nothing:' || OLD."]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*signing out ends"],
  },
  {
    name: "origin-check",
    mechanism: "a page of another origin can't use a visitor's cookie",
    file: "functions/http/security.ts",
    edits: [
      ["if (!SAFE_METHODS.has(c.req.method) && !isAllowed)", "if (c.req.method === 'NONE' && !isAllowed)"],
    ],
    noticedBy: [ACCOUNTS, "accounts on embedded.*a page of another origin"],
  },
  {
    name: "scopes",
    mechanism: "a token that was made to read can't write",
    file: "functions/core/auth.ts",
    edits: [["if (scopes !== undefined && !scopes.includes(scope))", "if (scopes?.length === 0 && scope)"]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*the printed code"],
  },
  {
    name: "guess-limit",
    mechanism: "guessing a password is slowed down by the account, however it is written",
    file: "functions/http/accounts.ts",
    edits: [
      ['if (email !== undefined) await rates.take("signIns"', 'if (email === "") await rates.take("signIns"'],
    ],
    noticedBy: [ACCOUNTS, "accounts on embedded.*guessing a password"],
  },
  {
    name: "guest-token-ends",
    mechanism: "the token of a guest ends when it becomes a member",
    file: "functions/sign-in.ts",
    edits: [["revocations.revoke(`guest:${user}`", "revocations.revoke(`nobody:${user}`"]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*a guest who signs up"],
  },
  {
    name: "other-users-token",
    mechanism: "a session stays its user's: another user's token is refused",
    file: "functions/core/session.ts",
    edits: [["if (isOther && !this.#isAssumed)", "if (isOther && this.#closed)"]],
    noticedBy: [ACCOUNTS, "accounts on embedded.*an upgrade with the cookie"],
  },
  {
    name: "slow-requests",
    mechanism: "a request that comes byte by byte is cut",
    file: "functions/http/server.ts",
    edits: [
      ["headersTimeout: 8_000", "headersTimeout: 600_000"],
      ["requestTimeout: 30_000", "requestTimeout: 600_000"],
    ],
    noticedBy: ["functions/test/bad-input.test.ts", "embedded.*byte by byte"],
  },
  {
    name: "issuer-is-text",
    mechanism: "what a token claims is not believed to be a text",
    file: "functions/adapters/auth-jwt.ts",
    edits: [['return typeof iss === "string" ? iss : undefined;', "return iss as string;"]],
    noticedBy: ["functions/test/fuzz.test.ts", "no token but the server's own"],
  },
];
