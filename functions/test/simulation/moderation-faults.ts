/**
 * What takes rights away. Moderators act through the verbs of one node, as a request over HTTP would, or straight in the store, where
 * no notice tells of it and nodes have to find it themselves, as they do where a person's session is called back.
 */
import type { Moderation } from "../../core/moderation.ts";
import { FOREVER_MS } from "../../core/room-store.ts";
import { ChatError } from "../../lib/errors.ts";
import type { User } from "../../protocol.ts";
import type { Person } from "./person.ts";
import type { FaultSpec } from "./faults.ts";
import type { MemoryStore } from "./postgres.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Owns all rooms. */
export const MAKER: User = { id: "maker", name: "maker" };

const PEOPLE = 4;
const REASON = "simulated";

/** One change, in both its ways. */
interface Deed {
  readonly byNode: (moderation: Moderation) => Promise<void>;
  readonly inStore: (store: MemoryStore) => Promise<unknown>;
}

/** Resolves when a deed is done or was refused; never where its node dies before. */
type Moderator = (deed: Deed) => Promise<void>;

type Membership = readonly [client: Person, room: string];

export const MODERATION_FAULTS = {
  member_removed: {
    durationMsMax: 200,
    begin: (world, random) => {
      const moderate = moderatorOf(world, random);
      for (const [{ name }, room] of someMembers(world, random))
        void moderate({
          byNode: (moderation) => moderation.remove(room, name, REASON, MAKER),
          inStore: ({ members }) => members.removeMember(room, name, MAKER, { action: "remove" }),
        });
      return undefined;
    },
  },
  /** When the ban is lifted they come back. */
  member_banned: {
    durationMsMax: 25_000,
    begin: (world, random) => {
      const moderate = moderatorOf(world, random);
      const some = someMembers(world, random);
      for (const [{ name }, room] of some)
        void moderate({
          byNode: (moderation) => moderation.ban(room, name, { reason: REASON }, MAKER),
          inStore: ({ moderation }) => moderation.ban(room, banOf(name), MAKER),
        });
      return () => {
        const lifter = moderatorOf(world, random);
        for (const membership of some) void lift(lifter, membership);
      };
    },
  },
  signed_out: {
    durationMsMax: 200,
    begin: (world, random) => {
      for (const client of random.some(world.people(), PEOPLE)) world.signOut(client);
      return undefined;
    },
  },
  /** Over by itself. */
  member_muted: {
    durationMsMax: 20_000,
    begin: (world, random, durationMs) => {
      const moderate = moderatorOf(world, random);
      for (const [{ name }, room] of someMembers(world, random))
        void moderate({
          byNode: (moderation) => moderation.mute(room, name, durationMs, MAKER),
          inStore: ({ members }) => members.mute(room, name, world.time.now() + durationMs, MAKER),
        });
      return undefined;
    },
  },
} as const satisfies Record<string, FaultSpec>;

async function lift(moderate: Moderator, [client, room]: Membership): Promise<void> {
  await moderate({
    byNode: (moderation) => moderation.unban(room, client.name, MAKER),
    inStore: ({ moderation }) => moderation.unban(room, client.name, MAKER),
  });
  if (!client.isGone) client.enter(room);
}

function someMembers({ people }: World, random: Random): Membership[] {
  return random.some(people(), PEOPLE).map((client) => [client, random.pick(client.rooms)]);
}

function banOf(name: string) {
  return { user: { id: name, name }, reason: REASON, untilMs: FOREVER_MS };
}

/** One way for all that a fault does: a notice of one change would else tell of the others too. */
function moderatorOf({ cluster, postgres }: World, random: Random): Moderator {
  if (random.happens(0.5)) return async ({ inStore }) => void (await inStore(postgres.store));
  const node = random.pick(cluster.nodes);
  return ({ byNode }) =>
    new Promise((resolve, reject) => {
      node.moderate((moderation) => {
        byNode(moderation).then(resolve, (error: unknown) => (isExpected(error) ? resolve() : reject(error)));
      });
    });
}

/** The store does not answer the node, or its user is no member any more. */
function isExpected(error: unknown): boolean {
  return error instanceof ChatError && (error.code === "unavailable" || error.code === "unknown_user");
}
