/** The shapes of what HTTP takes and gives: they validate requests and make the OpenAPI document. */
import { z } from "zod";
import { readLine, readName } from "../core/names.ts";
import { isPosition } from "../core/position.ts";
import {
  ACTIONS,
  FOREVER_MS,
  type Ban,
  type Change,
  type Invitation,
  type ListedRoom,
  type Member,
  type Page,
  UNREAD_EVENTS_MAX,
} from "../core/room-store.ts";
import type { Limits } from "../protocol.ts";

const PAGE_ITEMS_MAX = 200;
const PAGE_ITEMS = 100;
export const TOPIC_LENGTH_MAX = 500;
const REASON_LENGTH_MAX = 500;
const YEAR_MS = 365 * 86_400_000;

export const user = z.object({ id: z.string(), name: z.string() }).readonly().meta({ id: "User" });
export const kind = z.enum(["public", "private", "direct"]);
export const role = z.enum(["owner", "moderator", "member", "read-only"]);

export const room = z
  .object({
    id: z.string(),
    slug: z.string(),
    kind,
    name: z.string(),
    topic: z.string(),
    archived: z.boolean(),
    role: role.optional().meta({ description: "The caller's; absent where it is no member." }),
    read: z.string().optional().meta({
      description: "Up to which position the caller has read; in the list of rooms, where it is a member.",
    }),
    unread: z
      .number()
      .optional()
      .meta({
        description: `How many of the next ${UNREAD_EVENTS_MAX} messages are others'; beside \`read\`.`,
      }),
  })
  .meta({ id: "Room" });

export const member = z.object({ user, role, mutedUntilMs: z.number().optional() }).meta({ id: "Member" });

export const ban = z
  .object({
    user,
    reason: z.string(),
    untilMs: z.number().optional().meta({ description: "Absent: until it is lifted." }),
  })
  .meta({ id: "Ban" });

export const invitation = z
  .object({
    code: z.string(),
    role,
    by: user,
    expiresAtMs: z.number().optional().meta({ description: "Absent: never." }),
    usesLeft: z.number().optional().meta({ description: "Absent: any number." }),
  })
  .meta({ id: "Invitation" });

export const change = z
  .object({
    id: z.string(),
    atMs: z.number(),
    action: z.enum(ACTIONS),
    user: user.optional().meta({ description: "Whom it was done to." }),
    by: user,
    detail: z.record(z.string(), z.unknown()).readonly(),
  })
  .meta({ id: "Change" });

export const event = z
  .object({
    type: z.literal("event"),
    room: z.string(),
    position: z.string(),
    prev: z.string(),
    kind: z.literal("message"),
    id: z.string(),
    user,
    body: z.string(),
    replyTo: z.string().optional(),
    at: z.number(),
  })
  .readonly()
  .meta({ id: "Event" });

export const done = z.object({});

export function name(limits: Limits) {
  const lengths = { minLength: 1, maxLength: limits.nameLengthMax };
  return z
    .string()
    .meta(lengths)
    .transform((text) => readName(text, "name", limits.nameLengthMax));
}

export const topic = line("topic", TOPIC_LENGTH_MAX);
export const reason = line("reason", REASON_LENGTH_MAX);

export const forMs = z
  .int()
  .min(1)
  .max(100 * YEAR_MS)
  .meta({ description: "Milliseconds from now." });

export const position = z.string().refine(isPosition, "must be a position of nineteen digits");

/** Numbers of a query are texts. */
export function limit(most: number, unset: number) {
  const message = `must be a whole number from 1 to ${most}`;
  return z
    .string()
    .regex(/^[0-9]{1,4}$/, message)
    .transform(Number)
    .refine((number) => number >= 1 && number <= most, message)
    .default(unset);
}

/** The query of everything that is paged; `after` is the `next` of the page before. */
export const page = z.object({
  after: z
    .string()
    .regex(/^[\w.-]{1,100}$/, "must be the `next` of a page before")
    .optional(),
  limit: limit(PAGE_ITEMS_MAX, PAGE_ITEMS),
});

export const next = z
  .string()
  .optional()
  .meta({ description: "`after` of the next page; absent at the end." });

function line(field: string, maxLength: number) {
  return z
    .string()
    .meta({ maxLength })
    .transform((text) => readLine(text, field, maxLength));
}

export function toPage({ after, limit: most }: { after?: string | undefined; limit: number }): Page {
  return { after, limit: most };
}

export function toRoom({
  id,
  slug,
  kind: kindOf,
  name: text,
  topic: about,
  archived,
  role: own,
  read,
  unread,
}: ListedRoom) {
  return {
    id,
    slug,
    kind: kindOf,
    name: text,
    topic: about,
    archived,
    ...(own === undefined ? {} : { role: own }),
    ...(read === undefined ? {} : { read, unread }),
  };
}

export function toMember({ id, name: text, role: own, mutedUntilMs }: Member) {
  return { user: { id, name: text }, role: own, ...(mutedUntilMs === 0 ? {} : { mutedUntilMs }) };
}

export function toBan({ user: whom, reason: why, untilMs }: Ban) {
  return { user: whom, reason: why, ...(untilMs === FOREVER_MS ? {} : { untilMs }) };
}

export function toInvitation({ expiresAtMs, ...rest }: Invitation) {
  return { ...rest, ...(expiresAtMs === FOREVER_MS ? {} : { expiresAtMs }) };
}

export function toChange({ id, atMs, action, user: whom, by, detail }: Change) {
  return { id, atMs, action, ...(whom === undefined ? {} : { user: whom }), by, detail };
}
