/** A JSON log line as a person reads it: time, level, message, fields; an error with its stack below. */

const COLOURS: Readonly<Record<string, number>> = { debug: 90, info: 36, warn: 33, error: 31, fatal: 31 };
const TAKEN = new Set(["time", "level", "msg", "err"]);

export function readableLine(json: string): string {
  const line = JSON.parse(json) as Record<string, unknown>;
  const level = String(line["level"]);
  const time = new Date(String(line["time"])).toTimeString().slice(0, 8);
  const fields = Object.entries(line)
    .filter(([key]) => !TAKEN.has(key))
    .map(([key, value]) => dim(`${key}=${typeof value === "string" ? value : JSON.stringify(value)}`));
  const head = [dim(time), paint(COLOURS[level] ?? 0, level.padEnd(5)), String(line["msg"]), ...fields];
  return `${head.join(" ")}\n${errorLines(line["err"], "  ")}`;
}

function errorLines(error: unknown, indent: string): string {
  if (typeof error !== "object" || error === null)
    return error === undefined ? "" : `${indent}${String(error)}\n`;
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown };
  const text = (stack ?? message ?? JSON.stringify(error)).replaceAll("\n", `\n${indent}`);
  return `${indent}${text}\n${errorLines(cause, `${indent}  `)}`;
}

function dim(text: string): string {
  return paint(90, text);
}

function paint(colour: number, text: string): string {
  return `\u001b[${colour}m${text}\u001b[0m`;
}
