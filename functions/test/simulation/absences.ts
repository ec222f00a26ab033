/** What the store's trail says of who may hear what: when users were no members, and whether a refusal has its cause. */
import type { Action, Change } from "../../core/room-store.ts";
import type { ErrorCode } from "../../protocol.ts";
import type { Absence } from "../auditor.ts";
import type { Person } from "./person.ts";
import { EPOCH_MS } from "./virtual-time.ts";

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface CalledBack {
  readonly client: Pick<Person, "name" | "rooms" | "signInsMs">;
  /** How many sign-ins it had until then. */
  readonly session: number;
  readonly atMs: number;
}

/** [G13] A change has taken effect on every node within this. */
const PROMISED_MS = 5_000;
/** A question that was lost is given up after five seconds, and the next look comes a second and a half later. */
export const RECOVERY_MS = 10_000;

const ENDING: ReadonlySet<Action> = new Set(["remove", "ban"]);

const CAUSES: { readonly [code in ErrorCode]?: readonly Action[] } = {
  muted: ["mute"],
  banned: ["ban"],
  not_member: ["remove", "ban"],
  unknown_room: ["remove", "ban"],
};

/** Whether something in the trail is why a user was refused something. */
export function isDenied(
  trail: readonly Change[],
  { room, user, code }: { room: string; user: string; code: ErrorCode },
): boolean {
  const causes = CAUSES[code] ?? [];
  return trail.some(
    (change) => change.room === room && change.user?.id === user && causes.includes(change.action),
  );
}

/** From when a removal must have taken effect to the next join, without the times in which nodes could not ask the store. */
export function absences(trail: readonly Change[], blind: readonly Span[]): Absence[] {
  const left = new Map<string, number>();
  const found: Absence[] = [];
  const end = (room: string, user: string, untilMs: number): void => {
    const fromMs = left.get(`${room} ${user}`);
    left.delete(`${room} ${user}`);
    if (fromMs === undefined) return;
    for (const span of without({ fromMs, untilMs }, blind)) found.push({ room, user, ...span });
  };
  for (const { room, user, action, atMs } of trail) {
    if (room === undefined || !user) continue;
    const key = `${room} ${user.id}`;
    const sinceMs = atMs - EPOCH_MS;
    if (ENDING.has(action) && !left.has(key)) left.set(key, sinceMs + PROMISED_MS);
    if (action === "join") end(room, user.id, sinceMs);
  }
  for (const key of left.keys()) {
    const [room = "", user = ""] = key.split(" ");
    end(room, user, Infinity);
  }
  return found;
}

/** From when a session that was called back must have ended to its user's next sign-in, without the times as above. */
export function signOuts(called: readonly CalledBack[], blind: readonly Span[]): Absence[] {
  return called.flatMap(({ client: { name, rooms, signInsMs }, session, atMs }) =>
    without({ fromMs: atMs + PROMISED_MS, untilMs: signInsMs[session] ?? Infinity }, blind).flatMap((span) =>
      rooms.map((room) => ({ room, user: name, ...span })),
    ),
  );
}

function without(whole: Span, holes: readonly Span[]): Span[] {
  return holes
    .reduce<Span[]>(
      (spans, hole) =>
        spans.flatMap(({ fromMs, untilMs }) => [
          { fromMs, untilMs: Math.min(untilMs, hole.fromMs) },
          { fromMs: Math.max(fromMs, hole.untilMs), untilMs },
        ]),
      [whole],
    )
    .filter(({ fromMs, untilMs }) => fromMs < untilMs);
}
