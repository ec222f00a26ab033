/** Auth by signed tokens (JWT, HS256): one secret, shared by the nodes of a stage; no look-up, so no way to call one token back. */
import { createSecretKey, type KeyObject } from "node:crypto";
import { errors, jwtVerify, SignJWT, type JWTPayload } from "jose";
import type { Auth, GuestPass, Principal } from "../core/auth.ts";
import { readName } from "../core/names.ts";
import type { Runtime } from "../core/runtime.ts";
import { isUuidV7, uuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";

const ALGORITHM = "HS256";
const AUDIENCE = "skat";

export interface JwtAuthOptions {
  readonly secret: string;
  /** Named as the issuer, so that another stage with the same secret refuses the token. */
  readonly stage: string;
  /** How long a new token lives. */
  readonly lifeMs: number;
  readonly nameLengthMax: number;
  readonly runtime: Runtime;
}

export class JwtAuth implements Auth {
  readonly #options: JwtAuthOptions;
  readonly #key: KeyObject;
  readonly #issuer: string;

  constructor(options: JwtAuthOptions) {
    this.#options = options;
    this.#key = createSecretKey(options.secret, "utf8");
    this.#issuer = `skat/${options.stage}`;
  }

  async verify(token: string): Promise<Principal> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: this.#issuer,
        audience: AUDIENCE,
        requiredClaims: ["exp"],
        currentDate: new Date(this.#options.runtime.now()),
      });
      return toPrincipal(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        throw new ChatError("token_expired", "The token's time is over: get a new one.", { cause: error });
      }
      if (error instanceof errors.JOSEError) throw invalidToken(error);
      throw error;
    }
  }

  async issueGuest(name: unknown): Promise<GuestPass> {
    const { runtime, lifeMs, nameLengthMax } = this.#options;
    const user = { id: uuidV7(runtime), name: readName(name, "name", nameLengthMax) };
    const nowMs = runtime.now();
    const token = await new SignJWT({ name: user.name })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(user.id)
      .setIssuer(this.#issuer)
      .setAudience(AUDIENCE)
      .setIssuedAt(new Date(nowMs))
      .setExpirationTime(new Date(nowMs + lifeMs))
      .sign(this.#key);
    return { token, user };
  }
}

/** The signature is ours, so a claim of another form is a token that something else made with our secret. */
function toPrincipal({ sub, name, exp }: JWTPayload): Principal {
  if (typeof sub !== "string" || !isUuidV7(sub)) throw invalidToken();
  if (typeof name !== "string" || exp === undefined) throw invalidToken();
  return { user: { id: sub, name }, expiresAtMs: exp * 1000 };
}

function invalidToken(cause?: unknown): ChatError {
  return new ChatError("invalid_token", "The token is not one of this server's.", { cause });
}
