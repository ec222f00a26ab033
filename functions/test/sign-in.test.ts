/** Signing in as on the open internet: under https, without guests, with another issuer, tokens that end soon, and hostile requests. */
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbedded, type Embedded } from "./harness.ts";
import { RawClient } from "./test-client.ts";
import { Visitor, type Answer } from "./visitor.ts";
import { waitFor } from "./wait-for.ts";

const ORIGIN = "https://chat.example.org";
const SECRET = "a secret of ours that only the tests of signing in know";
const THEIR_SECRET = "a secret of the other issuer, known to tests only";
const ISSUER = "https://login.example.org";
const ACCESS_S = 3;
const GRACE_MS = 1_000;
const PASSWORD = "correct horse battery";
const LONE = "\\ud83d";

let server: Embedded;
let member: Visitor;
beforeAll(async () => {
  server = await startEmbedded({
    AUTH_SECRET: SECRET,
    GUESTS: "false",
    ALLOWED_ORIGINS: ORIGIN,
    AUTH_ACCESS_SECONDS: String(ACCESS_S),
    AUTH_GRACE_SECONDS: String(GRACE_MS / 1000),
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: "chat",
    AUTH_JWT_SECRET: THEIR_SECRET,
    GITHUB_CLIENT_ID: "id",
    GITHUB_CLIENT_SECRET: "secret",
    RATE_SIGN_INS: "100000/60", // each hostile request is to be judged, not counted
  });
  member = new Visitor(server.url, ORIGIN);
  const answer = await member.post("/api/auth/sign-up/email", {
    name: "Ann",
    email: "ann@example.org",
    password: PASSWORD,
  });
  expect(answer.status).toBe(200);
}, 120_000);
afterAll(async () => void (await server?.stop()), 60_000);

const sign = (secret: string, claims: object, alg = "HS256"): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg })
    .setExpirationTime("1 hour")
    .sign(new TextEncoder().encode(secret));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const codeOf = ({ body }: Answer) => (body["error"] as { code?: string } | undefined)?.code;

describe("under https", () => {
  it("cookies are Secure, and browsers are told to stay with https", async () => {
    const visitor = new Visitor(server.url, ORIGIN);
    const answer = await visitor.post("/api/auth/sign-in/email", {
      email: "ann@example.org",
      password: PASSWORD,
    });
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^__Secure-skat\.session_token=.*; Secure/);
    expect(cookie).toContain("HttpOnly");
    expect(answer.headers.get("strict-transport-security")).toContain("max-age=31536000");
  });

  it("letters and other services are given the configured URL, whatever host a request names", async () => {
    const visitor = new Visitor(server.url, ORIGIN);
    const evil = { host: "evil.example", "x-forwarded-host": "evil.example" };
    const social = await visitor.post("/api/auth/sign-in/social", { provider: "github" }, evil);
    const url = new URL(String(social.body["url"]));
    expect(url.origin).toBe("https://github.com");
    expect(url.searchParams.get("redirect_uri")).toBe(`${ORIGIN}/api/auth/callback/github`);
    await visitor.post("/api/auth/request-password-reset", { email: "ann@example.org" }, evil);
    await waitFor(() => server.output().includes("A new password"), "the letter");
    expect(server.output()).toContain(`${ORIGIN}/api/auth/reset-password/`);
    expect(server.output()).not.toContain("evil.example");
  });
});

describe("without guests", () => {
  it("none are taken, and tokens from when they were are refused", async () => {
    const visitor = new Visitor(server.url, ORIGIN);
    const refused = await visitor.post("/api/guest", { name: "Eve" });
    expect([refused.status, codeOf(refused)]).toEqual([403, "guests_refused"]);
    const claims = { iss: "skat/dev", aud: "skat", name: "Eve", sub: "017f22e2-79b0-7000-8000-000000000000" };
    const old = await visitor.get("/api/rooms", bearer(await sign(SECRET, claims)));
    expect([old.status, codeOf(old)]).toEqual([401, "invalid_token"]);
  });
});

