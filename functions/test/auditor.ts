/**
 * The auditor: three histories must agree. What clients sent and were told, what each of them shows in the end, and what log and
 * database hold.
 *
 * It knows nothing of how the histories came about, so the simulation and the tests on real processes share it.
 */
import { PAGE_EVENTS, type RoomEvent } from "../protocol.ts";

/** What one client sent, was told, and shows in the end. */
export interface ClientHistory {
  readonly name: string;
  readonly rooms: readonly string[];
  /** Every message that it put into its outbox, by id. */
  readonly said: ReadonlyMap<string, { readonly room: string; readonly body: string }>;
  /** The place that the last `sent` named, by id. */
  readonly sent: ReadonlyMap<string, string>;
  readonly saved: ReadonlySet<string>;
  /** Messages that it put out of its outbox unsaved, since it may not send them any more. */
  readonly givenUp?: ReadonlySet<string>;
  /** Messages in its outbox in the end. */
  readonly waiting: number;
  /** Rooms in which it was told that it is no member any more: its views of them are not looked at. */
  readonly leftRooms?: ReadonlySet<string>;
  /** When a node sent it something of a room that only members may hear, by the clock of `Absence`. */
  readonly hearings?: readonly { readonly room: string; readonly atMs: number }[];
  /** It went away for ever: its view and its outbox are not looked at. */
  readonly isGone?: boolean;
  /** What it found wrong itself: a room it is not in, a message at two places, an error that no retry mends. */
  readonly faults: readonly Finding[];
  shown(room: string): readonly RoomEvent[];
  /** How many resets it was told of. */
  readonly resets: number;
  /** It was told that nothing is older than what it shows. */
  isComplete(room: string): boolean;
}

/** A time in which nothing of a room may have been sent to a user: the store had no such member, and every node must have known that; or its session was called back. */
export interface Absence {
  readonly room: string;
  readonly user: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Histories {
  readonly clients: readonly ClientHistory[];
  /** What the database holds, room by room, by rising position. */
  readonly rows: ReadonlyMap<string, readonly RoomEvent[]>;
  /** What the log holds, where it was read. */
  readonly log?: readonly RoomEvent[];
  readonly absences?: readonly Absence[];
  /**
   * Redis kept its memory: messages are at the places that `sent` named, and whoever was told of no reset shows its rooms from their first
   * message on. Otherwise a view may begin later, with the newest page of its last reset, but not after that.
   */
  readonly whole?: boolean;
  /** Why a message that was `sent` and never `saved` may be lost; undefined where nothing excuses it. */
  readonly excuse?: (client: ClientHistory, id: string) => string | undefined;
}

/** Every way in which a guarantee can be broken. */
export const VIOLATIONS = {
  saved_lost: "saved, and not in the database",
  saved_changed: "saved, and stored in another room or with another body",
  saved_moved: "saved, and stored at another place than acknowledged",
  sent_lost: "sent, in the end nowhere, and nothing excuses it",
  sent_moved: "sent at one place, stored at another, though Redis kept its memory",
  stored_twice: "a message is stored twice",
  position_reused: "two messages have one position",
  log_unstored: "on the log, and not in the database at its place",
  stored_unlogged: "in the database, and never on the log",
  view_lacks: "a view lacks what is stored",
  view_extra: "a view shows what is not stored",
  view_order: "a view is not in the order of positions",
  complete_hole: "told that its view is complete, and older messages are stored",
  stranger: "was told of a room that it is not in",
  shut_out: "was told to leave a room, and nobody had removed it",
  heard_after_left: "heard of a room that it had no right to any more",
  shown_moved: "a message was shown at two places",
  refused: "an error that no retry mends",
  outbox: "messages that were never saved, though their sender stayed",
  alarm: "an alarm of the core rang that never may, or a promise was rejected unheard",
  unsettled: "the system did not come to rest within its time",
} as const;

export type Violation = keyof typeof VIOLATIONS;

export interface Finding {
  readonly kind: Violation;
  readonly text: string;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Messages that were sent, never saved and are lost, each with what excuses it. */
  readonly losses: readonly string[];
}

export function judge(histories: Histories): Verdict {
  const stored = storedById(histories);
  const { findings, losses } = sentMessages(histories, stored);
  const all = [
    ...findings,
    ...doubled(histories),
    ...savedMessages(histories, stored),
    ...logged(histories, stored),
    ...histories.clients.flatMap((client) => trespasses(client, histories)),
    ...histories.clients.flatMap((client) => clientFindings(client, histories)),
  ];
  return { findings: all, losses };
}

function finding(kind: Violation, text: string): Finding {
  return { kind, text: `${VIOLATIONS[kind]}: ${text}` };
}

function storedById({ rows }: Histories): ReadonlyMap<string, RoomEvent> {
  return new Map([...rows.values()].flat().map((row) => [row.id, row]));
}

/** Ids and positions that occur more than once among rows, and positions that two messages share anywhere. */
function doubled({ rows, log = [], clients }: Histories): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  const own = (room: string, position: string, id: string): void => {
    const place = `${room} ${position}`;
    const owner = owners.get(place) ?? id;
    owners.set(place, owner);
    if (owner !== id) findings.push(finding("position_reused", `${place} by ${owner} and ${id}`));
  };
  const ids = new Set<string>();
  for (const { room, position, id } of [...rows.values()].flat()) {
    if (ids.has(id)) findings.push(finding("stored_twice", id));
    ids.add(id);
    own(room, position, id);
  }
  for (const { room, position, id } of log) own(room, position, id);
  for (const { said, sent } of clients)
    for (const [id, position] of sent) own(said.get(id)?.room ?? "", position, id);
  return findings;
}

