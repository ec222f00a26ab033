/** Bad requests about rooms, members and moderation, each with its exact status and code. Alice owns the room; Bob is no member. */
import type { ErrorCode } from "../protocol.ts";
import type { HttpCase } from "./bad-input-http.ts";
import { newId, type World } from "./bad-input-world.ts";

const asAlice = ({ alice }: World): string => alice.token;
const asBob = ({ bob }: World): string => bob.token;
const inRoom =
  (rest = "") =>
  ({ room, bob }: World) =>
    `/api/rooms/${room}${rest.replace(":bob", bob.user.id)}`;

function row(
  what: string,
  method: string,
  path: HttpCase["path"],
  [status, code, field]: readonly [number, ErrorCode, string?],
  body?: unknown,
  token = asAlice,
): HttpCase {
  return {
    what,
    method,
    path,
    token,
    status,
    code,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(field === undefined ? {} : { field }),
  };
}

const wrong = (field: string) => [400, "invalid_field", field] as const;
const shown = (value: unknown): string => JSON.stringify(value).slice(0, 40);

const badRoom = (field: string, value: unknown): HttpCase =>
  row(`a room with ${field} ${shown(value)}`, "POST", () => "/api/rooms", wrong(field), {
    name: "x",
    [field]: value,
  });

const badChange = (field: string, value: unknown): HttpCase =>
  row(`a room changed to ${field} ${shown(value)}`, "PATCH", inRoom(), wrong(field), { [field]: value });

const badPage = (path: string, query: string, field: string): HttpCase =>
  row(`a page of ${path} with ${query}`, "GET", (world) => `${inRoom(path)(world)}?${query}`, wrong(field));

const badList = (query: string, field: string): HttpCase =>
  row(`a page of rooms with ${query}`, "GET", () => `/api/rooms?${query}`, wrong(field));

const badBan = (field: string, value: unknown): HttpCase =>
  row(`a ban with ${field} ${shown(value)}`, "PUT", inRoom("/bans/:bob"), wrong(field), { [field]: value });

const badInvitation = (field: string, value: unknown): HttpCase =>
  row(`an invitation with ${field} ${shown(value)}`, "POST", inRoom("/invitations"), wrong(field), {
    [field]: value,
  });

const badRole = (value: unknown): HttpCase =>
  row(`the role ${shown(value)}`, "PATCH", inRoom("/members/:bob"), wrong("role"), { role: value });

const badUser = (id: string): HttpCase =>
  row(`a ban of ${id}`, "PUT", inRoom(`/bans/${id}`), [404, "unknown_user"], {});

const noRoom = (id: string): HttpCase =>
  row(`the room ${id}`, "GET", () => `/api/rooms/${id}`, [404, "unknown_room"]);

const noCode = (code: string): HttpCase =>
  row(`the invitation ${code.slice(0, 40)}`, "POST", () => `/api/invitations/${code}`, [
    404,
    "unknown_invitation",
  ]);

const byStranger = (method: string, rest: string, body?: unknown): HttpCase =>
  row(`${method} ${rest} by no member`, method, inRoom(rest), [403, "not_member"], body, asBob);

const PAGES = ["/members", "/bans", "/invitations", "/audit"];
const badDirect = (users: unknown): HttpCase =>
  row(`a direct room of ${shown(users)}`, "POST", () => "/api/direct", wrong("users"), { users });

export const ROOM_CASES: readonly HttpCase[] = [
  ...[
    5,
    null,
    "",
    "  ",
    "a\nb",
    "a\0b",
    "\ud83d",
    "Tea\u202eaeT",
    "\u2066x",
    "\u200b",
    "x".repeat(65),
    `a${"\u0301".repeat(1000)}`,
  ].map((name) => badRoom("name", name)),
  ...["direct", "secret", "", null, 1, ["public"]].map((kind) => badRoom("kind", kind)),
  ...[5, null, "a\nb", "a\0b", "\udc00", "x".repeat(501)].map((topic) => badRoom("topic", topic)),
  ...["yes", 1, null].map((archived) => badChange("archived", archived)),
  ...[5, "", "a\0b"].map((name) => badChange("name", name)),
  ...PAGES.flatMap((path) =>
    ["limit=0", "limit=201", "limit=-1", "limit=1e2", "limit=99999", "limit=%00"].map((query) =>
      badPage(path, query, "limit"),
    ),
  ),
  ...PAGES.flatMap((path) =>
    ["after=", "after='%20OR%201=1--", "after=%00", `after=${"x".repeat(101)}`, "after=%F0%9F%8D%B0"].map(
      (query) => badPage(path, query, "after"),
    ),
  ),
  ...["limit=0", "limit=201", "limit=many"].map((query) => badList(query, "limit")),
  ...["after=';DROP%20TABLE%20rooms", "after=%ff"].map((query) => badList(query, "after")),
  ...["mine=1", "mine="].map((query) => badList(query, "mine")),
  ...[0, -1, 1.5, 1e20, "60000", null].map((forMs) => badBan("forMs", forMs)),
  ...[5, "a\0b", "\ud83d", "x".repeat(501)].map((reason) => badBan("reason", reason)),
  ...[0, -1, 1.5, 1e9, "1", null].map((uses) => badInvitation("uses", uses)),
  ...[0, -1, "1"].map((expiresInMs) => badInvitation("expiresInMs", expiresInMs)),
  ...["owner", "moderator", "root", 1].map((role) => badInvitation("role", role)),
  ...["admin", "Owner", "stranger", "", null, ["owner"]].map(badRole),
  ...["root", "*", "%2e%2e%2e", "1%20OR%201=1", "%00", "X".repeat(300)].map(badUser),
  ...["no-such-room", "%27%20OR%201=1", "*", "lobby%00", "{p0}:notices", "%F0%9F%8D%B0", "x".repeat(300)].map(
    noRoom,
  ),
  ...["none", "%27%20OR%20%27%27=%27", "%00", "x".repeat(300), "..%2f.."].map(noCode),
  ...[[], "x", [1], ["root"], Array.from({ length: 11 }, () => newId()), null].map(badDirect),
  row("a direct room with nobody known", "POST", () => "/api/direct", [404, "unknown_user"], {
    users: [newId()],
  }),
  row("a block of oneself", "PUT", ({ alice }) => `/api/blocks/${alice.user.id}`, wrong("user")),
  row("a block of nobody", "PUT", () => "/api/blocks/everybody", [404, "unknown_user"]),
  row("the removal of no member", "DELETE", inRoom("/members/:bob"), [404, "unknown_user"]),
  row("a mute of no member", "PUT", inRoom("/members/:bob/mute"), [404, "unknown_user"], {}),
  row("a ban without a body", "PUT", inRoom("/bans/:bob"), [400, "invalid_json"], ""),
  byStranger("PATCH", "", { name: "mine", role: "owner" }),
  byStranger("GET", "/members"),
  byStranger("GET", "/bans"),
  byStranger("GET", "/audit"),
  byStranger("POST", "/invitations", {}),
  byStranger("PATCH", "/members/:bob", { role: "owner" }),
  byStranger("PUT", "/bans/:bob", {}),
  byStranger("POST", "/leave"),
];
