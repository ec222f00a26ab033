/** Bytes that break the WebSocket protocol, with the code the connection is closed with, and upgrades that are refused. */
import { deflateRawSync } from "node:zlib";
import type { ErrorCode } from "../protocol.ts";
import { rawFrame, upgradeRequest, type RawFrame } from "./raw-socket.ts";

const [CONTINUATION, TEXT, CLOSE, PING] = [0, 1, 8, 9] as const;
const RSV1 = 0x40;
const KIB = 1024;

export interface BytesCase {
  readonly what: string;
  readonly frames: readonly RawFrame[];
  readonly closeCode: number;
}

export const BYTES_CASES: readonly BytesCase[] = [
  {
    what: "a frame over 64 KiB",
    frames: [{ opcode: TEXT, payload: "x".repeat(64 * KIB + 1) }],
    closeCode: 1009,
  },
  { what: "a claim of 2^53 bytes", frames: [{ opcode: TEXT, claimed: 2n ** 53n }], closeCode: 1009 },
  { what: "a claim of 2^63 bytes", frames: [{ opcode: TEXT, claimed: 2n ** 63n }], closeCode: 1009 },
  {
    what: "fragments over 64 KiB together",
    frames: Array.from({ length: 5 }, (_, index) => ({
      opcode: index === 0 ? TEXT : CONTINUATION,
      payload: "x".repeat(16 * KIB),
      fin: false,
    })),
    closeCode: 1009,
  },
  {
    what: "a flood of empty fragments",
    frames: Array.from({ length: 100 }, (_, index) => ({
      opcode: index === 0 ? TEXT : CONTINUATION,
      fin: false,
    })),
    closeCode: 1008,
  },
  {
    what: "text that is not UTF-8",
    frames: [{ opcode: TEXT, payload: Buffer.from([0xc3, 0x28]) }],
    closeCode: 1007,
  },
  {
    what: "text with a surrogate in UTF-8",
    frames: [{ opcode: TEXT, payload: Buffer.from([0xed, 0xa0, 0x80]) }],
    closeCode: 1007,
  },
  { what: "a ping of 126 bytes", frames: [{ opcode: PING, payload: "x".repeat(126) }], closeCode: 1002 },
  { what: "a ping in fragments", frames: [{ opcode: PING, fin: false }], closeCode: 1002 },
  { what: "a frame without mask", frames: [{ opcode: TEXT, payload: "{}", masked: false }], closeCode: 1002 },
  {
    what: "the second reserved bit",
    frames: [{ opcode: TEXT, payload: "{}", reserved: 0x20 }],
    closeCode: 1002,
  },
  {
    what: "the third reserved bit",
    frames: [{ opcode: TEXT, payload: "{}", reserved: 0x10 }],
    closeCode: 1002,
  },
  {
    what: "a compressed bomb, though no compression was agreed",
    frames: [{ opcode: TEXT, payload: deflateRawSync(Buffer.alloc(32 * KIB * KIB)), reserved: RSV1 }],
    closeCode: 1002,
  },
  { what: "all reserved bits", frames: [{ opcode: TEXT, payload: "{}", reserved: 0x70 }], closeCode: 1002 },
  { what: "a pong in fragments", frames: [{ opcode: 10, fin: false }], closeCode: 1002 },
  { what: "a pong of 126 bytes", frames: [{ opcode: 10, payload: "x".repeat(126) }], closeCode: 1002 },
  { what: "a close of 126 bytes", frames: [{ opcode: CLOSE, payload: "x".repeat(126) }], closeCode: 1002 },
  { what: "a close in fragments", frames: [{ opcode: CLOSE, fin: false }], closeCode: 1002 },
  ...[0, 999, 1004, 1006, 1015, 2999, 5000, 65_535].map((code) => ({
    what: `a close with the code ${code}`,
    frames: [{ opcode: CLOSE, payload: Buffer.from([code >> 8, code & 0xff]) }],
    closeCode: 1002,
  })),
  ...[1000, 1001, 1007, 3000, 4999].map((code) => ({
    what: `a close with the code ${code}, which is right`,
    frames: [{ opcode: CLOSE, payload: Buffer.from([code >> 8, code & 0xff]) }],
    closeCode: code,
  })),
  { what: "a close with nothing to say", frames: [{ opcode: CLOSE }], closeCode: 1005 },
  {
    what: "UTF-8 that is cut between fragments and never whole",
    frames: [
      { opcode: TEXT, payload: Buffer.from([0xe2, 0x82]), fin: false },
      { opcode: CONTINUATION, payload: Buffer.from([0x28]) },
    ],
    closeCode: 1007,
  },
  {
    what: "UTF-8 that is longer than it needs to be",
    frames: [{ opcode: TEXT, payload: Buffer.from([0xc0, 0xaf]) }],
    closeCode: 1007,
  },
  {
    what: "UTF-8 beyond Unicode",
    frames: [{ opcode: TEXT, payload: Buffer.from([0xf4, 0x90, 0x80, 0x80]) }],
    closeCode: 1007,
  },
  { what: "a ping without mask", frames: [{ opcode: PING, masked: false }], closeCode: 1002 },
  { what: "a reserved opcode", frames: [{ opcode: 3, payload: "{}" }], closeCode: 1002 },
  { what: "a reserved control opcode", frames: [{ opcode: 11 }], closeCode: 1002 },
  { what: "a continuation of nothing", frames: [{ opcode: CONTINUATION, payload: "{}" }], closeCode: 1002 },
  {
    what: "a message inside another",
    frames: [
      { opcode: TEXT, payload: "{", fin: false },
      { opcode: TEXT, payload: "}" },
    ],
    closeCode: 1002,
  },
  { what: "a close of one byte", frames: [{ opcode: CLOSE, payload: "x" }], closeCode: 1002 },
  {
    what: "a close with a code that may not be sent",
    frames: [{ opcode: CLOSE, payload: Buffer.from([0x03, 0xed]) }],
    closeCode: 1002,
  },
  {
    what: "a close with a reason that is not UTF-8",
    frames: [{ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8, 0xff]) }],
    closeCode: 1007,
  },
];