describe("another issuer", () => {
  const claims = { iss: ISSUER, aud: "chat", sub: "cat@corp", name: "Cat" };

  it("brings its people in, over HTTP and sockets", async () => {
    const token = await sign(THEIR_SECRET, claims);
    expect((await new Visitor(server.url).get("/api/rooms", bearer(token))).status).toBe(200);
    const client = await RawClient.open(server.url, token);
    expect(await client.next("welcome")).toMatchObject({ user: { name: "Cat" } });
    client.close();
  });

  it.each<[string, () => Promise<string>]>([
    ["in our name", () => sign(THEIR_SECRET, { ...claims, iss: "skat/dev", aud: "skat", sid: "x" })],
    ["with our secret in its name", () => sign(SECRET, claims)],
    ["for somebody else", () => sign(THEIR_SECRET, { ...claims, aud: "mail" })],
    ["by another algorithm", () => sign(THEIR_SECRET, claims, "HS512")],
    ["without a signature", async () => (await sign(THEIR_SECRET, claims)).replace(/[^.]+$/, "")],
  ])("can't sign %s", async (_what, make) => {
    const answer = await new Visitor(server.url).get("/api/rooms", bearer(await make()));
    expect([answer.status, codeOf(answer)]).toEqual([401, "invalid_token"]);
  });
});

describe("a token that ends", () => {
  it("[G13] is announced, and its session is closed after the grace", async () => {
    const token = await member.token();
    const client = await RawClient.open(server.url, token);
    const hint = await client.next("auth_expiring");
    expect(hint.graceMs).toBe(GRACE_MS);
    expect(hint.expiresInMs).toBeGreaterThan(0);
    expect(hint.expiresInMs).toBeLessThanOrEqual((ACCESS_S * 1000) / 2);
    expect(client.closed).toBeUndefined();
    const hintedAtMs = performance.now();
    await waitFor(() => client.closed, "the session to be closed");
    expect(client.closed).toEqual({ code: 4502, reason: "token_expired" });
    expect(performance.now() - hintedAtMs).toBeGreaterThan(hint.expiresInMs + GRACE_MS - 200);
    expect(codeOf(await new Visitor(server.url).get("/api/rooms", bearer(token)))).toBe("token_expired");
  });

  it("[G13] is refreshed in band: the session goes on, and is hinted at again", async () => {
    const client = await RawClient.open(server.url, await member.token());
    const endMs = performance.now() + ACCESS_S * 1000 + GRACE_MS;
    await client.next("auth_expiring");
    const from = client.frames.length;
    expect(await client.ask({ type: "auth", token: await member.token() })).toMatchObject({
      type: "welcome",
    });
    await client.next("auth_expiring", from);
    await client.ask({ type: "auth", token: await member.token() });
    await waitFor(() => performance.now() > endMs, "the first token's end and grace");
    expect(client.closed).toBeUndefined();
    client.close();
  });
});

