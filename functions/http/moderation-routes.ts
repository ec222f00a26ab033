/** Routes of roles, mutes, bans, invitations, blocks and the audit trail. */
import { z } from "zod";
import type { ChatNode } from "../core/node.ts";
import { isUuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";
import { route, type Input, type Route } from "./routes.ts";
import {
  ban,
  change,
  done,
  forMs,
  invitation,
  next,
  page,
  reason,
  role,
  room,
  toBan,
  toChange,
  toInvitation,
  toPage,
  toRoom,
} from "./schemas.ts";

type Params = Pick<Input<z.ZodObject, z.ZodObject>, "param">;

export function moderationRoutes(node: ChatNode): readonly Route[] {
  return [...memberRoutes(node), ...banRoutes(node), ...invitationRoutes(node), ...blockRoutes(node)];
}

function memberRoutes(node: ChatNode): readonly Route[] {
  const { moderation } = node;
  return [
    route({
      method: "patch",
      path: "/api/rooms/:room/members/:user",
      title: "Gives a member another role",
      body: z.object({ role }),
      answer: done,
      handle: async ({ user, body, ...at }) => {
        await moderation.setRole(await roomIn(node, at), userIn(at), body.role, user);
        return {};
      },
    }),
    route({
      method: "delete",
      path: "/api/rooms/:room/members/:user",
      title: "Removes a member",
      query: z.object({ reason: reason.optional() }),
      answer: done,
      handle: async ({ user, query, ...at }) => {
        await moderation.remove(await roomIn(node, at), userIn(at), query.reason, user);
        return {};
      },
    }),
    route({
      method: "put",
      path: "/api/rooms/:room/members/:user/mute",
      title: "Lets a member read only, for a time or until it is lifted",
      body: z.object({ forMs: forMs.optional() }),
      answer: done,
      handle: async ({ user, body, ...at }) => {
        await moderation.mute(await roomIn(node, at), userIn(at), body.forMs, user);
        return {};
      },
    }),
    route({
      method: "delete",
      path: "/api/rooms/:room/members/:user/mute",
      title: "Lets a muted member write again",
      answer: done,
      handle: async ({ user, ...at }) => {
        await moderation.mute(await roomIn(node, at), userIn(at), 0, user);
        return {};
      },
    }),
    route({
      method: "get",
      path: "/api/rooms/:room/audit",
      title: "What was changed in the room and by whom, newest first",
      query: page,
      answer: z.object({ changes: z.array(change), next }),
      handle: async ({ user, query, ...at }) => {
        const found = await moderation.audit(await roomIn(node, at), user, toPage(query));
        return { changes: found.items.map(toChange), next: found.next };
      },
    }),
  ];
}

function banRoutes(node: ChatNode): readonly Route[] {
  const { moderation } = node;
  return [
    route({
      method: "get",
      path: "/api/rooms/:room/bans",
      title: "The bans in force, by user id",
      query: page,
      answer: z.object({ bans: z.array(ban), next }),
      handle: async ({ user, query, ...at }) => {
        const found = await moderation.bans(await roomIn(node, at), user, toPage(query));
        return { bans: found.items.map(toBan), next: found.next };
      },
    }),
    route({
      method: "put",
      path: "/api/rooms/:room/bans/:user",
      title: "Bans a user, member or not, for a time or until it is lifted",
      body: z.object({ reason: reason.default(""), forMs: forMs.optional() }),
      answer: done,
      handle: async ({ user, body, ...at }) => {
        await moderation.ban(await roomIn(node, at), userIn(at), body, user);
        return {};
      },
    }),
    route({
      method: "delete",
      path: "/api/rooms/:room/bans/:user",
      title: "Lifts a ban",
      answer: done,
      handle: async ({ user, ...at }) => {
        await moderation.unban(await roomIn(node, at), userIn(at), user);
        return {};
      },
    }),
  ];
}

function invitationRoutes(node: ChatNode): readonly Route[] {
  const { moderation } = node;
  const uses = z.int().min(1).max(1_000_000);
  return [
    route({
      method: "get",
      path: "/api/rooms/:room/invitations",
      title: "The invitations in force, by code",
      query: page,
      answer: z.object({ invitations: z.array(invitation), next }),
      handle: async ({ user, query, ...at }) => {
        const found = await moderation.invitations(await roomIn(node, at), user, toPage(query));
        return { invitations: found.items.map(toInvitation), next: found.next };
      },
    }),
    route({
      method: "post",
      path: "/api/rooms/:room/invitations",
      title: "A new invitation, for a time and a number of uses or without end",
      body: z.object({
        role: z.enum(["member", "read-only"]).default("member"),
        expiresInMs: forMs.optional(),
        uses: uses.optional(),
      }),
      answer: invitation,
      handle: async ({ user, body, ...at }) =>
        toInvitation(await moderation.invite(await roomIn(node, at), body, user)),
    }),
    route({
      method: "delete",
      path: "/api/rooms/:room/invitations/:code",
      title: "Takes an invitation back",
      answer: done,
      handle: async ({ user, ...at }) => {
        await moderation.revokeInvitation(await roomIn(node, at), codeIn(at), user);
        return {};
      },
    }),
    route({
      method: "post",
      path: "/api/invitations/:code",
      title: "Becomes a member by an invitation",
      answer: room,
      handle: async ({ user, ...at }) => {
        await node.admitUser("joins", user);
        return toRoom(await moderation.redeem(codeIn(at), user));
      },
    }),
  ];
}

function blockRoutes(node: ChatNode): readonly Route[] {
  const { moderation } = node;
  return [
    route({
      method: "get",
      path: "/api/blocks",
      title: "Ids of those whom the caller has blocked for direct messages",
      query: page,
      answer: z.object({ users: z.array(z.string()).readonly(), next }),
      handle: async ({ user, query }) => {
        const found = await moderation.blocks(user, toPage(query));
        return { users: found.items, next: found.next };
      },
    }),
    route({
      method: "put",
      path: "/api/blocks/:user",
      title: "Blocks a user for direct messages",
      answer: done,
      handle: async ({ user, ...at }) => {
        await moderation.block(user, userIn(at));
        return {};
      },
    }),
    route({
      method: "delete",
      path: "/api/blocks/:user",
      title: "Lifts a block",
      answer: done,
      handle: async ({ user, ...at }) => {
        await moderation.unblock(user, userIn(at));
        return {};
      },
    }),
  ];
}

function roomIn(node: ChatNode, { param }: Params): Promise<string> {
  return node.rooms.idOf(param("room"));
}

function userIn({ param }: Params): string {
  const id = param("user");
  if (!isUuidV7(id)) throw new ChatError("unknown_user", "No user has this id.");
  return id;
}

function codeIn({ param }: Params): string {
  const code = param("code");
  if (!/^[\w-]{1,64}$/.test(code)) throw new ChatError("unknown_invitation", "No invitation has this code.");
  return code;
}
