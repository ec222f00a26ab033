/**
 * Positions: an event's place in its room, `ms · 2^20 + n`, written as nineteen digits so that text order is number order.
 *
 * The only module that converts between this number, a Redis stream id `<ms>-<n>` and a time.
 */

/** Nineteen decimal digits. Compare with `<`, `>` and `===`. */
export type Position = string;

const DIGITS = 19;
const COUNTER_BITS = 20n;
const COUNTER_MAX = (1n << COUNTER_BITS) - 1n;
/** Postgres keeps positions as BIGINT. */
const POSITION_MAX = (1n << 63n) - 1n;

export const ZERO: Position = "0".repeat(DIGITS);

export function isPosition(text: string): boolean {
  return /^[0-9]{19}$/.test(text) && BigInt(text) <= POSITION_MAX;
}

export function fromBigInt(number: bigint): Position {
  return number.toString().padStart(DIGITS, "0");
}

export function toBigInt(position: Position): bigint {
  return BigInt(position);
}

/** The first position of a millisecond. */
export function fromMs(ms: number): Position {
  return fromBigInt(BigInt(Math.max(0, Math.floor(ms))) << COUNTER_BITS);
}

export function toMs(position: Position): number {
  return Number(BigInt(position) >> COUNTER_BITS);
}

/** The id of a Redis stream entry. */
export function toStreamId(position: Position): string {
  const number = BigInt(position);
  return `${number >> COUNTER_BITS}-${number & COUNTER_MAX}`;
}

export function fromStreamId(id: string): Position {
  const [ms = "", n = ""] = id.split("-");
  return fromBigInt((BigInt(ms) << COUNTER_BITS) | BigInt(n));
}

export function next(position: Position): Position {
  return fromBigInt(BigInt(position) + 1n);
}

export function previous(position: Position): Position {
  return position === ZERO ? ZERO : fromBigInt(BigInt(position) - 1n);
}

export function max(first: Position, ...others: readonly Position[]): Position {
  return others.reduce((largest, position) => (position > largest ? position : largest), first);
}

export function min(one: Position, other: Position): Position {
  return one < other ? one : other;
}
