/** What the servers of WebSockets here share: the frames that they write themselves, and how many a message may come in. */

/** Far above what a frame of our size needs; the defaults of ws let one connection hold megabytes of fragments. */
export const FRAGMENT_BOUNDS = { maxFragments: 64, maxBufferedChunks: 1024 } as const;

/** One unmasked text frame (RFC 6455, 5.2): what a server sends. */
export function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = 0x81;
  if (headerLength === 2) frame[1] = length;
  else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength);
  return frame;
}

/** What was joined last: the members of a room have the same frames waiting, so the next socket is given the same bytes. */
let joined: { readonly frames: readonly Buffer[]; readonly bytes: Buffer } | undefined;

/** The bytes of several frames as one write takes them. */
export function joinFrames(frames: readonly Buffer[], length: number): Buffer {
  const isSame =
    joined?.frames.length === frames.length &&
    frames.every((frame, index) => frame === joined?.frames[index]);
  if (!joined || !isSame) joined = { frames, bytes: Buffer.concat(frames, length) };
  return joined.bytes;
}
