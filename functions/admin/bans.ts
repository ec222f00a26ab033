/** `npm run admin -- bans`: who is banned from a room; ban somebody, or lift it. */
import { FOREVER_MS } from "../core/room-store.ts";
import { allOf, OPERATOR, Refusal, roomNamed, type Call, type Noun } from "./command.ts";

export const bans: Noun = { list, add, lift };

async function list({ names, options, openStore, print }: Call): Promise<void> {
  const store = await openStore();
  const room = await roomNamed(store, names[0]);
  const all = await allOf((page) => store.moderation.bans(room, page));
  if (options.json) return print(JSON.stringify(all, undefined, 2));
  if (all.length === 0) return print("Nobody is banned from the room.");
  for (const { user, reason, untilMs } of all) {
    const end = untilMs === FOREVER_MS ? "until it is lifted" : `until ${new Date(untilMs).toISOString()}`;
    print(`${user.id}  ${user.name}  ${end}  ${reason}`);
  }
}

/** What follows the user's id is the reason. */
async function add({ names, openStore, print, confirm }: Call): Promise<void> {
  const [name, id, ...words] = names;
  if (id === undefined) throw new Refusal("Say room and user, and why.");
  const store = await openStore();
  const room = await roomNamed(store, name);
  const [known] = await store.members.people([id]);
  await confirm(`Ban ${id} from ${room}?`);
  const ban = { user: { id, name: known?.name ?? "" }, reason: words.join(" "), untilMs: FOREVER_MS };
  if (!(await store.moderation.ban(room, ban, OPERATOR)))
    throw new Refusal("Nothing was changed: it is banned already, or the room's last owner.");
  print(`${id} is out of ${room} on every node within five seconds.`);
}

async function lift({ names, openStore, print, confirm }: Call): Promise<void> {
  const [name, id] = names;
  if (id === undefined) throw new Refusal("Say room and user.");
  const store = await openStore();
  const room = await roomNamed(store, name);
  await confirm(`Lift the ban of ${id} from ${room}?`);
  await store.moderation.unban(room, id, OPERATOR);
  print(`${id} may come into ${room} again.`);
}
