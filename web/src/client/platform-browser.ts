/** The platform of a browser. */
import { SUBPROTOCOL } from "../../../functions/protocol.ts";
import type { Platform, Socket, SocketHandlers } from "./platform.ts";

const NORMAL_CLOSURE = 1000;

export const browserPlatform: Platform = {
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  openSocket,
};

function openSocket(url: string, handlers: SocketHandlers): Socket {
  const socket = new WebSocket(url, SUBPROTOCOL);
  const listening = new AbortController();
  const { signal } = listening;
  socket.addEventListener("open", handlers.onOpen, { signal });
  socket.addEventListener("message", ({ data }) => handlers.onText(String(data)), { signal });
  socket.addEventListener("close", ({ code }) => handlers.onClose(code), { signal });
  return {
    send: (text) => socket.send(text),
    close: () => {
      listening.abort();
      socket.close(NORMAL_CLOSURE);
    },
  };
}
