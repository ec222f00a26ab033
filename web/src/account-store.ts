/** Who is signed in on this browser, shared by its tabs: a guest with its token, or a member, whose cookie is the proof. */
import type { User } from "@skat/client";

const KEY = "skat.account";

export interface KeptAccount {
  /** Of guests only. */
  readonly token?: string;
  readonly user: User;
}

export interface AccountStore {
  load(): KeptAccount | undefined;
  save(account: KeptAccount): void;
  clear(): void;
}

export function createAccountStore(storage: Storage): AccountStore {
  return {
    load: () => parseAccount(storage.getItem(KEY)),
    save: (account) => storage.setItem(KEY, JSON.stringify(account)),
    clear: () => storage.removeItem(KEY),
  };
}

function parseAccount(text: string | null): KeptAccount | undefined {
  try {
    const { token, user } = (JSON.parse(text ?? "null") ?? {}) as Partial<KeptAccount>;
    if (typeof user?.id !== "string" || typeof user.name !== "string") return undefined;
    return typeof token === "string" ? { token, user } : { user };
  } catch (error) {
    console.warn("The kept account could not be read.", error);
    return undefined;
  }
}
