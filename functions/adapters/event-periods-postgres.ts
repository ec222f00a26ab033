/**
 * Periods of events as partitions by the range of ids, on PostgreSQL and PGlite.
 *
 * The rest is the default partition. A constraint says where it ends, so that a new period is put beside it without reading it, however
 * large it is. Every step is one script, whole or not at all, and what an interrupted run left is taken up by the next.
 */
import type { Dropped, EventPeriods } from "../core/event-periods.ts";
import { toBigInt, toMs, type Position } from "../core/position.ts";
import { firstUuidAt, uuidTimeMs } from "../core/uuid.ts";
import type { Database, MigrationSession } from "./database.ts";
import { storeError } from "./store-errors.ts";

interface Period {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const DAY_MS = 24 * 3_600_000;
const PERIODS_AHEAD = 2;
/** Events that are carried over while everybody waits. */
const LATE_MAX = 10_000;
/** Who waits for a lock keeps all that come later waiting too: better to try again at the next look. */
const PATIENCE = "SET LOCAL lock_timeout = '2s'";
const END = "events_rest_before_";

export class PostgresEventPeriods implements EventPeriods {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  prepare(nowMs: number, lengthMs: number | undefined): Promise<readonly string[]> {
    return this.#alone(async (session) => {
      const last = (await periodsOf(session)).at(-1);
      const stepMs = lengthMs ?? (last && last.toMs - last.fromMs);
      if (stepMs === undefined) return [];
      let fromMs = last?.toMs ?? (await begin(session, nowMs, stepMs));
      const names: string[] = [];
      for (; fromMs < nowMs + PERIODS_AHEAD * stepMs; fromMs += stepMs)
        names.push(await make(session, fromMs, fromMs + stepMs));
      return names;
    });
  }

  dropBefore(before: Position): Promise<Dropped> {
    return this.#alone(async (session) => {
      const periods = await periodsOf(session);
      const old = periods.filter(({ toMs: endMs }) => endMs <= toMs(before));
      const names: string[] = [];
      for (const period of old) {
        if (await isMostlyLate(session, period, before)) break;
        await drop(session, period, before);
        names.push(period.name);
      }
      const isAllGone = names.length === old.length;
      return { names, restEndMs: isAllGone ? periods[names.length]?.fromMs : old.at(-1)?.toMs };
    });
  }

  /** Of several, and of those who migrate, one after the other. */
  async #alone<T>(work: (session: MigrationSession) => Promise<T>): Promise<T> {
    try {
      return await this.#database.withSession(async (session) => {
        await session.prepare();
        return work(session);
      });
    } catch (error) {
      throw storeError(error);
    }
  }
}

async function periodsOf(session: MigrationSession): Promise<Period[]> {
  const rows = await session.query<{ name: string; bound: string }>(
    `SELECT relname AS name, pg_get_expr(relpartbound, pg_class.oid) AS bound
     FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'events'::regclass`,
  );
  const periods = rows.flatMap(({ name, bound }) => {
    const [, from, to] = /FROM \('([^']+)'\) TO \('([^']+)'\)/.exec(bound) ?? [];
    return from && to ? [{ name, fromMs: uuidTimeMs(from), toMs: uuidTimeMs(to) }] : [];
  });
  return periods.sort((a, b) => a.fromMs - b.fromMs);
}

/** Where the rest ends: as begun before, or at the first boundary that is so far ahead that nobody has an id behind it yet. */
async function begin(session: MigrationSession, nowMs: number, lengthMs: number): Promise<number> {
  const [begun] = await endsOf(session);
  const endMs = begun?.endMs ?? Math.ceil((nowMs + DAY_MS) / lengthMs) * lengthMs;
  await endRest(session, endMs);
  return endMs;
}

async function endsOf(session: MigrationSession): Promise<{ name: string; endMs: number }[]> {
  const rows = await session.query<{ name: string; text: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint
     WHERE conrelid = 'events_rest'::regclass AND starts_with(conname, $1) ORDER BY conname DESC`,
    [END],
  );
  return rows.map(({ name, text }) => ({ name, endMs: uuidTimeMs(/'([^']+)'/.exec(text)?.[1] ?? "") }));
}

/** In two steps: only the first, which reads nothing, keeps others waiting. A constraint that does not hold must not stay. */
async function endRest(session: MigrationSession, endMs: number): Promise<void> {
  const name = `${END}${dayOf(endMs)}`;
  const table = "ALTER TABLE events_rest";
  if (!(await endsOf(session)).some((end) => end.name === name))
    await session.exec(
      `${PATIENCE}; ${table} ADD CONSTRAINT ${name} CHECK (id < '${firstUuidAt(endMs)}') NOT VALID`,
    );
  try {
    await session.exec(`${table} VALIDATE CONSTRAINT ${name}`);
  } catch (error) {
    await session.exec(`${PATIENCE}; ${table} DROP CONSTRAINT ${name}`);
    throw error;
  }
}

async function make(session: MigrationSession, fromMs: number, toMs: number): Promise<string> {
  const name = `events_${dayOf(fromMs)}`;
  await session.exec(
    `${PATIENCE};
     CREATE TABLE ${name} (LIKE events INCLUDING ALL);
     ALTER TABLE events ATTACH PARTITION ${name}
       FOR VALUES FROM ('${firstUuidAt(fromMs)}') TO ('${firstUuidAt(toMs)}')`,
  );
  return name;
}

async function isMostlyLate(session: MigrationSession, { name }: Period, before: Position): Promise<boolean> {
  const [found] = await session.query<{ late: number }>(
    `SELECT count(*)::int AS late FROM (SELECT FROM ${name} WHERE position >= $1 LIMIT ${LATE_MAX + 1}) AS late`,
    [toBigInt(before).toString()],
  );
  return (found?.late ?? 0) > LATE_MAX;
}

/** The rest is let reach further first, so that it has a place for what came late, and for what still comes. */
async function drop(session: MigrationSession, { name, toMs }: Period, before: Position): Promise<void> {
  await endRest(session, toMs);
  const passed = (await endsOf(session)).filter(({ endMs }) => endMs < toMs);
  await session.exec(
    `${PATIENCE};
     ALTER TABLE events DETACH PARTITION ${name};
     ${passed.map((end) => `ALTER TABLE events_rest DROP CONSTRAINT ${end.name};`).join("\n")}
     INSERT INTO events SELECT * FROM ${name} WHERE position >= ${toBigInt(before)};
     DROP TABLE ${name}`,
  );
}

/** `20261201`. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");
}
