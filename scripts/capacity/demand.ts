/** What is asked of a deployment, read from the words of the command line; one error that lists every fault. */
import { parseArgs } from "node:util";

export interface Demand {
  /** People who use it. */
  readonly users: number;
  readonly rooms: number;
  /** Messages a second at the peak, of all rooms. */
  readonly rate: number;
  /** Share of the users who are connected at the peak. */
  readonly online: number;
  /** Members of the room that a message goes to, on average. */
  readonly members: number;
  /** Members of the largest room, and the messages a second in it beside the others. */
  readonly hotMembers: number;
  readonly hotRate: number;
  readonly bodyBytes: number;
  /** The mean over the year, as share of the peak. */
  readonly mean: number;
  readonly retentionDays: number;
  /** Connections that each connected user opens in an hour. */
  readonly connectsPerHour: number;
  readonly streamKeep: number;
  /** Share of what was measured that is used at the peak. */
  readonly headroom: number;
}

export class DemandError extends Error {
  override readonly name = "DemandError";
}

export interface Asked {
  readonly demand: Demand;
  readonly isJson: boolean;
  /** A `results.json` of the bench. */
  readonly figuresFile: string | undefined;
  /** `NAME=VALUE`, of figures and prices. */
  readonly set: readonly string[];
}

const [TINY, HUGE] = [Number.MIN_VALUE, 1e12];

/** Of each option: the least and the most that it may be, and its default. */
const OPTIONS = {
  users: [1, HUGE],
  rooms: [1, HUGE],
  rate: [TINY, 1e9],
  online: [TINY, 1, 0.2],
  members: [2, HUGE],
  "hot-members": [2, HUGE],
  "hot-rate": [0, 1e6, 0],
  body: [1, 65_536, 200],
  mean: [TINY, 1, 0.3],
  retention: [8, 36_500, 365],
  connects: [0, 3600, 2],
  "stream-keep": [1, 1_000_000, 1000],
  headroom: [0.05, 1, 0.6],
} as const satisfies Record<string, readonly [number, number, number?]>;

type Name = keyof typeof OPTIONS;

const NEEDED: readonly Name[] = ["users", "rooms", "rate"];
const ROOMS_PER_USER = 5;

export function readDemand(words: readonly string[]): Asked {
  const { values } = parse(words);
  const faults: string[] = [];
  const numbers = Object.entries(OPTIONS).map(([name, [least, most, preset]]) => {
    const text = values[name as Name];
    if (text === undefined) return [name, preset] as const;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!(value >= least && value <= most))
      faults.push(`--${name} ${text}: must be a number ${rangeText(least, most)}.`);
    return [name, value] as const;
  });
  const given = Object.fromEntries(numbers) as Record<Name, number | undefined>;
  faults.push(...NEEDED.filter((name) => values[name] === undefined).map((name) => `--${name} is needed.`));
  if (values["hot-rate"] !== undefined && values["hot-members"] === undefined)
    faults.push("--hot-rate needs --hot-members.");
  const demand = toDemand(given);
  if (faults.length === 0) faults.push(...checkTogether(demand));
  if (faults.length > 0) throw new DemandError(faults.join("\n"));
  return { demand, isJson: values.json === true, figuresFile: values.figures, set: values.set ?? [] };
}

function parse(words: readonly string[]) {
  const numbers = Object.fromEntries(
    Object.keys(OPTIONS).map((name) => [name, { type: "string" }]),
  ) as Record<Name, { readonly type: "string" }>;
  try {
    return parseArgs({
      args: [...words],
      options: {
        ...numbers,
        json: { type: "boolean" },
        figures: { type: "string" },
        set: { type: "string", multiple: true },
      },
    });
  } catch (error) {
    throw new DemandError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function rangeText(least: number, most: number): string {
  const from = least === TINY ? "above 0" : `from ${least}`;
  return most === HUGE ? from : `${from} to ${most}`;
}

function toDemand(given: Record<Name, number | undefined>): Demand {
  const { users = 1, rooms = 1 } = given;
  const members = given.members ?? Math.min(users, Math.max(2, (users * ROOMS_PER_USER) / rooms));
  return {
    users,
    rooms,
    rate: given.rate ?? 0,
    online: given.online ?? 0,
    members,
    hotMembers: given["hot-members"] ?? members,
    hotRate: given["hot-rate"] ?? 0,
    bodyBytes: given.body ?? 0,
    mean: given.mean ?? 0,
    retentionDays: given.retention ?? 0,
    connectsPerHour: given.connects ?? 0,
    streamKeep: given["stream-keep"] ?? 0,
    headroom: given.headroom ?? 0,
  };
}

function checkTogether({ users, members, hotMembers }: Demand): string[] {
  const faults: string[] = [];
  if (members > users) faults.push(`--members ${members}: there are only ${users} users.`);
  if (hotMembers > users) faults.push(`--hot-members ${hotMembers}: there are only ${users} users.`);
  if (hotMembers < members) faults.push(`--hot-members ${hotMembers}: the average room has ${members}.`);
  return faults;
}
