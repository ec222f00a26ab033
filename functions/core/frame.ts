/** One frame for many readers: its text, and once per wire the bytes that every connection is given. */
import type { ServerFrame } from "../protocol.ts";

export class Frame {
  readonly text: string;
  #bytes: Buffer | undefined;

  constructor(text: string) {
    this.text = text;
  }

  static of(frame: ServerFrame): Frame {
    return new Frame(JSON.stringify(frame));
  }

  /** The bytes on one wire: `encode` runs for the first reader, the others share its result. One wire per process encodes. */
  bytes(encode: (text: string) => Buffer): Buffer {
    this.#bytes ??= encode(this.text);
    return this.#bytes;
  }
}
