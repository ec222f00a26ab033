/** What the client needs from its surroundings: time, chance, timers and sockets, given from outside so that tests own them. */

export type Cancel = () => void;

export interface SocketHandlers {
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Called once, with the close code (1006 where there was none). */
  readonly onClose: (code: number) => void;
}

export interface Socket {
  send(text: string): void;
  /** Ends the socket. No handler is called afterwards. */
  close(): void;
}

export interface Platform {
  /** Milliseconds that never jump, from an arbitrary start. */
  monotonicMs(): number;
  /** A number in [0, 1). */
  random(): number;
  randomBytes(length: number): Uint8Array;
  after(delayMs: number, run: () => void): Cancel;
  openSocket(url: string, handlers: SocketHandlers): Socket;
}
