/** `npm run admin -- users`: who has an account; sign somebody out everywhere, take an account's or guest's every token away, hand the server over. */
import type { Account } from "../core/accounts.ts";
import { OPERATOR, Refusal, type Call, type Noun } from "./command.ts";

/** Longer than any token of a guest or of another issuer is made for. */
const BARRED_MS = 10 * 365 * 86_400_000;

export const users: Noun = { list, "sign-out": signOut, bar, owner };

async function list({ names, options, openAccounts, print }: Call): Promise<void> {
  if (names.length > 0) throw new Refusal("`list` takes no ids.");
  const all = await (await openAccounts()).accounts();
  if (options.json) return print(JSON.stringify(all, undefined, 2));
  if (all.length === 0) return print("There are no accounts.");
  for (const account of all) print(toLine(account));
}

async function signOut(call: Call): Promise<void> {
  const ids = named(call);
  await call.confirm(`Sign ${ids.join(", ")} out everywhere?`);
  const accounts = await call.openAccounts();
  for (const id of ids) call.print(`${id}: ${await accounts.endSessions(id, OPERATOR)} sessions ended.`);
}

async function bar(call: Call): Promise<void> {
  const ids = named(call);
  await call.confirm(
    `Refuse ${ids.join(", ")} from now on, whatever token they have? Nothing takes it back.`,
  );
  const accounts = await call.openAccounts();
  for (const id of ids) {
    await accounts.bar(id, Date.now() + BARRED_MS, OPERATOR);
    call.print(`${id} is refused on every node within five seconds.`);
  }
}

async function owner(call: Call): Promise<void> {
  const [id = "", ...more] = named(call);
  if (more.length > 0) throw new Refusal("A server has one owner: name one user.");
  await call.confirm(`Make ${id} the owner of this server, instead of whoever is?`);
  if (!(await (await call.openAccounts()).makeOwner(id, OPERATOR)))
    throw new Refusal(`There is no account ${id}.`);
  call.print(`${id} owns this server.`);
}

function named({ names, options }: Call): readonly string[] {
  if (options.all || names.length === 0) throw new Refusal("Name users by their ids; `list` has them.");
  return names;
}

function toLine({ id, name, email, isVerified, sessions }: Account): string {
  return `${id}  ${email}${isVerified ? "" : " (not proved)"}  ${name}  ${sessions} sessions`;
}
