/** Frames of the node → packets of Socket.IO, encoded once for all of its clients. */
import type { Frame } from "../core/frame.ts";
import { encodeTextFrame } from "../lib/websocket-frames.ts";
import type { RoomEvent, ServerFrame } from "../protocol.ts";
import { toOffset } from "./offset.ts";

/** An event packet as Engine.IO takes it: its text, for long-polling, and its bytes on a WebSocket. */
export class Packet {
  readonly text: string;
  readonly options: { readonly compress: false; readonly wsPreEncodedFrame: readonly Buffer[] };

  /** `json`: the arguments, each as JSON. */
  constructor(event: string, ...json: readonly string[]) {
    this.text = `2[${[JSON.stringify(event), ...json].join(",")}]`;
    // 4: a message of Engine.IO. 2: an event of Socket.IO.
    this.options = { compress: false, wsPreEncodedFrame: [encodeTextFrame(`4${this.text}`)] };
  }
}

export type Dialect = "simple" | "full";

/** A frame that was read once, for all who are sent it. */
export class ReadFrame {
  readonly frame: ServerFrame;
  readonly #text: string;
  readonly #resumable: Partial<Record<Dialect, Packet>> = {};
  readonly #plain: Partial<Record<Dialect, Packet>> = {};

  constructor(text: string) {
    this.#text = text;
    this.frame = JSON.parse(text) as ServerFrame;
  }

  /** How an event is shown. Without an offset the library must forget the one that it has. */
  event(event: RoomEvent, dialect: Dialect, hasOffset: boolean): Packet {
    const known = hasOffset ? this.#resumable : this.#plain;
    return (known[dialect] ??= eventPacket(this.#text, event, dialect, hasOffset));
  }
}

const read = new WeakMap<Frame, ReadFrame>();

export function readFrame(frame: Frame): ReadFrame {
  const known = read.get(frame);
  if (known) return known;
  const fresh = new ReadFrame(frame.text);
  read.set(frame, fresh);
  return fresh;
}

export function eventPacket(json: string, event: RoomEvent, dialect: Dialect, hasOffset: boolean): Packet {
  const offset = JSON.stringify(hasOffset ? toOffset(event.room, event.position) : "");
  if (dialect === "full") return new Packet("event", json, offset);
  return new Packet("message", JSON.stringify(JSON.stringify({ message: event.body })), offset);
}
