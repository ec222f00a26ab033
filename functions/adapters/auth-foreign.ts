/**
 * Tokens of another issuer (JWT): a company's own login, or another backend.
 *
 * Issuer and audience must be the configured ones. The kind of key decides the algorithms, never the token: a secret is HS256, and
 * keys from a JWKS URL are RS256, ES256 or EdDSA, so that a public key is never taken for a secret.
 */
import { createHash, createSecretKey } from "node:crypto";
import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from "jose";
import type { Principal } from "../core/auth.ts";
import { readName } from "../core/names.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Verifier } from "../core/verifiers.ts";
import { ChatError } from "../lib/errors.ts";
import { invalidToken, issuerOf, tokenError } from "./auth-jwt.ts";

export interface ForeignAuthOptions {
  /** Where the keys come from: one secret, or a URL that lists public keys. */
  readonly keys: { readonly secret: string } | { readonly jwksUrl: string };
  readonly issuer: string;
  readonly audience: string;
  readonly nameLengthMax: number;
  readonly runtime: Runtime;
}

/** Keys are fetched again after this, and at once for a key that is not known, though not more often than the second says. */
const KEYS_AGE_MS = 10 * 60_000;
const KEYS_COOLDOWN_MS = 10_000;
const KEYS_TIMEOUT_MS = 5_000;
const ASYMMETRIC = ["RS256", "ES256", "EdDSA"];

export class ForeignAuth implements Verifier {
  readonly #options: ForeignAuthOptions;
  readonly #verify: (token: string, options: JWTVerifyOptions) => Promise<{ payload: JWTPayload }>;

  constructor(options: ForeignAuthOptions) {
    this.#options = options;
    this.#verify = verifyWith(options.keys);
  }

  recognizes(token: string): boolean {
    return issuerOf(token) === this.#options.issuer;
  }

  async verify(token: string): Promise<Principal> {
    const { issuer, audience, runtime } = this.#options;
    const currentDate = new Date(runtime.now());
    const requiredClaims = ["exp", "sub"];
    const { payload } = await this.#verify(token, { issuer, audience, requiredClaims, currentDate }).catch(
      (error: unknown) => {
        if (isKeysAway(error)) throw keysAway(error);
        throw tokenError(error);
      },
    );
    return this.#toPrincipal(payload);
  }

  #toPrincipal({ sub, exp, ...claims }: JWTPayload): Principal {
    const { issuer, nameLengthMax } = this.#options;
    if (typeof sub !== "string" || sub === "" || exp === undefined) throw invalidToken();
    const id = userIdOf(issuer, sub);
    const name = readForeignName(claims["name"] ?? claims["preferred_username"] ?? sub, nameLengthMax);
    return { user: { id, name }, expiresAtMs: exp * 1000, subjects: [`user:${id}`] };
  }
}

function verifyWith(keys: ForeignAuthOptions["keys"]) {
  if ("secret" in keys) {
    const key = createSecretKey(keys.secret, "utf8");
    return (token: string, options: JWTVerifyOptions) =>
      jwtVerify(token, key, { ...options, algorithms: ["HS256"] });
  }
  const getKey: JWTVerifyGetKey = createRemoteJWKSet(new URL(keys.jwksUrl), {
    cacheMaxAge: KEYS_AGE_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
  });
  return (token: string, options: JWTVerifyOptions) =>
    jwtVerify(token, getKey, { ...options, algorithms: ASYMMETRIC });
}

/** A UUID of the subject (RFC 9562, version 8): the same every time, and no other user's, whatever the issuer calls its people. */
export function userIdOf(issuer: string, subject: string): string {
  const bytes = createHash("sha256").update(`${issuer}\0${subject}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function readForeignName(value: unknown, lengthMax: number): string {
  try {
    return readName(typeof value === "string" ? value.trim().slice(0, lengthMax) : value, "name", lengthMax);
  } catch (cause) {
    throw invalidToken(cause);
  }
}

/** The issuer, not the token, is at fault: no answer in time, or none that lists keys. */
function isKeysAway(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  return (
    error instanceof TypeError || (error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC")
  );
}

function keysAway(cause: unknown): ChatError {
  return new ChatError("unavailable", "The keys of the token's issuer can't be read now.", {
    cause,
    retryAfterMs: 2_000,
  });
}
