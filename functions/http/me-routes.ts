/** Routes of one's own data: take it along, and delete the account. */
import { z } from "zod";
import type { SignIn } from "../core/accounts.ts";
import type { ChatNode } from "../core/node.ts";
import type { OwnRecord } from "../core/own-data.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import type { User } from "../protocol.ts";
import { rateKeyOf } from "../lib/client-address.ts";
import { fileRoute, route, type Route } from "./routes.ts";
import { done } from "./schemas.ts";

export interface MeRoutesDeps {
  readonly node: ChatNode;
  readonly signIn: SignIn;
  readonly rates: RateLimiter;
}

const line = z.looseObject({ type: z.string() }).meta({
  id: "OwnRecord",
  description: "`type` says what it is; the last line is `end`, with their number.",
});

export function meRoutes({ node, signIn, rates }: MeRoutesDeps): readonly Route[] {
  return [
    fileRoute({
      method: "get",
      path: "/api/me/export",
      title: "Everything that is kept of the caller, one JSON object a line; whole if its last line is `end`",
      fileName: "skat-data.ndjson",
      answer: line,
      handle: async ({ user }) => {
        await rates.take("exports", user.id);
        return lines(signIn.store, user);
      },
    }),
    route({
      method: "post",
      path: "/api/me/delete",
      title: "Deletes the caller's account and everything personal; its messages stay, under no name",
      body: z.object({ password: z.string().optional() }),
      answer: done,
      handle: async ({ principal, body: { password }, address }) => {
        await countGuess(rates, principal.user, address);
        await signIn.deleteAccount(principal, password);
        await node.membersChanged();
        return {};
      },
    }),
  ];
}

/** Read as fast as it is taken; one that broke off lacks its end. */
async function* lines(store: SignIn["store"], user: User): AsyncIterable<readonly object[]> {
  let count = 0;
  for await (const page of store.ownData(user)) {
    count += page.length;
    yield page satisfies readonly OwnRecord[];
  }
  yield [{ type: "end", records: count }];
}

/** The password could be guessed here as at the sign-in. */
async function countGuess(rates: RateLimiter, { id }: User, address: string): Promise<void> {
  const key = rateKeyOf(address);
  if (key !== undefined) await rates.take("signIns", `address ${key}`);
  await rates.take("signIns", `user ${id}`);
}
