/** Tokens of another issuer: which are accepted, as whom, and what no trick with header or claims brings in. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWTHeaderParameters,
} from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ForeignAuth, userIdOf } from "../adapters/auth-foreign.ts";
import { systemRuntime as runtime } from "../adapters/runtime-system.ts";

const ISSUER = "https://login.example.org";
const AUDIENCE = "chat";
const SECRET = "a secret that only the other backend knows";
const GOOD = { iss: ISSUER, aud: AUDIENCE, sub: "ann@corp", name: "Ann", exp: Date.now() / 1000 + 600 };
const code = (value: string) => expect.objectContaining({ name: "ChatError", code: value });

function sign(
  key: CryptoKey | Uint8Array,
  header: JWTHeaderParameters,
  claims: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT({ ...GOOD, ...claims }).setProtectedHeader(header).sign(key);
}

/** An issuer's list of keys, over HTTP. */
class KeyList {
  readonly #server: Server;
  keys: object[] = [];
  asked = 0;
  isAway = false;

  constructor() {
    this.#server = createServer((_req, res) => {
      this.asked++;
      res.writeHead(this.isAway ? 503 : 200, { "content-type": "application/json" });
      res.end(this.isAway ? "away" : JSON.stringify({ keys: this.keys }));
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  async add(alg: string, kid: string): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
    const pair = await generateKeyPair(alg, { extractable: true });
    this.keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: "sig" });
    return pair;
  }

  close(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

const options = { issuer: ISSUER, audience: AUDIENCE, nameLengthMax: 64, runtime };
const bySecret = new ForeignAuth({ ...options, keys: { secret: SECRET } });
const secretKey = new TextEncoder().encode(SECRET);

describe("a token of another issuer, by secret", () => {
  it("names the same user every time, and no other's", async () => {
    const first = await bySecret.verify(await sign(secretKey, { alg: "HS256" }));
    const again = await bySecret.verify(await sign(secretKey, { alg: "HS256" }, { name: "Ann B." }));
    expect(again.user).toEqual({ id: first.user.id, name: "Ann B." });
    expect(first.user.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(first.user.id).toBe(userIdOf(ISSUER, "ann@corp"));
    expect(userIdOf(ISSUER, "ben")).not.toBe(first.user.id);
    expect(userIdOf("https://other.example", "ann@corp")).not.toBe(first.user.id);
    expect(first.subjects).toEqual([`user:${first.user.id}`]);
  });

  it("[G13] can't say that it is a user of ours", async () => {
    const ours = "017f22e2-79b0-7000-8000-000000000000";
    const { user } = await bySecret.verify(await sign(secretKey, { alg: "HS256" }, { sub: ours }));
    expect(user.id).not.toBe(ours);
  });

  it("has a name, another name, or its subject for one", async () => {
    const nameOf = async (claims: Record<string, unknown>) =>
      (await bySecret.verify(await sign(secretKey, { alg: "HS256" }, claims))).user.name;
    expect(await nameOf({ name: undefined, preferred_username: "ann" })).toBe("ann");
    expect(await nameOf({ name: undefined })).toBe("ann@corp");
    expect(await nameOf({ name: "x".repeat(500) })).toHaveLength(64);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["another issuer", { iss: "https://evil.example" }, "invalid_token"],
    ["no issuer", { iss: undefined }, "invalid_token"],
    ["another audience", { aud: "mail" }, "invalid_token"],
    ["no audience", { aud: undefined }, "invalid_token"],
    ["no end", { exp: undefined }, "invalid_token"],
    ["an end that is over", { exp: 1 }, "token_expired"],
    ["a beginning that is to come", { nbf: Date.now() / 1000 + 600 }, "invalid_token"],
    ["no subject", { sub: undefined }, "invalid_token"],
    ["an empty subject", { sub: "" }, "invalid_token"],
    ["a name of direction marks", { name: "\u202eAnn" }, "invalid_token"],
    ["a name that is a number", { name: 5 }, "invalid_token"],
  ])("with %s is refused", async (_what, claims, expected) => {
    await expect(bySecret.verify(await sign(secretKey, { alg: "HS256" }, claims))).rejects.toEqual(
      code(expected),
    );
  });

  it("is HS256 and nothing else", async () => {
    const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(GOOD)).toString("base64url")}.`;
    await expect(bySecret.verify(none)).rejects.toEqual(code("invalid_token"));
    const longer = await sign(secretKey, { alg: "HS512" });
    await expect(bySecret.verify(longer)).rejects.toEqual(code("invalid_token"));
    const { privateKey } = await generateKeyPair("EdDSA");
    await expect(bySecret.verify(await sign(privateKey, { alg: "EdDSA" }))).rejects.toEqual(
      code("invalid_token"),
    );
  });
});

describe("a token of another issuer, by its list of keys", () => {
  const list = new KeyList();
  let byKeys: ForeignAuth;
  let jwksUrl = "";
  const pairs: Record<string, { privateKey: CryptoKey; publicKey: CryptoKey }> = {};
  beforeAll(async () => {
    jwksUrl = await list.open();
    for (const alg of ["RS256", "ES256", "EdDSA"]) pairs[alg] = await list.add(alg, `key-${alg}`);
    byKeys = new ForeignAuth({ ...options, keys: { jwksUrl } });
  });
  afterAll(() => list.close());
  const pair = (alg: string) => pairs[alg] as { privateKey: CryptoKey; publicKey: CryptoKey };

  it.each(["RS256", "ES256", "EdDSA"])("is accepted with %s, and the list is read once", async (alg) => {
    const token = await sign(pair(alg).privateKey, { alg, kid: `key-${alg}` });
    await expect(byKeys.verify(token)).resolves.toMatchObject({ user: { name: "Ann" } });
    await byKeys.verify(token);
    expect(list.asked).toBe(1);
  });

  it("is never taken by a secret that is the public key", async () => {
    const pem = new TextEncoder().encode(await exportSPKI(pair("RS256").publicKey));
    const token = await sign(pem, { alg: "HS256", kid: "key-RS256" });
    await expect(byKeys.verify(token)).rejects.toEqual(code("invalid_token"));
  });

  it.each<[string, () => Promise<JWTHeaderParameters>]>([
    ["a kid that climbs", async () => ({ alg: "ES256", kid: "../../../dev/null" })],
    ["a kid that asks the database", async () => ({ alg: "ES256", kid: "' OR 1=1 --" })],
    ["a kid of another algorithm", async () => ({ alg: "ES256", kid: "key-RS256" })],
    [
      "its own list of keys",
      async () => ({ alg: "ES256", kid: "key-ES256", jku: "https://evil.example/keys" }),
    ],
    [
      "its own key",
      async () => ({ alg: "ES256", kid: "key-ES256", jwk: await exportJWK(pair("EdDSA").publicKey) }),
    ],
    ["a kid of 10,000 characters", async () => ({ alg: "ES256", kid: "k".repeat(10_000) })],
  ])("signed by a stranger with %s is refused", async (_what, header) => {
    const { privateKey } = await generateKeyPair("ES256");
    await expect(byKeys.verify(await sign(privateKey, await header()))).rejects.toEqual(
      code("invalid_token"),
    );
  });

  it("with a demand that nobody here understands is refused", async () => {
    const claims = new SignJWT(GOOD).setProtectedHeader({
      alg: "ES256",
      kid: "key-ES256",
      crit: ["x"],
      x: 1,
    });
    const token = await claims.sign(pair("ES256").privateKey, { crit: { x: true } });
    await expect(byKeys.verify(token)).rejects.toEqual(code("invalid_token"));
  });

  it("is accepted after the issuer changed its keys, as soon as the list may be read again", async () => {
    let nowMs = Date.now();
    const real = Date.now;
    const fresh = new ForeignAuth({ ...options, keys: { jwksUrl } });
    await fresh.verify(await sign(pair("EdDSA").privateKey, { alg: "EdDSA", kid: "key-EdDSA" }));
    const next = await list.add("EdDSA", "next");
    const token = await sign(next.privateKey, { alg: "EdDSA", kid: "next" });
    const askedBefore = list.asked;
    await expect(fresh.verify(token)).rejects.toEqual(code("invalid_token"));
    expect(list.asked).toBe(askedBefore); // a stranger's kid does not make us ask again and again
    Date.now = () => (nowMs += 11_000);
    try {
      await expect(fresh.verify(token)).resolves.toMatchObject({ user: { name: "Ann" } });
    } finally {
      Date.now = real;
    }
  });

  it("can't be judged while the list can't be read: try again", async () => {
    list.isAway = true;
    const fresh = new ForeignAuth({ ...options, keys: { jwksUrl } });
    const token = await sign(pair("ES256").privateKey, { alg: "ES256", kid: "key-ES256" });
    await expect(fresh.verify(token)).rejects.toEqual(code("unavailable"));
    const nowhere = new ForeignAuth({ ...options, keys: { jwksUrl: "http://127.0.0.1:1/keys" } });
    await expect(nowhere.verify(token)).rejects.toEqual(code("unavailable"));
    list.isAway = false;
    await expect(fresh.verify(token)).resolves.toMatchObject({ user: { name: "Ann" } });
  });
});
