/** A WebSocket client by hand: frames are walked in the bytes as they come, and a message costs no more than finding its number. */
import { connect, type Socket } from "node:net";
import { NUMBER_DIGITS, type Dialect, type Opening } from "./dialect.ts";

const TEXT = 0x1;
const PING = 0x9;
const PONG = 0xa;
const CLOSE = 0x8;

export interface RawClientOptions {
  readonly host: string;
  readonly port: number;
  readonly dialect: Dialect;
  readonly opening: Opening;
  /** A message arrived: its number. */
  readonly onMessage: (client: RawClient, number: number) => void;
  readonly onEnd: (client: RawClient) => void;
  /** Takes every text after the opening instead: dearer, since it is decoded. */
  readonly onText?: (client: RawClient, text: string) => void;
}

const NEWLINE = 0x0a;

export class RawClient {
  readonly joined: Promise<void>;
  /** Bytes read since the upgrade. */
  bytes = 0;
  readonly #options: RawClientOptions;
  readonly #opening: Opening;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #isJoined = false;
  #bodyAt = -1;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(options: RawClientOptions) {
    this.#options = options;
    this.#opening = { ...options.opening };
    this.joined = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { host, port, dialect } = options;
    this.#socket = connect({ host, port, noDelay: true }, () => this.#socket.write(upgrade(host, dialect)));
    this.#socket.on("data", (chunk) => this.#read(chunk));
    this.#socket.on("error", (error) => this.#reject(error));
    this.#socket.on("close", () => {
      this.#reject(new Error("the server closed the connection before the room was joined"));
      options.onEnd(this);
    });
  }

  say(text: string): void {
    this.#socket.write(maskedText(text));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#isUpgraded) {
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) return void (this.#rest = data);
      const status = data.toString("latin1", 0, data.indexOf("\r\n"));
      if (!status.includes(" 101 ")) return this.#reject(new Error(`the upgrade was refused: ${status}`));
      this.#isUpgraded = true;
      data = data.subarray(end + 4);
      this.#open(undefined);
    }
    this.bytes += chunk.length;
    const read = this.#walk(data);
    this.#rest = read === data.length ? empty : Buffer.from(data.subarray(read));
  }

  /** Takes every whole frame; answers how far it came. Servers don't mask. */
  #walk(data: Buffer): number {
    let at = 0;
    while (at + 2 <= data.length) {
      const short = (data[at + 1] ?? 0) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + header > data.length) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? data.readUInt16BE(at + 2)
            : Number(data.readBigUInt64BE(at + 2));
      if (at + header + length > data.length) break;
      this.#take((data[at] ?? 0) & 0xf, data, at + header, at + header + length);
      at += header + length;
    }
    return at;
  }

  #take(opcode: number, data: Buffer, start: number, end: number): void {
    if (opcode === PING) return void this.#socket.write(maskedFrame(PONG, data.subarray(start, end)));
    if (opcode === CLOSE) return this.end();
    if (opcode !== TEXT) return;
    if (this.#options.dialect.isLines !== true) return this.#text(data, start, end);
    for (let from = start; from < end;) {
      const newline = data.indexOf(NEWLINE, from);
      const to = newline < 0 || newline > end ? end : newline;
      if (to > from) this.#text(data, from, to);
      from = to + 1;
    }
  }

  #text(data: Buffer, start: number, end: number): void {
    const { dialect, onMessage, onText } = this.#options;
    if (!this.#isJoined) return this.#open(data.toString("utf8", start, end));
    if (onText) return onText(this, data.toString("utf8", start, end));
    const number = this.#numberIn(data, start, end);
    if (number >= 0) return onMessage(this, number);
    const answer = dialect.answer(data.toString("utf8", start, end));
    if (answer !== undefined) this.say(answer);
  }

  #open(received: string | undefined): void {
    const { say = [], afterMs = 0, joined = false } = this.#options.dialect.open(received, this.#opening);
    const sayAll = () => [say].flat().forEach((text) => this.say(text));
    if (afterMs > 0) setTimeout(sayAll, afterMs);
    else sayAll();
    this.#isJoined = joined;
    if (joined) this.#resolve();
  }

  /** The body stands at the same place in every message of a room; where it does not, it is looked for. */
  #numberIn(data: Buffer, start: number, end: number): number {
    const { bodyMark, messageStart } = this.#options.dialect;
    if (!isAt(data, start, messageStart)) return -1;
    const mark = start + this.#bodyAt;
    if (this.#bodyAt < 0 || !isAt(data, mark, bodyMark)) {
      const found = data.subarray(start, end).indexOf(bodyMark);
      if (found < 0) return -1;
      this.#bodyAt = found;
    }
    const from = start + this.#bodyAt + bodyMark.length;
    let number = 0;
    for (let at = from; at < from + NUMBER_DIGITS; at++) {
      const digit = (data[at] ?? 0) - 48;
      if (digit < 0 || digit > 9) return -1;
      number = number * 10 + digit;
    }
    return number;
  }
}

const empty = Buffer.alloc(0);

function isAt(data: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (data[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function upgrade(host: string, { path, subprotocol }: Dialect): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function maskedText(text: string): Buffer {
  return maskedFrame(TEXT, Buffer.from(text));
}

/** The mask is zero, so that the payload is itself (RFC 6455, 5.3). */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 6 : 8);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (length < 126 ? length : 126);
  if (length >= 126) header.writeUInt16BE(length, 2);
  return Buffer.concat([header, payload]);
}
