/** The log: JSON lines, or readable ones for a person at a terminal; never message bodies or tokens. */
import { pino, stdTimeFunctions, type DestinationStream, type Logger as Pino } from "pino";
import { readableLine } from "./log-line.ts";
import { redact } from "./redact.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fixed keys, so that lines can be found: use these words and no others for these things. */
export interface LogFields {
  readonly err?: unknown;
  readonly node?: string;
  readonly session?: string;
  readonly room?: string;
  readonly messageId?: string;
  readonly [key: string]: unknown;
}

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** The same log, with these fields on every line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** One readable line instead of JSON. */
  readonly pretty?: boolean;
  /** Where lines go; standard output, written before the call returns, so that an exit loses none. */
  readonly destination?: DestinationStream;
}

export function createLogger({ level, pretty = false, destination = stdout() }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors are made safe by `redact`; pino's own serializer would add every property again.
    serializers: { err: (err: unknown) => err },
  };
  const target = pretty ? { write: (line: string) => destination.write(readableLine(line)) } : destination;
  return wrap(pino(options, target));
}

/** Writes nothing. */
export const silentLogger: Logger = createLogger({ level: "silent", destination: { write: () => {} } });

function stdout(): DestinationStream {
  return pino.destination({ fd: 1, sync: true });
}

function wrap(log: Pino): Logger {
  const writer =
    (level: Exclude<LogLevel, "silent">) =>
    (message: string, fields: LogFields = {}): void => {
      if (log.isLevelEnabled(level)) log[level](redact(fields), message);
    };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    fatal: writer("fatal"),
    child: (fields) => wrap(log.child(redact(fields) as LogFields)),
  };
}
