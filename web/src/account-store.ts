/** The guest's account in the browser's local storage, shared by its tabs. */
import type { Account } from "@skat/client";

const KEY = "skat.account";

export interface AccountStore {
  load(): Account | undefined;
  save(account: Account): void;
  clear(): void;
}

export function createAccountStore(storage: Storage): AccountStore {
  return {
    load: () => parseAccount(storage.getItem(KEY)),
    save: (account) => storage.setItem(KEY, JSON.stringify(account)),
    clear: () => storage.removeItem(KEY),
  };
}

function parseAccount(text: string | null): Account | undefined {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Account> | null;
    if (typeof value?.token !== "string" || typeof value.user?.name !== "string") return undefined;
    return { token: value.token, user: value.user };
  } catch (error) {
    console.warn("The kept account could not be read.", error);
    return undefined;
  }
}
