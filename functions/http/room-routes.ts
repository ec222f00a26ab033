/** Routes of rooms and membership. */
import { z } from "zod";
import type { ChatNode } from "../core/node.ts";
import type { Limits } from "../protocol.ts";
import { route, type Route } from "./routes.ts";
import { done, member, name, next, page, room, toMember, toPage, toRoom, topic } from "./schemas.ts";

export function roomRoutes(node: ChatNode, limits: Limits): readonly Route[] {
  const { rooms } = node;
  const flag = z.enum(["true", "false"]).default("false");
  const others = z
    .array(z.uuid({ version: "v7" }))
    .min(1)
    .max(limits.directPeopleMax);
  return [
    route({
      method: "get",
      path: "/api/rooms",
      title: "The caller's own rooms and, unless `mine`, the public ones, in the order of their making",
      query: page.extend({ mine: flag }),
      answer: z.object({ rooms: z.array(room), next }),
      handle: async ({ user, query }) => {
        const { items, next: after } = await rooms.list(user, query.mine === "true", toPage(query));
        return { rooms: items.map(toRoom), next: after };
      },
    }),
    route({
      method: "post",
      path: "/api/rooms",
      title: "A new room; the caller becomes its owner",
      body: z.object({
        name: name(limits),
        kind: z.enum(["public", "private"]).default("public"),
        topic: topic.default(""),
      }),
      answer: room,
      handle: async ({ user, body }) => {
        await node.admitUser("roomsMade", user);
        return toRoom(await rooms.create(body, user));
      },
    }),
    route({
      method: "post",
      path: "/api/direct",
      title: "The direct room of the caller and these users, made where it is not there yet",
      body: z.object({ users: others }),
      answer: room,
      handle: async ({ user, body }) => {
        await node.admitUser("roomsMade", user);
        return toRoom(await rooms.openDirect(body.users, user));
      },
    }),
    route({
      method: "get",
      path: "/api/rooms/:room",
      title: "A room by its id or slug",
      answer: room,
      handle: async ({ user, param }) => toRoom(await rooms.see(await rooms.idOf(param("room")), user)),
    }),
    route({
      method: "patch",
      path: "/api/rooms/:room",
      title: "Renames, archives or brings back a room, or sets its topic",
      body: z.object({
        name: name(limits).optional(),
        topic: topic.optional(),
        archived: z.boolean().optional(),
      }),
      answer: room,
      handle: async ({ user, param, body }) => {
        const changes = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
        return toRoom(await rooms.update(await rooms.idOf(param("room")), changes, user));
      },
    }),
    route({
      method: "post",
      path: "/api/rooms/:room/join",
      scope: "read",
      title: "Becomes a member of a public room",
      answer: room,
      handle: async ({ user, param }) => {
        await node.admitUser("joins", user);
        return toRoom(await rooms.join(await rooms.idOf(param("room")), user));
      },
    }),
    route({
      method: "post",
      path: "/api/rooms/:room/leave",
      scope: "read",
      title: "Ends the membership",
      answer: done,
      handle: async ({ user, param }) => {
        await rooms.leave(await rooms.idOf(param("room")), user);
        return {};
      },
    }),
    route({
      method: "get",
      path: "/api/rooms/:room/members",
      title: "The members, by user id",
      query: page,
      answer: z.object({ members: z.array(member), next }),
      handle: async ({ user, param, query }) => {
        const found = await rooms.members(await rooms.idOf(param("room")), user, toPage(query));
        return { members: found.items.map(toMember), next: found.next };
      },
    }),
  ];
}