function savedMessages({ clients }: Histories, stored: ReadonlyMap<string, RoomEvent>): Finding[] {
  return clients.flatMap((client) =>
    [...client.saved].flatMap((id) => {
      const [row, said, position] = [stored.get(id), client.said.get(id), client.sent.get(id)];
      const what = `${id} of ${client.name}`;
      if (!row) return [finding("saved_lost", what)];
      const findings: Finding[] = [];
      if (said && (row.body !== said.body || row.room !== said.room))
        findings.push(finding("saved_changed", what));
      if (position !== undefined && row.position !== position)
        findings.push(finding("saved_moved", `${what}, told ${position}, stored at ${row.position}`));
      return findings;
    }),
  );
}

function sentMessages(
  { clients, whole = false, excuse }: Histories,
  stored: ReadonlyMap<string, RoomEvent>,
): { findings: Finding[]; losses: string[] } {
  const [findings, losses]: [Finding[], string[]] = [[], []];
  for (const client of clients) {
    for (const [id, position] of client.sent) {
      const row = stored.get(id);
      const what = `${id} of ${client.name} at ${position}`;
      if (whole && row && row.position !== position) findings.push(finding("sent_moved", what));
      if (row || client.saved.has(id)) continue;
      const reason = excuse?.(client, id);
      if (reason === undefined) findings.push(finding("sent_lost", what));
      else losses.push(`${what}: ${reason}`);
    }
  }
  return { findings, losses };
}

function logged({ log }: Histories, stored: ReadonlyMap<string, RoomEvent>): Finding[] {
  if (!log) return [];
  const places = new Set(log.map(({ id, position }) => `${id} ${position}`));
  return [
    ...log
      .filter(({ id, position }) => stored.get(id)?.position !== position)
      .map(({ id, position }) => finding("log_unstored", `${id} at ${position}`)),
    ...[...stored.values()]
      .filter(({ id, position }) => !places.has(`${id} ${position}`))
      .map(({ id, position }) => finding("stored_unlogged", `${id} at ${position}`)),
  ];
}

/** One finding for each absence in which it was told something all the same. */
function trespasses({ name, hearings = [] }: ClientHistory, { absences = [] }: Histories): Finding[] {
  return absences.flatMap(({ room, user, fromMs, untilMs }) => {
    const heard = hearings.filter(
      ({ room: where, atMs }) => user === name && where === room && atMs >= fromMs && atMs < untilMs,
    );
    const [first] = heard;
    if (!first) return [];
    const text = `${name} in ${room}, ${heard.length} times from ${first.atMs.toFixed(0)} ms on, no right from ${fromMs.toFixed(0)} to ${untilMs.toFixed(0)} ms`;
    return [finding("heard_after_left", text)];
  });
}

function clientFindings(client: ClientHistory, { rows, whole = false }: Histories): Finding[] {
  if (client.isGone) return [...client.faults];
  const rooms = client.rooms.filter((room) => !client.leftRooms?.has(room));
  const views = rooms.flatMap((room) => viewFindings(client, room, rows.get(room) ?? [], whole));
  const outbox = client.waiting > 0 ? [finding("outbox", `${client.waiting} of ${client.name}`)] : [];
  return [...client.faults, ...views, ...outbox];
}

/** The view against the rows from where it begins. */
function viewFindings(
  client: ClientHistory,
  room: string,
  rows: readonly RoomEvent[],
  whole: boolean,
): Finding[] {
  const shown = client.shown(room);
  const isComplete = client.isComplete(room);
  const beginsAtFirst = whole && client.resets === 0;
  const latest = (beginsAtFirst ? rows.at(0) : rows.at(-Math.min(PAGE_EVENTS, rows.length)))?.position ?? "";
  const first = shown[0]?.position ?? latest;
  const expected = rows
    .filter(({ position }) => position >= first || position >= latest)
    .map(({ id, position }) => `${position} ${id}`);
  const seen = shown.map(({ id, position }) => `${position} ${id}`);
  const [seenSet, expectedSet] = [new Set(seen), new Set(expected)];
  const where = `${client.name} in ${room}, which shows ${seen.length} of ${expected.length}`;
  const findings: Finding[] = [];
  const say = (kind: Violation, entries: readonly string[]): void => {
    if (entries.length > 0)
      findings.push(finding(kind, `${where}: ${entries.length}, as ${entries.slice(0, 3).join("; ")}`));
  };
  say(
    "view_lacks",
    expected.filter((entry) => !seenSet.has(entry)),
  );
  say(
    "view_extra",
    seen.filter((entry) => !expectedSet.has(entry)),
  );
  say(
    "view_order",
    seen.filter((entry, index) => index > 0 && entry.slice(0, 19) <= (seen[index - 1] ?? "").slice(0, 19)),
  );
  if (isComplete)
    say(
      "complete_hole",
      rows.filter(({ position }) => position < first).map(({ position, id }) => `${position} ${id}`),
    );
  return findings;
}
