/** From who is signed in to a running client, and back out. */
import { ClientError, createClient, type Api, type Client, type TokenSource, type User } from "@skat/client";
import type { AccountStore, KeptAccount } from "./account-store.ts";
import type { Accounts, Outcome } from "./accounts.ts";
import { createKeptRooms, type KeptRooms } from "./kept-rooms.ts";

export interface Session {
  readonly chat: Client;
  readonly kept: KeptRooms;
  /** What a guest signs up with; none for a member. */
  readonly guestToken: () => string | undefined;
}

export interface Sessions {
  readonly accounts: Accounts;
  /** Who was signed in when the page was left. */
  resume(): Session | undefined;
  enterAsGuest(name: string): Promise<Session>;
  enter(user: User): Session;
  end(session: Session): void;
  /** Deletes the account; where that was refused the session goes on. */
  deleteAccount(session: Session, password: string): Promise<Outcome>;
}

export function createSessions(api: Api, accounts: Accounts, store: AccountStore): Sessions {
  const start = (kept: KeptAccount): Session => {
    store.save(kept);
    return kept.token === undefined
      ? memberSession(kept.user, accounts)
      : guestSession(kept.token, kept.user, api, store);
  };
  return {
    accounts,
    resume: () => {
      const kept = store.load();
      return kept && start(kept);
    },
    enterAsGuest: async (name) => start(await api.guest(name)),
    enter: (user) => start({ user }),
    end: ({ chat, kept, guestToken }) => {
      chat.close();
      store.clear();
      kept.forget();
      // Whether or not it is heard: this browser forgets the session either way.
      if (guestToken() === undefined)
        accounts.signOut().catch((error: unknown) => console.warn("sign-out", error));
    },
    deleteAccount: async ({ guestToken }, password) => {
      const token = guestToken();
      const kept = store.load();
      // Before its token ends: no tab is to come back under that name.
      store.clear();
      const outcome = await accounts.deleteAccount(password, token);
      if ("fault" in outcome && kept) store.save(kept);
      return outcome;
    },
  };
}

function memberSession(user: User, accounts: Accounts): Session {
  return { ...startChat(user, () => accounts.token()), guestToken: () => undefined };
}

/** A guest whose token is no longer taken comes back as a new guest of the same name, unless it has left this browser. */
function guestSession(firstToken: string, user: User, api: Api, store: AccountStore): Session {
  let token = firstToken;
  const renew = async (): Promise<string> => {
    if (store.load() === undefined) throw new ClientError("token_revoked");
    const renewed = await api.guest(user.name);
    store.save(renewed);
    token = renewed.token;
    return token;
  };
  const source: TokenSource = (reason) => (reason === "refused" ? renew() : token);
  return { ...startChat(user, source), guestToken: () => token };
}

function startChat(user: User, token: TokenSource): Pick<Session, "chat" | "kept"> {
  const kept = createKeptRooms(user.id, localStorage);
  const chat = createClient({ url: location.origin, user, token, views: kept.views });
  kept.follow(chat);
  return { chat: chat.connect(), kept };
}
