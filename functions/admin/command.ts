/** What the commands of `npm run admin` have in common: a noun with verbs, and what each is given. */
import type { AccountStore } from "../core/accounts.ts";
import type { DeadLetters, EventLog } from "../core/event-log.ts";
import type { Page, PageOf } from "../core/room-store.ts";
import type { Store } from "../core/store.ts";

export interface Options {
  readonly json: boolean;
  readonly all: boolean;
  /** Don't ask. */
  readonly yes: boolean;
}

export interface Call {
  readonly names: readonly string[];
  readonly options: Options;
  /** The log and its dead letters, opened by the first who asks. */
  openLog(): Promise<{ readonly log: EventLog; readonly deadLetters: DeadLetters }>;
  /** Accounts and bots, opened by the first who asks. */
  openAccounts(): Promise<AccountStore>;
  /** Rooms, members and bans, opened by the first who asks. */
  openStore(): Promise<Store>;
  print(text: string): void;
  /** Rejects with a `Refusal` unless the operator agrees. */
  confirm(question: string): Promise<void>;
}

/** A noun's verbs by name. */
export type Noun = Readonly<Record<string, (call: Call) => Promise<void>>>;

/** Can't be done as it was asked. Its message is made to be printed alone. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Who the trail of changes names for what was done by hand. */
export const OPERATOR = { id: "operator", name: "operator" };

const PAGE_ITEMS = 200;

/** Every item of something that is paged. */
export async function allOf<Item>(read: (page: Page) => Promise<PageOf<Item>>): Promise<readonly Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: PAGE_ITEMS });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** The room that was named by its id or slug. */
export async function roomNamed(store: Store, name: string | undefined): Promise<string> {
  if (name === undefined) throw new Refusal("Name a room by its id or slug; `rooms list` has them.");
  const id = (await store.rooms.idOfSlug(name)) ?? name;
  const [standing] = await store.rooms.standings([[id, OPERATOR.id]]);
  if (standing === undefined) throw new Refusal(`There is no room ${name}.`);
  return id;
}
