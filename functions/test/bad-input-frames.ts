/** Bad frames over an open WebSocket, each with its exact answer. */
import { NO_POSITION, type CloseReason, type ErrorCode, type ServerFrame } from "../protocol.ts";
import { newId, type BadToken, type World } from "./bad-input-world.ts";

export interface FrameAnswer {
  readonly type?: ServerFrame["type"];
  readonly code?: ErrorCode;
  /** Named by the message. */
  readonly field?: string;
  /** 7, the `ref` of the frames here, unless they have none that could be echoed. */
  readonly ref?: number | undefined;
  readonly reason?: string;
  /** The connection is closed for this; otherwise it goes on. */
  readonly closed?: CloseReason;
}

export interface FrameCase {
  readonly what: string;
  /** `stranger`: not authenticated; `user`: Alice, in no room; `member`: Alice, in her room. */
  readonly as: "stranger" | "user" | "member";
  /** A string or bytes go out as they are, an object with `ref` 7 unless it has one. */
  readonly frame: (world: World) => object | string | Buffer;
  readonly answer: FrameAnswer;
}

const FUTURE = "9223372036854775807";
const BOGUS = "1234567890123456789";

function row(
  as: FrameCase["as"],
  what: string,
  frame: FrameCase["frame"] | object | string,
  answer: FrameAnswer,
): FrameCase {
  return {
    as,
    what,
    frame: typeof frame === "function" ? (frame as FrameCase["frame"]) : () => frame,
    answer: { ref: 7, ...answer },
  };
}

const notJson = (what: string, text: string): FrameCase =>
  row("user", what, text, { code: "invalid_json", ref: undefined });

const badType = (what: string, frame: object): FrameCase =>
  row("user", what, frame, { code: "unknown_type" });

const badRef = (ref: unknown, echoed?: number): FrameCase =>
  row(
    "user",
    `ref ${JSON.stringify(ref)}`,
    { type: "leave", room: "lobby", ref },
    {
      code: "invalid_field",
      field: "ref",
      ref: echoed,
    },
  );

/** A send that is right but for `changes`; undefined takes a field away. */
function send(
  what: string,
  changes: Record<string, unknown> | ((world: World) => Record<string, unknown>),
  answer: FrameAnswer,
) {
  return row(
    "member",
    `send with ${what}`,
    (world) => ({
      type: "send",
      room: world.room,
      id: newId(),
      body: "x",
      since: NO_POSITION,
      ...(typeof changes === "function" ? changes(world) : changes),
    }),
    answer,
  );
}

const badField = (what: string, field: string, value: unknown): FrameCase =>
  send(what, { [field]: value }, { code: "invalid_field", field });

const badToken = (as: "stranger" | "user", token: BadToken, code: "invalid_token" | "token_expired") =>
  row(
    as,
    `auth with the token ${token}`,
    ({ tokens }: World) => ({ type: "auth", token: tokens[token] }),
    as === "stranger" ? { code, closed: code } : { code },
  );

const JSON_CASES = [
  notJson("an empty frame", ""),
  notJson("no JSON", "hello"),
  notJson("JSON that breaks off", '{"type":"leave","room":"lob'),
  notJson("JSON with a byte order mark", '\ufeff{"type":"leave","room":"lobby"}'),
  notJson("two JSON objects", "{}{}"),
  notJson("an array", '[{"type":"leave"}]'),
  notJson("null", "null"),
  notJson("a number", "42"),
  notJson("a string", '"leave"'),
  notJson("sixty thousand open brackets", "[".repeat(60_000)),
  row("user", "a binary frame", () => Buffer.from('{"type":"leave","room":"lobby","ref":7}'), {
    code: "invalid_frame",
    ref: undefined,
  }),
  row("stranger", "no JSON before auth", "hello", { code: "invalid_json", ref: undefined }),
];

const TYPE_CASES = [
  badType("an empty object", {}),
  badType("an unknown type", { type: "shout" }),
  badType("a type in upper case", { type: "JOIN", room: "lobby" }),
  badType("a type of the server's", { type: "welcome" }),
  badType("a type that is an array", { type: ["join"], room: "lobby" }),
  badType("the type __proto__", { type: "__proto__" }),
  badRef("7"),
  badRef(1.5),
  badRef(null),
  badRef({}),
  badRef(2 ** 53),
  row("user", "ref beyond numbers", '{"type":"leave","room":"lobby","ref":1e999}', {
    code: "invalid_field",
    field: "ref",
    ref: undefined,
  }),
];

