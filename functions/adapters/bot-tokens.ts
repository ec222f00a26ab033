/** The tokens of bots: random, shown once, and kept as a digest, so that the store's reader can't speak as a bot. */
import { createHash, randomBytes } from "node:crypto";
import type { BotIssuer, BotStore, BotToken, NewBotToken } from "../core/accounts.ts";
import type { Principal, Scope } from "../core/auth.ts";
import type { Runtime } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import type { Verifier } from "../core/verifiers.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";

const PREFIX = "skat_bot_";
const FORM = /^skat_bot_[\w-]{43}$/;

export interface BotTokensOptions {
  readonly store: BotStore;
  readonly runtime: Runtime;
}

export class BotTokens implements Verifier, BotIssuer {
  readonly #options: BotTokensOptions;

  constructor(options: BotTokensOptions) {
    this.#options = options;
  }

  recognizes(token: string): boolean {
    return token.startsWith(PREFIX);
  }

  async verify(token: string): Promise<Principal> {
    const found = FORM.test(token) ? await this.#options.store.findBotToken(digestOf(token)) : undefined;
    if (found === undefined) throw new ChatError("invalid_token", "The token is not one of this server's.");
    const { id, scopes, expiresAtMs = Infinity } = found.token;
    if (expiresAtMs <= this.#options.runtime.now()) {
      throw new ChatError("token_expired", "The token's time is over: get a new one.");
    }
    const { user } = found;
    return { user, scopes, expiresAtMs, subjects: [`token:${id}`, `user:${user.id}`] };
  }

  async create(name: string, createdBy: User): Promise<User> {
    const user = { id: uuidV7(this.#options.runtime), name };
    await this.#options.store.createBot(user, createdBy.id);
    return user;
  }

  async issue(bot: string, scopes: readonly Scope[], lifeMs?: number): Promise<NewBotToken> {
    const { store, runtime } = this.#options;
    const token = PREFIX + randomBytes(32).toString("base64url");
    const life = lifeMs === undefined ? {} : { expiresAtMs: runtime.now() + lifeMs };
    const kept: BotToken = { id: uuidV7(runtime), scopes, ...life };
    await store.addBotToken(bot, kept, digestOf(token));
    return { ...kept, token };
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