describe("what is hostile is answered, and is no fault of the server", () => {
  const auth = "/api/auth";
  const json = (value: unknown) => JSON.stringify(value);
  const account = { name: "Eve", email: "eve@example.org", password: PASSWORD };
  const form = { "content-type": "application/x-www-form-urlencoded" };

  it.each<[what: string, path: string, body: string, headers?: Record<string, string>]>([
    ["no JSON", `${auth}/sign-up/email`, "{"],
    ["nothing", `${auth}/sign-up/email`, ""],
    ["null", `${auth}/sign-up/email`, "null"],
    ["an array", `${auth}/sign-in/email`, "[]"],
    ["a form", `${auth}/sign-in/email`, "email=a&password=b", form],
    [
      "plain text, as a foreign form may send it",
      `${auth}/sign-in/email`,
      json(account),
      { "content-type": "text/plain" },
    ],
    ["a name that is an object", `${auth}/sign-up/email`, json({ ...account, name: { $gt: "" } })],
    ["a name with NUL", `${auth}/sign-up/email`, json({ ...account, name: "a\0b" })],
    ["a name with half a pair", `${auth}/sign-up/email`, json(account).replace("Eve", LONE)],
    ["a name that turns the text", `${auth}/sign-up/email`, json({ ...account, name: "\u202eevE" })],
    ["a name of 65 characters", `${auth}/sign-up/email`, json({ ...account, name: "x".repeat(65) })],
    ["no name", `${auth}/sign-up/email`, json({ ...account, name: undefined })],
    ["an address that is none", `${auth}/sign-up/email`, json({ ...account, email: "eve" })],
    ["two addresses", `${auth}/sign-up/email`, json({ ...account, email: "a@b.c,d@e.f" })],
    [
      "an address with a line break",
      `${auth}/sign-up/email`,
      json({ ...account, email: "a@b.c\r\nBcc: d@e.f" }),
    ],
    [
      "an address that is an array",
      `${auth}/sign-in/email`,
      json({ ...account, email: ["eve@example.org"] }),
    ],
    ["a password that is an object", `${auth}/sign-in/email`, json({ ...account, password: { $ne: "" } })],
    ["a short password", `${auth}/sign-up/email`, json({ ...account, password: "short" })],
    [
      "a password of 10,000 characters",
      `${auth}/sign-up/email`,
      json({ ...account, password: "x".repeat(10_000) }),
    ],
    ["SQL in the address", `${auth}/sign-in/email`, json({ ...account, email: "' OR 1=1 --@x.y" })],
    [
      "a picture that is a script",
      `${auth}/sign-up/email`,
      json({ ...account, image: "javascript:alert(1)" }),
    ],
    ["a colour that is none", `${auth}/sign-up/email`, json({ ...account, color: "red;}" })],
    [
      "a way out to another site",
      `${auth}/sign-up/email`,
      json({ ...account, callbackURL: "https://evil.example" }),
    ],
    [
      "a sign-in that leads to another site",
      `${auth}/sign-in/email`,
      json({ ...account, callbackURL: "//evil.example" }),
    ],
    [
      "a reset that leads to another site",
      `${auth}/request-password-reset`,
      json({ email: "ann@example.org", redirectTo: "https://evil.example" }),
    ],
    [
      "a reset with a token that is none",
      `${auth}/reset-password`,
      json({ newPassword: PASSWORD, token: "x" }),
    ],
    ["a reset with NUL", `${auth}/reset-password`, json({ newPassword: PASSWORD, token: "\0" })],
    ["an unknown service", `${auth}/sign-in/social`, json({ provider: "evil" })],
    ["a service that is an inherited name", `${auth}/sign-in/social`, json({ provider: "constructor" })],
    [
      "a service that leads to another site",
      `${auth}/sign-in/social`,
      json({ provider: "github", callbackURL: "https://evil.example" }),
    ],
    ["a path that is none", `${auth}/no/such/path`, "{}"],
    ["a path that climbs", `${auth}/../token`, "{}"],
    ["a change of the address", `${auth}/change-email`, json({ newEmail: "root@example.org" })],
    ["an account's deletion", `${auth}/delete-user`, "{}"],
    [
      "a password's change without a session",
      `${auth}/change-password`,
      json({ currentPassword: "x", newPassword: PASSWORD }),
    ],
    ["a list of sessions without one", `${auth}/revoke-sessions`, "{}"],
    ["a token without a session", "/api/token", "{}"],
    ["an owner without a session", "/api/owner", json({ code: "x" })],
    ["a bot without a session", "/api/bots", json({ name: "x", scopes: ["read"] })],
    [
      "a cookie of 10,000 characters",
      "/api/token",
      "{}",
      { cookie: `skat.session_token=${"x".repeat(10_000)}` },
    ],
    ["a cookie with NUL", "/api/token", "{}", { cookie: "__Secure-skat.session_token=%00.%00" }],
    ["a cookie in broken escapes", "/api/token", "{}", { cookie: "__Secure-skat.session_token=%E0%A4%A" }],
    ["many cookies", "/api/token", "{}", { cookie: "__Secure-skat.session_token=a.b; ".repeat(200) }],
  ])("%s", async (_what, path, body, headers) => {
    const answer = await new Visitor(server.url, ORIGIN).send(path, body, headers);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.getSetCookie().filter((cookie) => /session_token=[^;]/.test(cookie))).toEqual([]);
  });

  it.each([
    `${auth}/verify-email?token=x`,
    `${auth}/verify-email?token=%00`,
    `${auth}/verify-email?token=x&callbackURL=https://evil.example`,
    `${auth}/reset-password/x?callbackURL=https://evil.example`,
    `${auth}/callback/github?code=x&state=y`,
    `${auth}/callback/evil`,
    `${auth}/error?error=%3Cscript%3Ealert(1)%3C/script%3E`,
    `${auth}/get-session`,
    "/dev/mailbox?x=%3Cscript%3E",
  ])("GET %s", async (path) => {
    const answer = await new Visitor(server.url, ORIGIN).get(path);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get("location") ?? "").not.toMatch(/^(https?:)?\/\/evil/);
    expect(answer.text).not.toContain("<script>alert");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("leaves the account as it was", async () => {
    const { user } = (await member.get(`${auth}/get-session`)).body as { user: object };
    expect(user).toMatchObject({ name: "Ann", email: "ann@example.org", image: null, color: null });
    const eve = await new Visitor(server.url, ORIGIN).post(`${auth}/sign-in/email`, account);
    expect(eve.status).toBe(401);
  });
});
