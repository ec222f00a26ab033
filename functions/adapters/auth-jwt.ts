/**
 * Our own tokens (JWT, HS256): one secret, shared by the nodes of a stage, so that each can issue and verify without asking anybody.
 *
 * Guests get one for weeks; who signed in gets one for minutes, as long as the session in the store lasts.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import { decodeJwt, errors, SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import type { AccountSession } from "../core/accounts.ts";
import type { GuestPass, Principal } from "../core/auth.ts";
import { readName } from "../core/names.ts";
import type { Runtime } from "../core/runtime.ts";
import { isUuidV7, uuidV7 } from "../core/uuid.ts";
import type { Verifier } from "../core/verifiers.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";

const ALGORITHM = "HS256";
const AUDIENCE = "skat";
/** What every token of ours begins with: no other algorithm, and nothing else, is looked at. */
const HEADER = headerOf(ALGORITHM);
const UNSECURED_HEADER = headerOf("none");

export interface JwtAuthOptions {
  readonly secret: string;
  /** Named as the issuer, so that another stage with the same secret refuses the token. */
  readonly stage: string;
  /** How long a guest's token lives. */
  readonly lifeMs: number;
  readonly nameLengthMax: number;
  readonly runtime: Runtime;
}

export class JwtAuth implements Verifier {
  readonly #options: JwtAuthOptions;
  readonly #key: KeyObject;
  readonly #issuer: string;

  constructor(options: JwtAuthOptions) {
    this.#options = options;
    this.#key = createSecretKey(options.secret, "utf8");
    this.#issuer = `skat/${options.stage}`;
  }

  recognizes(token: string): boolean {
    return issuerOf(token)?.startsWith("skat/") ?? false;
  }

  /**
   * The signature is computed here: jose has it done by the thread pool, with a key made anew each time, which costs a connection more
   * than all the rest of it. What is proved is then read by jose as a token without a signature.
   */
  async verify(token: string): Promise<Principal> {
    try {
      const { payload } = UnsecuredJWT.decode(`${UNSECURED_HEADER}.${this.#provedPayload(token)}.`, {
        issuer: this.#issuer,
        audience: AUDIENCE,
        requiredClaims: ["exp"],
        currentDate: new Date(this.#options.runtime.now()),
      });
      return toPrincipal(payload);
    } catch (error) {
      throw tokenError(error);
    }
  }

  #provedPayload(token: string): string {
    const [header, payload, signature, ...rest] = token.split(".");
    if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) {
      throw invalidToken();
    }
    const made = createHmac("sha256", this.#key).update(`${header}.${payload}`).digest("base64url");
    if (!isSame(signature, made)) throw invalidToken();
    return payload;
  }

  async issueGuest(name: unknown): Promise<GuestPass> {
    const { runtime, lifeMs, nameLengthMax } = this.#options;
    const user = { id: uuidV7(runtime), name: readName(name, "name", nameLengthMax) };
    return { token: await this.#sign(user, runtime.now() + lifeMs), user };
  }

  /** A token for a session of the store: it ends with it, or after `lifeMs`. */
  async issue({ id, user, expiresAtMs }: AccountSession, lifeMs: number): Promise<string> {
    return this.#sign(user, Math.min(expiresAtMs, this.#options.runtime.now() + lifeMs), { sid: id });
  }

  #sign({ id, name }: User, expiresAtMs: number, more: JWTPayload = {}): Promise<string> {
    return new SignJWT({ name, ...more })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(id)
      .setIssuer(this.#issuer)
      .setAudience(AUDIENCE)
      .setIssuedAt(new Date(this.#options.runtime.now()))
      .setExpirationTime(new Date(expiresAtMs))
      .sign(this.#key);
  }
}

function headerOf(alg: string): string {
  return Buffer.from(JSON.stringify({ alg })).toString("base64url");
}

/** In a time that tells nothing of where they differ. */
function isSame(given: string, made: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(made)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The signature is ours, so a claim of another form is a token that something else made with our secret. */
function toPrincipal({ sub, name, exp, sid }: JWTPayload): Principal {
  if (typeof sub !== "string" || !isUuidV7(sub)) throw invalidToken();
  if (typeof name !== "string" || exp === undefined) throw invalidToken();
  if (sid !== undefined && typeof sid !== "string") throw invalidToken();
  const grant = sid === undefined ? `guest:${sub}` : `session:${sid}`;
  return { user: { id: sub, name }, expiresAtMs: exp * 1000, subjects: [grant, `user:${sub}`] };
}

/** What a token says of its issuer, before anything is proved. */
export function issuerOf(token: string): string | undefined {
  try {
    const { iss }: Record<string, unknown> = decodeJwt(token); // it may be anything: only what is proved has its type
    return typeof iss === "string" ? iss : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** What an error of jose means for the one who sent the token. */
export function tokenError(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) {
    return new ChatError("token_expired", "The token's time is over: get a new one.", { cause: error });
  }
  return error instanceof errors.JOSEError ? invalidToken(error) : error;
}

export function invalidToken(cause?: unknown): ChatError {
  return new ChatError("invalid_token", "The token is not one of this server's.", { cause });
}
