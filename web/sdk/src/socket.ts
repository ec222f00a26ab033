/** Sockets by any class with the interface of the browser's WebSocket: the runtime's own, or that of the package `ws`. */
import { SUBPROTOCOL } from "../../../functions/protocol.ts";
import { ClientError } from "./errors.ts";
import type { OpenSocket } from "./runtime.ts";

/** The part of `WebSocket` that the client uses. */
export interface WebSocketLike {
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  send(text: string): void;
  close(code: number): void;
}

export type WebSocketClass = new (url: string, subprotocol: string) => WebSocketLike;

const NORMAL_CLOSURE = 1000;

export function socketsOf(given: WebSocketClass | undefined): OpenSocket {
  const Class = given ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (Class === undefined) throw new ClientError("no_websocket");
  return (url, { onOpen, onText, onClose }) => {
    const socket = new Class(url, SUBPROTOCOL);
    let isOver = false;
    socket.addEventListener("open", () => isOver || onOpen());
    socket.addEventListener("message", ({ data }) => isOver || onText(String(data)));
    socket.addEventListener("error", () => {}); // the close that follows tells
    socket.addEventListener("close", ({ code, reason }) => {
      if (!isOver) onClose(code, reason);
      isOver = true;
    });
    const close = () => {
      isOver = true;
      socket.close(NORMAL_CLOSURE);
    };
    return { send: (text) => socket.send(text), close };
  };
}
