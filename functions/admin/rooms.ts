/** `npm run admin -- rooms`: every room, its members and its trail of changes; archive one, or give somebody another role. */
import type { Change } from "../core/room-store.ts";
import type { Role } from "../protocol.ts";
import { allOf, OPERATOR, Refusal, roomNamed, type Call, type Noun } from "./command.ts";

const ROLES: readonly Role[] = ["owner", "moderator", "member", "read-only"];

export const rooms: Noun = {
  list,
  members,
  audit,
  role,
  archive: (call) => setArchived(call, true),
  restore: (call) => setArchived(call, false),
};

async function list({ names, options, openStore, print }: Call): Promise<void> {
  if (names.length > 0) throw new Refusal("`list` takes no ids.");
  const store = await openStore();
  const all = await allOf((page) => store.rooms.allRooms(page));
  if (options.json) return print(JSON.stringify(all, undefined, 2));
  for (const { id, slug, kind, name, archived } of all)
    print(`${id}  ${kind}${archived ? ", archived" : ""}  ${slug}  ${name}`);
}

async function members({ names, options, openStore, print }: Call): Promise<void> {
  const store = await openStore();
  const room = await roomNamed(store, names[0]);
  const all = await allOf((page) => store.members.members(room, page));
  if (options.json) return print(JSON.stringify(all, undefined, 2));
  if (all.length === 0) return print("The room has no members.");
  for (const { id, name, role: own } of all) print(`${id}  ${own}  ${name}`);
}

/** Of one room, or of all. */
async function audit({ names, options, openStore, print }: Call): Promise<void> {
  const store = await openStore();
  const room = names.length === 0 ? undefined : await roomNamed(store, names[0]);
  const all = await allOf((page) => store.changes.listChanges(room, page));
  if (options.json) return print(JSON.stringify(all, undefined, 2));
  if (all.length === 0) return print("Nothing was changed yet.");
  for (const change of all) print(toLine(change));
}

async function role({ names, openStore, print, confirm }: Call): Promise<void> {
  const [name, user, wanted] = names;
  const given = ROLES.find((known) => known === wanted);
  if (user === undefined || given === undefined)
    throw new Refusal(`Say room, user and role; roles are ${ROLES.join(", ")}.`);
  const store = await openStore();
  const room = await roomNamed(store, name);
  await confirm(`Make ${user} ${given} of ${room}?`);
  if (!(await store.members.setRole(room, user, given, OPERATOR)))
    throw new Refusal(
      "Nothing was changed: there is no such member, it has that role, or it is the last owner.",
    );
  print(`${user} is ${given} of ${room} on every node within five seconds.`);
}

async function setArchived({ names, openStore, print, confirm }: Call, archived: boolean): Promise<void> {
  const store = await openStore();
  const room = await roomNamed(store, names[0]);
  await confirm(archived ? `Archive ${room}? Nobody can write to it then.` : `Bring ${room} back?`);
  await store.rooms.updateRoom(room, { archived }, OPERATOR);
  print(`${room} is ${archived ? "archived" : "brought back"} on every node within five seconds.`);
}

function toLine({ atMs, room = "", action, user, by, detail }: Change): string {
  const whom = user ? ` ${user.name} (${user.id})` : "";
  return `${new Date(atMs).toISOString()}  ${room}  ${by.name} (${by.id}): ${action}${whom} ${JSON.stringify(detail)}`;
}
