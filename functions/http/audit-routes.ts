/** The trail of the whole server, for its owner; a room's own is among the routes of moderation. */
import { z } from "zod";
import type { SignIn } from "../core/accounts.ts";
import type { ChatNode } from "../core/node.ts";
import { checkOwner } from "./authenticate.ts";
import { route, type Route } from "./routes.ts";
import { change, next, page, toChange, toPage } from "./schemas.ts";

export function auditRoutes({ moderation }: ChatNode, { store }: SignIn): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/api/audit",
      title: "What was changed in any room and on the server, and by whom, newest first",
      query: page,
      answer: z.object({ changes: z.array(change.extend({ room: z.string().optional() })), next }),
      handle: async ({ principal, query }) => {
        await checkOwner(store, principal);
        const found = await moderation.trail(toPage(query));
        const changes = found.items.map((each) => ({
          ...toChange(each),
          ...(each.room === undefined ? {} : { room: each.room }),
        }));
        return { changes, next: found.next };
      },
    }),
  ];
}