const JOIN_CASES = [
  row("user", "join without room", { type: "join" }, { code: "invalid_field", field: "room" }),
  row(
    "user",
    "join with an empty room",
    { type: "join", room: "" },
    { code: "invalid_field", field: "room" },
  ),
  row("user", "join with room a number", { type: "join", room: 1 }, { code: "invalid_field", field: "room" }),
  row(
    "user",
    "join with after a number",
    { type: "join", room: "lobby", after: 1 },
    { code: "invalid_field", field: "after" },
  ),
  row(
    "user",
    "join with after of 18 digits",
    { type: "join", room: "lobby", after: BOGUS.slice(1) },
    { code: "invalid_field", field: "after" },
  ),
  row(
    "user",
    "join with after past 63 bits",
    { type: "join", room: "lobby", after: "9".repeat(19) },
    { code: "invalid_field", field: "after" },
  ),
  row(
    "user",
    "join with after null",
    { type: "join", room: "lobby", after: null },
    { code: "invalid_field", field: "after" },
  ),
  row("user", "join with an after of no event", ({ room }: World) => ({ type: "join", room, after: BOGUS }), {
    type: "reset",
  }),
  row(
    "user",
    "join with an after of the future",
    ({ room }: World) => ({ type: "join", room, after: FUTURE }),
    {
      type: "reset",
    },
  ),
  row("user", "join an unknown room", () => ({ type: "join", room: newId() }), { code: "unknown_room" }),
  row("user", "join a room of a wrong name", { type: "join", room: "lobby\0" }, { code: "unknown_room" }),
  row("user", "join the room __proto__", { type: "join", room: "__proto__" }, { code: "unknown_room" }),
  row(
    "user",
    "join a room with a name of 60,000 characters",
    { type: "join", room: "r".repeat(60_000) },
    {
      code: "unknown_room",
    },
  ),
  row(
    "user",
    "join a room in upper case",
    ({ room }: World) => ({ type: "join", room: room.toUpperCase() }),
    {
      code: "unknown_room",
    },
  ),
  row("stranger", "join before auth", { type: "join", room: "lobby" }, { code: "not_authenticated" }),
  row("user", "leave without room", { type: "leave" }, { code: "invalid_field", field: "room" }),
  row(
    "user",
    "leave with room null",
    { type: "leave", room: null },
    { code: "invalid_field", field: "room" },
  ),
  row("user", "leave a room not joined", { type: "leave", room: "lobby" }, { code: "not_member" }),
  row("stranger", "leave before auth", { type: "leave", room: "lobby" }, { code: "not_authenticated" }),
];

