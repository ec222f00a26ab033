/** What a seed means: who takes part, and which faults happen when. Drawn before anything runs, so that parts of it can be left out. */
import { FAULTS, type FaultKind } from "./faults.ts";
import { Random } from "./random.ts";

export interface ClientPlan {
  readonly index: number;
  readonly rooms: readonly number[];
  readonly messagesPerSecond: number;
  /** It uses the SDK; else it follows the rules alone, and does what the SDK never would. */
  readonly sdk?: boolean;
}

export interface FaultPlan {
  readonly index: number;
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly durationMs: number;
}

export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  readonly consumers: number;
  readonly rooms: number;
  /** The last of the rooms are private: their members are put in before the start. */
  readonly privateRooms: number;
  /** Newest entries that a stream keeps. */
  readonly streamKeep: number;
  readonly busyMs: number;
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly FaultPlan[];
}

const BUSY_MS = 62_000;
const CALM_START_MS = 2_000;
const MESSAGES_PER_SECOND = 8;

export function planOf(seed: number): Plan {
  const random = new Random(seed).fork("plan");
  const kind = new Random(seed).fork("kind");
  const rooms = random.integer(2, 4);
  const count = random.integer(10, 24);
  const clients = Array.from({ length: count }, (_, index) => ({
    index,
    // Most are in the first room, so that there are busy and quiet ones.
    rooms: [
      ...new Set([random.happens(0.7) ? 0 : random.integer(0, rooms - 1), random.integer(0, rooms - 1)]),
    ],
    messagesPerSecond: (MESSAGES_PER_SECOND / count) * random.between(0.3, 1.7),
    sdk: kind.happens(0.5),
  }));
  const kinds = Object.keys(FAULTS) as FaultKind[];
  const faults = Array.from({ length: random.integer(7, 13) }, (_, index) => {
    const kind = random.pick(kinds);
    const atMs = Math.round(random.between(CALM_START_MS, BUSY_MS - 4_000));
    return { index, kind, atMs, durationMs: Math.round(random.between(200, FAULTS[kind].durationMsMax)) };
  });
  return {
    seed,
    nodes: random.integer(2, 3),
    consumers: random.integer(1, 2),
    rooms,
    streamKeep: random.pick([20, 60, 110]),
    privateRooms: random.integer(0, 1),
    busyMs: BUSY_MS,
    clients,
    faults,
  };
}

export function describePlan({ seed, nodes, consumers, rooms, clients, faults }: Plan): string {
  const lines = faults
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ index, kind, atMs, durationMs }) => `  ${index}: ${kind} at ${atMs} ms for ${durationMs} ms`);
  const head = `seed ${seed}: ${nodes} nodes, ${consumers} consumers, ${rooms} rooms, clients ${clients.map(({ index }) => index).join(",")}`;
  return [head, ...lines].join("\n");
}
