/** Port: time, timers, chance and sockets, given from outside, so that tests and a simulation own them. */

/** Stops what has not happened yet; afterwards, and when called again, it does nothing. */
export type Cancel = () => void;

export interface Runtime {
  /** Wall clock, milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds from some fixed moment; never goes back. */
  elapsed(): number;
  /** Runs `task` once after at least `delayMs`. */
  after(delayMs: number, task: () => void): Cancel;
  /** Uniform in [0, 1). */
  random(): number;
  /** Unpredictable bytes. */
  randomBytes(length: number): Uint8Array;
}

export interface SocketHandlers {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Called once, with the close code (1006 where there was none) and the server's word for it. */
  readonly onClose: (code: number, reason: string) => void;
}

export interface Socket {
  send(text: string): void;
  /** Ends the socket. No handler is called afterwards. */
  close(): void;
}

export type OpenSocket = (url: string, handlers: SocketHandlers) => Socket;
