/** Routes of bots, for the owner: make one, give it tokens with scopes, take them away. */
import { z } from "zod";
import type { SignIn } from "../core/accounts.ts";
import { SCOPES } from "../core/auth.ts";
import { ChatError } from "../lib/errors.ts";
import type { Limits } from "../protocol.ts";
import { checkOwner } from "./authenticate.ts";
import { route, type Route } from "./routes.ts";
import { done, name, user } from "./schemas.ts";

const DAY_MS = 86_400_000;
const DAYS_MAX = 3_650;

const scopes = z.array(z.enum(SCOPES)).min(1);
const days = z
  .number()
  .positive()
  .max(DAYS_MAX)
  .optional()
  .meta({ description: "Absent: until it is removed." });
const kept = {
  id: z.string(),
  scopes: z.array(z.enum(SCOPES)).readonly(),
  expiresAtMs: z.number().optional(),
};
const given = { ...kept, token: z.string().meta({ description: "Shown now and never again." }) };
const bot = z
  .object({ user, createdBy: z.string(), tokens: z.array(z.object(kept)).readonly() })
  .meta({ id: "Bot" });

export function botRoutes({ bots, store }: SignIn, limits: Limits): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/api/bots",
      title: "Every bot and what its tokens are for",
      answer: z.object({ bots: z.array(bot).readonly() }),
      handle: async ({ principal }) => {
        await checkOwner(store, principal);
        return { bots: await store.bots() };
      },
    }),
    route({
      method: "post",
      path: "/api/bots",
      title: "A new bot and its first token",
      body: z.object({ name: name(limits), scopes, days }),
      answer: z.object({ user, ...given }),
      handle: async ({ principal, body }) => {
        await checkOwner(store, principal);
        const made = await bots.create(body.name, principal.user);
        return { user: made, ...(await bots.issue(made.id, body.scopes, toMs(body.days))) };
      },
    }),
    route({
      method: "post",
      path: "/api/bots/:bot/tokens",
      title: "Another token of a bot",
      body: z.object({ scopes, days }),
      answer: z.object(given),
      handle: async ({ principal, param, body }) => {
        await checkOwner(store, principal);
        return bots.issue(param("bot"), body.scopes, toMs(body.days));
      },
    }),
    route({
      method: "delete",
      path: "/api/bots/tokens/:token",
      title: "Calls a bot's token back; its sessions end everywhere within five seconds",
      answer: done,
      handle: async ({ principal, param }) => {
        await checkOwner(store, principal);
        if (!(await store.removeBotToken(param("token"), principal.user))) {
          throw new ChatError("unknown_bot", "There is no such token.");
        }
        return {};
      },
    }),
  ];
}

function toMs(life: number | undefined): number | undefined {
  return life === undefined ? undefined : life * DAY_MS;
}
