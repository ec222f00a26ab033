/** What the commands of `npm run admin` have in common: a noun with verbs, and what each is given. */
import type { AccountStore } from "../core/accounts.ts";
import type { DeadLetters, EventLog } from "../core/event-log.ts";
import type { RevocationStore } from "../core/revocations.ts";

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
  /** Accounts, bots and what is called back, opened by the first who asks. */
  openAccounts(): Promise<AccountStore & RevocationStore>;
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
