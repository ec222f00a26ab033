/** Port: one client connection on any wire. */
import type { Frame } from "./frame.ts";

export interface Transport {
  /**
   * Queues a frame; frames leave in order. Never throws, never waits. Past the byte bound of the connection the
   * transport closes it as `slow_client` and drops what it held. After a close frames are dropped.
   */
  send(frame: Frame): void;
  /** Sends what is queued, then closes. Idempotent: the first reason stands. */
  close(code: number, reason: string): void;
}
