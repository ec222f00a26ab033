/** `npm run admin -- tokens`: the tokens of bots, and taking them away. */
import { OPERATOR, Refusal, type Call, type Noun } from "./command.ts";

export const tokens: Noun = { list, revoke };

async function list({ names, options, openAccounts, print }: Call): Promise<void> {
  if (names.length > 0) throw new Refusal("`list` takes no ids.");
  const bots = await (await openAccounts()).bots();
  if (options.json) return print(JSON.stringify(bots, undefined, 2));
  const lines = bots.flatMap(({ user, tokens: all }) =>
    all.map(({ id, scopes, expiresAtMs }) => {
      const end = expiresAtMs === undefined ? "no end" : `until ${new Date(expiresAtMs).toISOString()}`;
      return `${id}  ${user.name} (${user.id})  ${scopes.join(",")}  ${end}`;
    }),
  );
  print(lines.length === 0 ? "No bot has a token." : lines.join("\n"));
}

async function revoke({ names, options, openAccounts, print, confirm }: Call): Promise<void> {
  if (options.all || names.length === 0) throw new Refusal("Name tokens by their ids; `list` has them.");
  await confirm(`Take ${names.join(", ")} away? Nothing brings them back.`);
  const accounts = await openAccounts();
  for (const id of names) {
    if (!(await accounts.removeBotToken(id, OPERATOR))) throw new Refusal(`There is no token ${id}.`);
    print(`${id} is refused on every node within five seconds.`);
  }
}
