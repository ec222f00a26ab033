/** Routes of guests and history. */
import { z } from "zod";
import type { Auth } from "../core/auth.ts";
import type { ChatNode } from "../core/node.ts";
import { check } from "../core/permissions.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import { rateKeyOf } from "../lib/client-address.ts";
import { ChatError } from "../lib/errors.ts";
import { PAGE_EVENTS, type Limits } from "../protocol.ts";
import { route, type Route } from "./routes.ts";
import { event, limit, name, position, user } from "./schemas.ts";

export interface ChatRoutesDeps {
  readonly node: ChatNode;
  readonly auth: Auth;
  readonly limits: Limits;
  readonly nowMs: () => number;
  readonly rates: RateLimiter;
}

export function chatRoutes({ node, auth, limits, nowMs, rates }: ChatRoutesDeps): readonly Route[] {
  return [
    route({
      method: "post",
      path: "/api/guest",
      title: "A new guest and its token",
      isOpen: true,
      body: z.object({ name: name(limits) }),
      answer: z.object({ token: z.string(), user }),
      handle: async ({ body, address }) => {
        const key = rateKeyOf(address);
        if (key !== undefined) await rates.take("guests", key);
        return auth.issueGuest(body.name);
      },
    }),
    route({
      method: "get",
      path: "/api/rooms/:room/events",
      title: "A page of history, ascending: the newest, those before a position, or those after one",
      query: z.object({
        before: position.optional(),
        after: position.optional(),
        limit: limit(limits.historyLimitMax, PAGE_EVENTS),
      }),
      answer: z.object({
        events: z.array(event).readonly(),
        complete: z.boolean(),
        source: z.enum(["stream", "store"]).optional(),
      }),
      handle: async ({ user: who, param, query: { before, after, limit: most } }) => {
        if (before !== undefined && after !== undefined)
          throw new ChatError("invalid_field", "`before` and `after` exclude each other.");
        const room = await node.rooms.idOf(param("room"));
        const checkStanding = async () => check(await node.access.standing(room, who.id), "read", nowMs());
        await checkStanding();
        const page = await node.history.read(room, after === undefined ? { before } : { after }, most);
        await checkStanding(); // who was put out meanwhile gets nothing of what was said since
        return page;
      },
    }),
  ];
}
