/** Times and days in the reader's own language. */
import { texts } from "../texts.ts";

const DAY_MS = 24 * 60 * 60_000;
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

export function timeText(at: number): string {
  return time.format(at);
}

export function dayText(at: number, nowMs: number): string {
  const date = new Date(at);
  if (date.toDateString() === new Date(nowMs).toDateString()) return texts.today;
  if (date.toDateString() === new Date(nowMs - DAY_MS).toDateString()) return texts.yesterday;
  return date.getFullYear() === new Date(nowMs).getFullYear() ? day.format(at) : dayAndYear.format(at);
}