export function bytesOf({ frames }: Pick<BytesCase, "frames">): Buffer[] {
  return [Buffer.from(upgradeRequest()), ...frames.map(rawFrame)];
}

export interface UpgradeCase {
  readonly what: string;
  readonly request: string;
  readonly status: number;
  /** In the body, where the refusal is of ours and not of the WebSocket library. */
  readonly code?: ErrorCode;
}

const changed = (from: string | RegExp, to: string): string => upgradeRequest().replace(from, to);

export const UPGRADE_CASES: readonly UpgradeCase[] = [
  { what: "at a wrong path", request: upgradeRequest([], "/chat"), status: 404, code: "not_found" },
  { what: "at /ws/", request: upgradeRequest([], "/ws/"), status: 404, code: "not_found" },
  { what: "at a path that climbs", request: upgradeRequest([], "/x/../ws"), status: 404, code: "not_found" },
  {
    what: "with only an unknown subprotocol",
    request: upgradeRequest(["Sec-WebSocket-Protocol: skat.v2, chat"]),
    status: 400,
    code: "unsupported_protocol",
  },
  {
    what: "of a foreign page",
    request: upgradeRequest(["Origin: https://evil.example"]),
    status: 403,
    code: "origin_refused",
  },
  {
    what: "of a page without an origin",
    request: upgradeRequest(["Origin: null"]),
    status: 403,
    code: "origin_refused",
  },
  {
    what: "of a page whose origin looks local",
    request: upgradeRequest(["Origin: http://localhost.evil.example"]),
    status: 403,
    code: "origin_refused",
  },
  { what: "without a key", request: changed(/Sec-WebSocket-Key:.*\r\n/, ""), status: 400 },
  {
    what: "with a key that is too short",
    request: changed("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="),
    status: 400,
  },
  { what: "of an old version", request: changed("Version: 13", "Version: 7"), status: 400 },
  {
    what: "to something else",
    request: changed("Upgrade: websocket", "Upgrade: smoke"),
    status: 426,
    code: "upgrade_required",
  },
  {
    what: "to HTTP/2 elsewhere, which is passed over",
    request: upgradeRequest([], "/healthz").replace("Upgrade: websocket", "Upgrade: h2c"),
    status: 200,
  },
  {
    what: "to HTTP/2 with a body, which can't be read",
    request: upgradeRequest(["Content-Length: 2"], "/api/guest")
      .replace("GET", "POST")
      .replace("Upgrade: websocket", "Upgrade: h2c"),
    status: 400,
    code: "unsupported_protocol",
  },
  { what: "by POST", request: changed("GET", "POST"), status: 405 },
  {
    what: "with a subprotocol that is no token",
    request: upgradeRequest(["Sec-WebSocket-Protocol: skat.v1,,"]),
    status: 400,
  },
  {
    what: "with two keys",
    request: upgradeRequest(["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]),
    status: 400,
  },
  {
    what: "with headers over 16 KiB",
    request: upgradeRequest([`X-Much: ${"x".repeat(20 * KIB)}`]),
    status: 431,
  },
];
