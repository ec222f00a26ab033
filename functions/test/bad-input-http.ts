/** Bad HTTP requests, each with its exact status and code; some are bytes that only a bare socket sends. */
import type { ErrorCode } from "../protocol.ts";
import { newId, type World } from "./bad-input-world.ts";

export interface HttpCase {
  readonly what: string;
  readonly method: string;
  readonly path: (world: World) => string;
  readonly token?: (world: World) => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly code: ErrorCode;
  /** Named by the message. */
  readonly field?: string;
  readonly allow?: string;
}

const asAlice = ({ alice }: World): string => alice.token;
const asBob = ({ bob }: World): string => bob.token;

function guestCase(what: string, body: string | Buffer, code: ErrorCode = "invalid_json"): HttpCase {
  return {
    what: `a guest with ${what}`,
    method: "POST",
    path: () => "/api/guest",
    body,
    status: 400,
    code,
    ...(code === "invalid_field" ? { field: "name" } : {}),
  };
}

const badName = (what: string, name: unknown): HttpCase =>
  guestCase(what, JSON.stringify({ name }), "invalid_field");

const badPassword = (password: unknown): HttpCase => ({
  what: `a deletion with the password ${JSON.stringify(password)}`,
  method: "POST",
  path: () => "/api/me/delete",
  token: asAlice,
  body: JSON.stringify({ password }),
  status: 400,
  code: "invalid_field",
  field: "password",
});

const wrongMethod = (method: string, path: string, allow: string): HttpCase => ({
  what: `${method} ${path}`,
  method,
  path: ({ room }) => path.replace(":room", room),
  token: asAlice,
  status: 405,
  code: "method_not_allowed",
  allow,
});

const notFound = (method: string, path: string): HttpCase => ({
  what: `${method} ${path}`,
  method,
  path: () => path,
  token: asAlice,
  status: 404,
  code: "not_found",
});

const unauthorized = (
  what: string,
  code: ErrorCode,
  token?: HttpCase["token"],
  headers?: Record<string, string>,
): HttpCase => ({
  what: `rooms with ${what}`,
  method: "GET",
  path: () => "/api/rooms",
  ...(token ? { token } : {}),
  ...(headers ? { headers } : {}),
  status: 401,
  code,
});

const badRange = (query: string, field: string): HttpCase => ({
  what: `history with ${query}`,
  method: "GET",
  path: ({ room }) => `/api/rooms/${room}/events?${query}`,
  token: asAlice,
  status: 400,
  code: "invalid_field",
  field,
});

const history = (
  what: string,
  status: number,
  code: ErrorCode,
  path: HttpCase["path"],
  token?: HttpCase["token"],
): HttpCase => ({ what: `history ${what}`, method: "GET", path, ...(token ? { token } : {}), status, code });

const POSITION = "1234567890123456789";
const TOO_LARGE = { status: 413, code: "request_too_large" } as const;

