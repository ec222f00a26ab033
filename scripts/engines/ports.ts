/** Ports of 127.0.0.1: choosing free ones and asking whether a server answers on one. */
import { createServer, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Below the range that systems give to outgoing connections, one of which could otherwise take a stopped server's port. */
const lowest = 20_000;
const highest = 32_000;
const taken = new Set<number>();

/** A port that nobody listens on, and that this process will not be given again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (taken.has(port) || !(await canListen(port))) continue;
    taken.add(port);
    return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Sends `request` and returns the first bytes that come back, or undefined when nobody answers within `timeoutMs`.
 * An open port alone proves little: a proxy, or a server that is still loading, accepts connections too.
 */
export function ask(
  port: number,
  request: Uint8Array | string,
  timeoutMs = 2_000,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    const finish = (reply?: Buffer) => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(timeoutMs, finish);
    socket.once("data", (chunk) => finish(chunk));
    socket.once("error", () => finish());
    socket.once("end", () => finish());
  });
}

/** Polls until `condition` holds; false when `deadlineMs` have passed first. */
export async function until(condition: () => Promise<boolean> | boolean, deadlineMs: number, pollMs = 50) {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) return false;
    await sleep(pollMs);
  }
  return true;
}