const SEND_CASES = [
  badField("no room", "room", undefined),
  badField("room an object", "room", {}),
  badField("no id", "id", undefined),
  badField("id a number", "id", 1),
  badField("id in upper case", "id", newId().toUpperCase().replace("0", "A")),
  badField("id a UUIDv4", "id", "6f1c1f0e-1f6b-4c1e-9d6e-3f2a1b0c9d8e"),
  badField("id with white space", "id", `${newId()}\n`),
  badField("no body", "body", undefined),
  badField("body a number", "body", 5),
  badField("body null", "body", null),
  badField("an empty body", "body", ""),
  badField("a body of white space", "body", " \n\t"),
  badField("a body with NUL", "body", "a\0b"),
  badField("a body with half a surrogate pair", "body", "a\ud83d"),
  badField("a body with a pair the wrong way round", "body", "\udc00\ud83d"),
  badField("no since", "since", undefined),
  badField("since a number", "since", 0),
  badField("since of 20 digits", "since", `${BOGUS}0`),
  badField("since with a sign", "since", "-123456789012345678"),
  badField("since of Arabic digits", "since", "٠".repeat(19)),
  badField("replyTo a number", "replyTo", 1),
  badField("replyTo no UUIDv7", "replyTo", "lobby"),
  send("8 KiB and one byte of body", { body: "x".repeat(8193) }, { code: "body_too_long" }),
  send(
    "8 KiB and one byte of body in few characters",
    { body: `${"€".repeat(2730)}xxx` },
    { code: "body_too_long" },
  ),
  send("just 8 KiB of body", { body: "x".repeat(8192) }, { type: "sent" }),
  send("just 8 KiB of body in few characters", { body: `${"€".repeat(2730)}xx` }, { type: "sent" }),
  send("a thousand combining marks", { body: `a${"\u0301".repeat(1000)}` }, { type: "sent" }),
  send("controls that turn the text around", { body: "\u202eabc\u2066def" }, { type: "sent" }),
  send("letters that look like others", { body: "\u0430dmin" }, { type: "sent" }),
  send("only what can't be seen", { body: "\u200b\u2060" }, { type: "sent" }),
  send(
    "another's name and another's time",
    { user: { id: "root", name: "root" }, at: 1, position: BOGUS },
    { type: "sent" },
  ),
  send("a prototype", JSON.parse('{"__proto__":{"body":"x"}}') as Record<string, unknown>, { type: "sent" }),
  send("since of the future", { since: FUTURE }, { type: "sent" }),
  send("fields that nobody knows", { __proto: 1, user: "root", at: 0 }, { type: "sent" }),
  send("an id of 1970", { id: "00000000-0000-7000-8000-000000000000" }, { type: "sent" }),
  send("an id over a minute ahead", () => ({ id: newId(61_000 + 5_000) }), { code: "id_from_future" }),
  send("the latest id there is", { id: "ffffffff-ffff-7fff-bfff-ffffffffffff" }, { code: "id_from_future" }),
  send("an unknown room", () => ({ room: newId() }), { code: "unknown_room" }),
  send("a room that was not joined", ({ rooms }) => ({ room: rooms[1] }), { code: "not_member" }),
  send("a room of somebody else", ({ takenRoom }) => ({ room: takenRoom }), { code: "not_member" }),
  row(
    "stranger",
    "send before auth",
    ({ room }: World) => ({ type: "send", room, id: newId(), body: "x", since: NO_POSITION }),
    { code: "not_authenticated" },
  ),
];

const readFrame = (fields: object) => ({ type: "read", room: "lobby", position: BOGUS, ...fields });

const READ_CASES = [
  row("user", "read without room", readFrame({ room: undefined }), { code: "invalid_field", field: "room" }),
  row("user", "read without position", readFrame({ position: undefined }), {
    code: "invalid_field",
    field: "position",
  }),
  row("user", "read with position a number", readFrame({ position: 1 }), {
    code: "invalid_field",
    field: "position",
  }),
  row("user", "read a room not joined", readFrame({}), { code: "not_member" }),
  row("member", "read beyond the room", ({ room }: World) => readFrame({ room, position: FUTURE }), {
    type: "read",
  }),
  row("stranger", "read before auth", readFrame({}), { code: "not_authenticated" }),
];

const AUTH_CASES = [
  row("stranger", "auth without token", { type: "auth" }, { code: "invalid_field", field: "token" }),
  row(
    "stranger",
    "auth with token an object",
    { type: "auth", token: {} },
    { code: "invalid_field", field: "token" },
  ),
  row(
    "stranger",
    "auth with an empty token",
    { type: "auth", token: "" },
    { code: "invalid_field", field: "token" },
  ),
  row(
    "stranger",
    "auth with no token at all",
    { type: "auth", token: "hello" },
    { code: "invalid_token", closed: "invalid_token" },
  ),
  row(
    "stranger",
    "auth with a token of 60,000 characters",
    { type: "auth", token: `a.${"b".repeat(60_000)}.c` },
    { code: "invalid_token", closed: "invalid_token" },
  ),
  badToken("stranger", "expired", "token_expired"),
  badToken("stranger", "otherStage", "invalid_token"),
  badToken("stranger", "otherSecret", "invalid_token"),
  badToken("stranger", "unsigned", "invalid_token"),
  badToken("stranger", "noExpiry", "invalid_token"),
  badToken("stranger", "otherSubject", "invalid_token"),
  badToken("user", "expired", "token_expired"),
  badToken("user", "otherStage", "invalid_token"),
  row("user", "auth a second time", ({ alice }: World) => ({ type: "auth", token: alice.token }), {
    type: "welcome",
  }),
  row("user", "auth as another user", ({ bob }: World) => ({ type: "auth", token: bob.token }), {
    code: "invalid_token",
  }),
];

export const FRAME_CASES: readonly FrameCase[] = [
  ...JSON_CASES,
  ...TYPE_CASES,
  ...JOIN_CASES,
  ...SEND_CASES,
  ...READ_CASES,
  ...AUTH_CASES,
];
