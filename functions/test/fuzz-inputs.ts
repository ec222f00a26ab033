/** Inputs that nobody would choose: texts, JSON, frames, tokens, cookies, requests and bytes, each drawn from a seed. */
import fc from "fast-check";
import { LOBBY, NO_POSITION } from "../protocol.ts";
import { rawFrame, upgradeRequest } from "./raw-socket.ts";

/** What breaks parsers, stores and screens. */
const NASTY = [
  ...["", " ", "\0", "\ud800", "\udc00\ud800", "\u202e", "\u2066x", "\u200b", "\ufeff", "\u2028", "\r\nX: y"],
  ...[`a${"\u0301".repeat(1000)}`, "раураl", "ﷺ", "٣", "x".repeat(9_000), "[".repeat(2_000)],
  ...["__proto__", "constructor", "toString", "then", "' OR 1=1 --", "{p0}:notices", "*", "$ne"],
  ...[
    "../..",
    "%00",
    "%E0%A4%A",
    "NaN",
    "1e999",
    "-0",
    "9223372036854775808",
    "0x10",
    "<script>",
    "javascript:",
  ],
];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] as const;
const PATHS = [
  ...["/api/guest", "/api/rooms", "/api/rooms/:x", "/api/rooms/:x/events", "/api/rooms/:x/members"],
  ...[
    "/api/rooms/:x/members/:x",
    "/api/rooms/:x/members/:x/mute",
    "/api/rooms/:x/bans",
    "/api/rooms/:x/bans/:x",
  ],
  ...["/api/rooms/:x/invitations", "/api/rooms/:x/audit", "/api/rooms/:x/join", "/api/rooms/:x/leave"],
  ...["/api/invitations/:x", "/api/direct", "/api/blocks", "/api/blocks/:x", "/api/token", "/api/owner"],
  ...["/api/bots", "/api/bots/:x/tokens", "/api/bots/tokens/:x", "/api/auth/sign-in/email", "/api/auth/:x"],
  ...[
    "/api/auth/get-session",
    "/api/audit",
    "/api/me/export",
    "/api/openapi.json",
    "/healthz",
    "/ws",
    "/api/:x",
    "/:x",
  ],
];
const FIELDS = [
  ...["name", "kind", "topic", "archived", "role", "users", "reason", "forMs", "uses", "expiresInMs"],
  ...["code", "scopes", "days", "email", "password", "id", "owner", "__proto__"],
];

/** A UUIDv7 of the past. */
const uuid = "019a0000-0000-7000-8000-000000000000";
const uuids = fc.nat(0xffff).map((n) => uuid.slice(0, -4) + n.toString(16).padStart(4, "0"));

export const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
);

export const value: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, true, 0, -1, 2 ** 53, [], {}, [[]], [null]),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A text with something cut out and something put in. */
function mangled(whole: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(whole, fc.nat(), fc.nat(9), text).map(([all, place, cut, put]) => {
    const at = place % (all.length + 1);
    return all.slice(0, at) + put + all.slice(at + cut);
  });
}

const mostly = (right: readonly unknown[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: value });

const frameObject = fc.record(
  {
    type: mostly(["join", "leave", "send", "send", "read"]),
    ref: mostly([1, 2]),
    room: mostly([LOBBY, uuid]),
    after: mostly([NO_POSITION]),
    id: fc.oneof({ weight: 3, arbitrary: uuids }, { weight: 1, arbitrary: value }),
    body: mostly(["hello"]),
    since: mostly([NO_POSITION]),
    position: mostly([NO_POSITION]),
    replyTo: mostly([uuid]),
    token: value,
  },
  { requiredKeys: ["type"] },
);
const frameText = frameObject.map((frame) => JSON.stringify(frame));

/** Of a client; without `auth`, which may end the connection. */
export const frame: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: frameText },
  { weight: 2, arbitrary: mangled(frameText) },
  { weight: 1, arbitrary: value.map((any) => JSON.stringify(any)) },
  { weight: 1, arbitrary: text },
);

export const fields: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(
  fc.constantFrom(...FIELDS),
  value,
  {
    maxKeys: 4,
  },
);

const part = (json: fc.Arbitrary<unknown>) =>
  json.map((any) => Buffer.from(JSON.stringify(any) ?? "").toString("base64url"));
