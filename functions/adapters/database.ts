/** What the two databases, PostgreSQL and PGlite, have in common once they are open. */
import type { PrismaClient } from "../generated/prisma/client.ts";

export interface Database {
  readonly prisma: PrismaClient;
  /** Runs `work` on a connection without time limits, for what changes the tables themselves. */
  withSession<T>(work: (session: MigrationSession) => Promise<T>): Promise<T>;
  /** Ends every connection, also when nobody answers. Idempotent. */
  close(): Promise<void>;
}

/** One connection for migrations and their like. */
export interface MigrationSession {
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs a script of many statements as one: all of them or none. */
  exec(script: string): Promise<void>;
  /**
   * Makes the schema where it is missing, and keeps every other runner out of the database, also Prisma's own, until the
   * session ends.
   */
  prepare(): Promise<void>;
}
