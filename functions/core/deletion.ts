/** The use case "delete my account": the person proves itself once more, then everything that is personal goes. */
import { ChatError } from "../lib/errors.ts";
import type { Accounts } from "./accounts.ts";
import type { Principal } from "./auth.ts";
import type { Deletion, OwnDataStore } from "./own-data.ts";

export interface DeletionDeps {
  readonly store: OwnDataStore;
  /** Absent: there are no accounts. */
  readonly accounts?: Accounts;
  /** Resolves when what was called back has taken effect on this node. */
  readonly onDeleted: () => Promise<void>;
}

/** Throws `forbidden` for a bot, `not_proved`, and `last_owner`, where nothing was changed. */
export async function deleteAccount(
  { store, accounts, onDeleted }: DeletionDeps,
  principal: Principal,
  password: string | undefined,
): Promise<void> {
  const { user, subjects } = principal;
  if (subjects.some((subject) => subject.startsWith("token:")))
    throw new ChatError("forbidden", "A bot ends when the owner of this server takes its tokens away.");
  const session = subjects.find((subject) => subject.startsWith("session:"))?.slice("session:".length);
  // A guest has nothing but its token, and people of another issuer prove themselves there.
  if (session !== undefined && !(await accounts?.proves({ user: user.id, session, password })))
    throw new ChatError(
      "not_proved",
      "Give the password; without one, sign in again and delete within ten minutes.",
    );
  refuseOwner(await store.deleteAccount(user.id));
  await onDeleted();
}

function refuseOwner({ isDeleted, ownerless, ownsServer }: Deletion): void {
  if (isDeleted) return;
  if (ownsServer)
    throw new ChatError(
      "last_owner",
      "You own this server, and others use it: who runs it must make another the owner first.",
    );
  const names = ownerless.map((name) => `“${name}”`).join(", ");
  throw new ChatError(
    "last_owner",
    `Make others the owners of these rooms first, or remove their members: ${names}.`,
  );
}