export const HTTP_CASES: readonly HttpCase[] = [
  guestCase("no body", ""),
  guestCase("no JSON", "name=Ada"),
  guestCase("JSON that breaks off", '{"name":"Ada'),
  guestCase("an array", '["Ada"]'),
  guestCase("null", "null"),
  guestCase("bytes that are not UTF-8", Buffer.from([0xff, 0xfe, 0x00])),
  badName("no name", undefined),
  badName("a name that is a number", 5),
  badName("an empty name", ""),
  badName("a name of white space", "  \t "),
  badName("a name of 65 characters", "x".repeat(65)),
  badName("a name over two lines", "Ada\nRoot"),
  badName("a name with NUL", "Ada\0"),
  badName("a name with half a surrogate pair", "Ada\ud83d"),
  badName("a name that turns the text around", "Ada\u202etoor"),
  badName("a name that can't be seen", "\u200b\u200b"),
  badName("the name of who is deleted", "deleted ACCOUNT"),
  {
    what: "a guest with a body over 64 KiB",
    method: "POST",
    path: () => "/api/guest",
    body: `{"name":"${"x".repeat(64 * 1024)}"}`,
    ...TOO_LARGE,
  },
  {
    what: "a room with a body over 64 KiB",
    method: "POST",
    path: () => "/api/rooms",
    token: asAlice,
    body: " ".repeat(65_537),
    ...TOO_LARGE,
  },
  {
    what: "a room without a name",
    method: "POST",
    path: () => "/api/rooms",
    token: asAlice,
    body: "{}",
    status: 400,
    code: "invalid_field",
    field: "name",
  },
  {
    what: "a room without a token",
    method: "POST",
    path: () => "/api/rooms",
    body: '{"name":"x"}',
    status: 401,
    code: "not_authenticated",
  },
  wrongMethod("GET", "/api/guest", "POST"),
  wrongMethod("DELETE", "/api/rooms", "GET, POST"),
  wrongMethod("PATCH", "/api/rooms", "GET, POST"),
  wrongMethod("POST", "/api/rooms/:room/events", "GET"),
  wrongMethod("OPTIONS", "/api/guest", "POST"),
  wrongMethod("GET", "/api/me/delete", "POST"),
  wrongMethod("DELETE", "/api/me/export", "GET"),
  ...[5, null, ["password"], {}].map(badPassword),
  notFound("DELETE", "/api/me"),
  notFound("GET", "/api"),
  notFound("GET", "/api/"),
  notFound("GET", "/api/users"),
  notFound("POST", "/api/rooms/x/y"),
  wrongMethod("POST", "/api/rooms/:room", "GET, PATCH"),
  notFound("GET", "/nothing-here"),
  notFound("GET", "/assets/nothing.js"),
  notFound("GET", "/%E0%A4%A"),
  notFound("GET", "/%00"),
  {
    what: "GET /ws without an upgrade",
    method: "GET",
    path: () => "/ws",
    status: 426,
    code: "upgrade_required",
  },
  unauthorized("no token", "not_authenticated"),
  unauthorized("an empty bearer", "not_authenticated", undefined, { authorization: "Bearer " }),
  unauthorized("another scheme", "not_authenticated", undefined, { authorization: "Basic YTpi" }),
  unauthorized("a token that is none", "invalid_token", () => "hello"),
  unauthorized("a token of another stage", "invalid_token", ({ tokens }) => tokens.otherStage),
  unauthorized("a token without signature", "invalid_token", ({ tokens }) => tokens.unsigned),
  unauthorized("an expired token", "token_expired", ({ tokens }) => tokens.expired),
  history("without a token", 401, "not_authenticated", ({ room }) => `/api/rooms/${room}/events`),
  history("of no member", 403, "not_member", ({ room }) => `/api/rooms/${room}/events`, asBob),
  history("of an unknown room", 404, "unknown_room", () => `/api/rooms/${newId()}/events`, asAlice),
  history("of a room in upper case", 404, "unknown_room", () => "/api/rooms/LOBBY/events", asAlice),
  history("of a room that climbs", 404, "unknown_room", () => "/api/rooms/..%2f..%2fetc/events", asAlice),
  history("of a room in broken escapes", 404, "unknown_room", () => "/api/rooms/%E0%A4%A/events", asAlice),
  history("of a room with NUL", 404, "unknown_room", () => "/api/rooms/lobby%00/events", asAlice),
  badRange("limit=0", "limit"),
  badRange("limit=201", "limit"),
  badRange("limit=-1", "limit"),
  badRange("limit=1.5", "limit"),
  badRange("limit=1e2", "limit"),
  badRange("limit=", "limit"),
  badRange("limit=%00", "limit"),
  badRange("before=1", "before"),
  badRange("before=", "before"),
  badRange(`before=${"9".repeat(19)}`, "before"),
  badRange("after=yesterday", "after"),
  badRange("after=1234567890123456789'--", "after"),
  badRange(`after=${POSITION}&before=${POSITION}`, "before"),
];

const HOST = "Host: 127.0.0.1\r\nConnection: close\r\n\r\n";
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}`;

/** Ways out of the page's folder; what they must never show is in the project's own package.json and /etc/passwd. */
const PATHS_OUT: readonly string[] = [
  "/../package.json",
  "/../../package.json",
  "/assets/../../package.json",
  "/%2e%2e%2fpackage.json",
  "/%2e%2e/package.json",
  "/..%2f..%2fpackage.json",
  "/%252e%252e%252fpackage.json",
  "/..%5cpackage.json",
  "/..\\package.json",
  "//etc/passwd",
  "/%2fetc%2fpasswd",
  "/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "/assets/%2e%2e%2f%2e%2e%2f..%2fpackage.json%00.js",
  "http://127.0.0.1/../package.json",
];

export const TRAVERSALS = PATHS_OUT.map((path) => ({
  path,
  request: get(path),
  status: path.includes("\\") ? 400 : 404, // a backslash is no character of a path
}));

export interface RequestCase {
  readonly what: string;
  readonly request: string;
  readonly status: number;
}

const post = (headers: string, body: string): string =>
  `POST /api/guest HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\nConnection: close\r\n\r\n${body}`;
const chunk = `8000\r\n${" ".repeat(0x8000)}\r\n`;

export const REQUEST_CASES: readonly RequestCase[] = [
  { what: "no HTTP", request: "hello\r\n\r\n", status: 400 },
  { what: "a request without a host", request: "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", status: 400 },
  {
    what: "a host that is none",
    request: "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    status: 400,
  },
  { what: "an unknown method", request: `BREW / HTTP/1.1\r\n${HOST}`, status: 400 },
  {
    what: "headers over 16 KiB",
    request: `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n${HOST}`,
    status: 431,
  },
  { what: "a length that is no number", request: post("Content-Length: many", "{}"), status: 400 },
  {
    what: "a length and chunks",
    request: post("Content-Length: 2\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    status: 400,
  },
  { what: "chunks that are none", request: post("Transfer-Encoding: chunked", "zz\r\n\r\n"), status: 400 },
  {
    what: "chunks over 64 KiB together",
    request: post("Transfer-Encoding: chunked", `${chunk.repeat(3)}0\r\n\r\n`),
    status: 413,
  },
];
