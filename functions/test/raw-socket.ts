/** Bytes over a bare TCP socket, for requests and frames that no client library would send. */
import { connect } from "node:net";

/** Everything the server sends until it ends the connection. Rejects when it does not within the deadline. */
export function exchange(
  url: string,
  bytes: readonly (string | Buffer)[],
  deadlineMs = 8_000,
): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => bytes.forEach((part) => socket.write(part)));
    const deadline = setTimeout(() => {
      socket.destroy();
      const heard = Buffer.concat(chunks).toString("latin1").slice(0, 500);
      reject(new Error(`the server did not end the connection; it said: ${heard}`));
    }, deadlineMs);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {}); // writing on after the server's end; what it said before counts
    socket.on("close", () => {
      clearTimeout(deadline);
      resolve(Buffer.concat(chunks));
    });
  });
}

/** Connects, writes what begins a request, then a byte five times a second, until the server has had enough; answers what it said. */
export function dribble(url: string, begun: string | Buffer, deadlineMs = 50_000): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(begun));
    const drip = setInterval(() => socket.write("x"), 200);
    const deadline = setTimeout(() => socket.destroy(new Error("the server waits without end")), deadlineMs);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "ECONNRESET") reject(error); // writing on after the server's end
    });
    socket.on("close", () => {
      clearInterval(drip);
      clearTimeout(deadline);
      resolve(Buffer.concat(chunks));
    });
  });
}

/** Connects, writes, and breaks the connection with a reset, without reading a byte. */
export function reset(url: string, bytes: string | Buffer): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, () => socket.resetAndDestroy()));
    socket.on("error", reject).on("close", () => resolve());
  });
}

export function upgradeRequest(lines: readonly string[] = [], path = "/ws"): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...lines,
    "\r\n",
  ].join("\r\n");
}

export interface RawFrame {
  readonly opcode: number;
  readonly payload?: string | Buffer;
  readonly fin?: boolean;
  /** The three reserved bits, as they stand in the first byte. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** The length that the header claims, when it is not the payload's. */
  readonly claimed?: bigint;
}

/** A frame as a client sends it (RFC 6455, 5.2); its mask is zero, so that the payload is itself. */
export function rawFrame({
  opcode,
  payload = "",
  fin = true,
  reserved = 0,
  masked = true,
  claimed,
}: RawFrame) {
  const data = Buffer.from(payload);
  const length = claimed ?? BigInt(data.length);
  const mask = masked ? 0x80 : 0;
  const short = length < 126n ? Number(length) : length < 65_536n ? 126 : 127;
  const long = Buffer.alloc(short === 126 ? 2 : short === 127 ? 8 : 0);
  if (short === 126) long.writeUInt16BE(Number(length));
  if (short === 127) long.writeBigUInt64BE(length);
  const head = Buffer.from([(fin ? 0x80 : 0) | reserved | opcode, mask | short]);
  return Buffer.concat([head, long, Buffer.alloc(masked ? 4 : 0), data]);
}

/** The code of the close frame that a server sent after its upgrade. */
export function closeCodeIn(answer: Buffer): number | undefined {
  let at = answer.indexOf("\r\n\r\n") + 4;
  while (at >= 4 && at + 2 <= answer.length) {
    const opcode = answer.readUInt8(at) & 0x0f;
    const short = answer.readUInt8(at + 1) & 0x7f;
    const length = short === 126 ? answer.readUInt16BE(at + 2) : short;
    const start = at + (short === 126 ? 4 : 2);
    if (opcode === 8) return length < 2 ? 1005 : answer.readUInt16BE(start);
    at = start + length;
  }
  return undefined;
}

export function statusIn(answer: Buffer): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.toString("latin1"))?.[1]);
}