const header = fc.record(
  {
    alg: mostly(["HS256", "none", "None", "RS256", "HS512", "ES256"]),
    kid: mostly(["../../dev/null", "' UNION SELECT 'x", "http://127.0.0.1:1/keys"]),
    typ: mostly(["JWT"]),
    jku: mostly(["http://127.0.0.1:1/keys"]),
    jwk: mostly([{ kty: "oct", k: "AAAA" }]),
    crit: mostly([["exp"]]),
    b64: mostly([false]),
    zip: mostly(["DEF"]),
  },
  { requiredKeys: [] },
);
const claims = fc.record(
  {
    iss: mostly(["skat/fuzz", "skat/dev"]),
    aud: mostly(["skat", ["skat"]]),
    sub: mostly([uuid]),
    name: mostly(["Ada"]),
    exp: mostly([4_000_000_000, 0, "4000000000"]),
    nbf: mostly([0]),
    iat: mostly([0]),
    sid: value,
  },
  { requiredKeys: [] },
);

/** `valid`: a token of the server's own, to start from. */
export function tokenLike(valid: string): fc.Arbitrary<string> {
  const signature = fc.oneof(fc.constantFrom("", "AAAA", valid.split(".")[2] ?? ""), fc.base64String());
  const ownClaims = fc.constant(valid.split(".")[1] ?? "");
  const made = fc
    .tuple(part(header), fc.oneof(part(claims), ownClaims), signature)
    .map((parts) => parts.join("."));
  return fc.oneof(
    { weight: 4, arbitrary: made },
    { weight: 2, arbitrary: mangled(fc.constant(valid)) },
    { weight: 1, arbitrary: fc.constant("skat_bot_").chain((start) => text.map((rest) => start + rest)) },
    { weight: 1, arbitrary: text },
  );
}

/** What a header can carry at all. */
const printable = text.map((any) =>
  any
    .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "")
    .slice(0, 2_000)
    .trim(),
);

export const cookie: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.constantFrom("skat.session_token", "__Secure-skat.session_token", "skat.session_data", "x"),
      printable,
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((pairs) => pairs.map((pair) => pair.join("=")).join("; "));

export interface RequestInput {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const segment = fc.oneof(
  fc.constantFrom(LOBBY, uuid),
  text.map((any) => encodeURIComponent(any.replaceAll(/\p{Cs}/gu, "")).slice(0, 300)),
  fc.constantFrom("%", "%zz", "%c0%af", "..", "%2e%2e", ";", "@"),
);
const query = fc.oneof(
  fc.constant(""),
  fc
    .tuple(fc.constantFrom("limit", "after", "before", "mine", "x"), segment)
    .map((pair) => `?${pair.join("=")}`),
);
const path = fc
  .tuple(fc.constantFrom(...PATHS), fc.tuple(segment, segment), query)
  .map(([template, [first, second], rest]) => template.replace(":x", first).replace(":x", second) + rest);

/** `tokens`: some that are valid, so that what is behind the door is reached too. */
export function request(tokens: readonly string[]): fc.Arbitrary<RequestInput> {
  const authorization = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...tokens).map((token) => `Bearer ${token}`) },
    { weight: 1, arbitrary: printable },
  );
  const json = fields.map((any) => JSON.stringify(any));
  return fc.record({
    method: fc.constantFrom(...METHODS),
    path,
    headers: fc.record(
      { authorization, cookie, "content-type": printable, "x-forwarded-for": printable, origin: printable },
      { requiredKeys: ["authorization"] },
    ),
    body: fc.oneof({ weight: 3, arbitrary: json }, { weight: 1, arbitrary: mangled(json) }),
  });
}

/** A request for a WebSocket, nearly right. */
export const upgrade: fc.Arbitrary<string> = fc
  .record({
    path: fc.oneof({ weight: 3, arbitrary: fc.constant("/ws") }, { weight: 1, arbitrary: path }),
    lines: fc.array(
      fc.tuple(
        fc.constantFrom(
          ...["Origin", "Cookie", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Host", "X"],
        ),
        printable,
      ),
      { maxLength: 4 },
    ),
    cut: fc.option(fc.tuple(fc.nat(), printable), { nil: undefined, freq: 3 }),
  })
  .map(({ path: where, lines, cut }) => {
    const whole = upgradeRequest(
      lines.map((line) => line.join(": ")),
      where,
    );
    if (!cut) return whole;
    const at = cut[0] % whole.length;
    return whole.slice(0, at) + cut[1] + whole.slice(at + 3);
  });

/** Frames of RFC 6455 in every combination of their bits. */
export const wire: fc.Arbitrary<Buffer> = fc
  .array(
    fc
      .record({
        opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat(15)),
        payload: fc.oneof(
          frame,
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        ),
        fin: fc.boolean(),
        reserved: fc.constantFrom(0, 0, 0, 0x40, 0x20, 0x10),
        masked: fc.constantFrom(true, true, true, false),
        claimed: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined, freq: 5 }),
      })
      .map(({ claimed, ...rest }) => rawFrame({ ...rest, ...(claimed === undefined ? {} : { claimed }) })),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) => Buffer.concat(all));
