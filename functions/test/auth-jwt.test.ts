/** Names and tokens: what is issued, what is accepted, what is refused and as what. */
import { SignJWT, decodeJwt, type JWTPayload } from "jose";
import { describe, expect, it } from "vitest";
import { JwtAuth } from "../adapters/auth-jwt.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { readName } from "../core/names.ts";
import { isUuidV7 } from "../core/uuid.ts";
import type { ErrorCode } from "../protocol.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const LIFE_MS = 60_000;
const USER = "017f22e2-79b0-7000-8000-000000000000";
const code = (value: ErrorCode) => expect.objectContaining({ name: "ChatError", code: value });

function anAuth({ secret = SECRET, stage = "pr-12", now = () => Date.now() } = {}): JwtAuth {
  return new JwtAuth({
    secret,
    stage,
    lifeMs: LIFE_MS,
    nameLengthMax: 64,
    runtime: { ...systemRuntime, now },
  });
}

function sign(
  claims: { readonly [Claim in keyof JWTPayload]?: unknown },
  alg = "HS256",
  secret = SECRET,
  header: object = {},
): Promise<string> {
  const good = { iss: "skat/pr-12", aud: "skat", sub: USER, name: "Ann", exp: Date.now() / 1000 + 60 };
  return new SignJWT({ ...good, ...claims } as JWTPayload)
    .setProtectedHeader({ ...header, alg })
    .sign(new TextEncoder().encode(secret));
}

describe("tokens", () => {
  it("name a new user, whom every node of the stage accepts until the token's end", async () => {
    const beforeMs = Date.now();
    const { token, user } = await anAuth().issueGuest("  Ann ");
    expect(user.name).toBe("Ann");
    expect(isUuidV7(user.id)).toBe(true);
    const principal = await anAuth().verify(token);
    expect(principal.user).toEqual(user);
    expect(principal.expiresAtMs).toBeGreaterThan(beforeMs + LIFE_MS - 1001);
    expect(principal.expiresAtMs).toBeLessThanOrEqual(Date.now() + LIFE_MS);
  });

  it("hold the user and nothing more", async () => {
    const { token } = await anAuth().issueGuest("Ann");
    expect(Object.keys(decodeJwt(token)).sort()).toEqual(["aud", "exp", "iat", "iss", "name", "sub"]);
  });

  it("two guests of one name are two users", async () => {
    const [first, second] = await Promise.all([anAuth().issueGuest("Ann"), anAuth().issueGuest("Ann")]);
    expect(first.user.id).not.toBe(second.user.id);
  });

  it("[G13] end at their time, not a second later", async () => {
    let nowMs = 1_700_000_000_000;
    const auth = anAuth({ now: () => nowMs });
    const { token } = await auth.issueGuest("Ann");
    nowMs += LIFE_MS - 1;
    await expect(auth.verify(token)).resolves.toMatchObject({ expiresAtMs: 1_700_000_000_000 + LIFE_MS });
    nowMs += 1;
    await expect(auth.verify(token)).rejects.toEqual(code("token_expired"));
  });

  it("[G12] of another stage with the same secret are refused", async () => {
    const { token } = await anAuth({ stage: "production" }).issueGuest("Ann");
    await expect(anAuth({ stage: "pr-12" }).verify(token)).rejects.toEqual(code("invalid_token"));
  });

  it.each<[string, () => Promise<string>]>([
    ["nothing", async () => ""],
    ["a word", async () => "token"],
    ["three dots", async () => "..."],
    ["a lone surrogate", async () => "\ud800"],
    ["60,000 characters", async () => "x".repeat(60_000)],
    ["one of another secret", () => sign({}, "HS256", "another secret of 32 characters!")],
    [
      "one of another secret that is over",
      () => sign({ exp: 1 }, "HS256", "another secret of 32 characters!"),
    ],
    ["another algorithm", () => sign({}, "HS512", SECRET.repeat(2))],
    ["no algorithm", async () => unsigned(await sign({}))],
    ["a header with more in it", () => sign({}, "HS256", SECRET, { typ: "JWT" })],
    ["a part more", async () => `${await sign({})}.x`],
    ["a signature cut short", async () => (await sign({})).slice(0, -1)],
    ["no signature", async () => (await sign({})).replace(/[^.]*$/, "")],
    ["changed claims", async () => changed(await sign({}))],
    ["no issuer", () => sign({ iss: undefined })],
    ["another audience", () => sign({ aud: "other" })],
    ["no end", () => sign({ exp: undefined })],
    ["an end that is a text", () => sign({ exp: "tomorrow" })],
    ["no user", () => sign({ sub: undefined })],
    ["a user that is no id", () => sign({ sub: "ann" })],
    ["no name", () => sign({ name: undefined })],
    ["a name that is a number", () => sign({ name: 7 })],
    ["a time before which it is not valid", () => sign({ nbf: Date.now() / 1000 + 1000 })],
  ])("[G13] are refused as invalid: %s", async (_, make) => {
    await expect(anAuth().verify(await make())).rejects.toEqual(code("invalid_token"));
  });

  it("that are over are told so, and only if they are ours", async () => {
    await expect(anAuth().verify(await sign({ exp: 1 }))).rejects.toEqual(code("token_expired"));
  });

  it("are accepted as the refusals' base case is", async () => {
    await expect(anAuth().verify(await sign({}))).resolves.toMatchObject({ user: { id: USER, name: "Ann" } });
  });

  it.each([undefined, null, 7, {}, "", " ", "a\nb"])("are not issued for the name %j", async (name) => {
    await expect(anAuth().issueGuest(name)).rejects.toEqual(code("invalid_field"));
  });
});

describe("names", () => {
  it.each([
    ["Ann", "Ann"],
    [" Ann\t\n", "Ann"],
    ["Ann Lee", "Ann Lee"],
    ["Zoë 🧑‍🤝‍🧑", "Zoë 🧑‍🤝‍🧑"],
    ["שלום", "שלום"],
    ["'; drop table --", "'; drop table --"],
    ["x".repeat(64), "x".repeat(64)],
    ["__proto__", "__proto__"],
  ])("%j is one", (text, name) => {
    expect(readName(text)).toBe(name);
  });

  it.each([
    ["", "empty"],
    [" \u00a0\ufeff", "only white space"],
    ["\u200b\u200d", "nothing visible"],
    ["x".repeat(65), "too long"],
    ["a\0b", "NUL"],
    ["a\nb", "a line break"],
    ["a\u0085b", "a next-line mark"],
    ["a\u2028b", "a line separator"],
    ["a\u001b[31mb", "an escape"],
    ["a\ud800", "half a pair"],
    ["\udc00a", "the other half"],
    ["ann\u202egnp", "a mark that turns the direction"],
  ])("%j is none (%s)", (text) => {
    expect(() => readName(text, "name")).toThrow(code("invalid_field"));
  });

  it("the refusal names the field and the bound", () => {
    expect(() => readName(7, "room")).toThrow("`room` must be a string.");
    expect(() => readName("abcdef", "title", 5)).toThrow("`title` is longer than 5 characters.");
  });
});

function unsigned(token: string): string {
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  return `${none}.${token.split(".")[1] ?? ""}.`;
}

function changed(token: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims = Buffer.from(payload, "base64url").toString().replace("Ann", "Bob");
  return `${header}.${Buffer.from(claims).toString("base64url")}.${signature}`;
}
