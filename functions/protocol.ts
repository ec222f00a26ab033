/**
 * The wire, version 1: frames, codes and limits. Imports nothing, so that server, page and SDK share it.
 *
 * `docs/protocol.md` says the same in prose; a test keeps the two equal.
 */

export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocol. A client that offers none speaks v1; one that offers only others is refused. */
export const SUBPROTOCOL = "skat.v1";

/** The room that exists from the first start. Every other room's id is a UUIDv7. */
export const LOBBY = "lobby";

/** What everybody is called who has deleted the account, in every room; nobody else can be. */
export const DELETED_NAME = "Deleted account";

/** A room's cursor before it ever had an event or a fence. */
export const NO_POSITION = "0000000000000000000";

/** What is counted by all nodes together. */
export const RATES = {
  guests: "New guests, by address",
  signIns: "Attempts to sign in, by account and address",
  upgrades: "WebSocket connections, by address",
  requests: "HTTP requests, by user",
  joins: "Joins of rooms, by user",
  roomsMade: "Rooms made, by user",
  exports: "Downloads of one's own data, by user",
  sends: "Messages, by user",
  roomSends: "Messages, by room",
} as const;

export type RateName = keyof typeof RATES;

/** What a client must stay within; `welcome` carries the values in force. Defaults here, overridable by configuration. */
export interface Limits {
  /** Longest message body, in bytes of UTF-8. */
  readonly bodyBytesMax: number;
  /** Longest frame, in bytes; a longer one closes the connection with 1009. */
  readonly frameBytesMax: number;
  /** Longest user or room name, in characters (UTF-16 units). */
  readonly nameLengthMax: number;
  /** Rooms that one session may have joined at the same time. */
  readonly roomsPerSessionMax: number;
  /** Frames per second that a session may send, after a burst of `frameBurst`. */
  readonly framesPerSecond: number;
  readonly frameBurst: number;
  /** Most events that one history page holds. */
  readonly historyLimitMax: number;
  /** Most rooms that a user may own. */
  readonly roomsPerUserMax: number;
  readonly membersPerRoomMax: number;
  /** Most people of a direct room. */
  readonly directPeopleMax: number;
  /** How often each of `RATES` may be done: so many within so many seconds, all of several; "none" is no limit. */
  readonly rates: Readonly<Record<RateName, string>>;
}

/** Those that a client minds by itself. */
export type ClientLimits = Pick<
  Limits,
  "bodyBytesMax" | "frameBytesMax" | "nameLengthMax" | "roomsPerSessionMax" | "historyLimitMax"
>;

/** What a client goes by until `welcome` says what is in force. */
export const CLIENT_LIMITS: ClientLimits = {
  bodyBytesMax: 8 * 1024,
  frameBytesMax: 64 * 1024,
  nameLengthMax: 64,
  roomsPerSessionMax: 200,
  historyLimitMax: 200,
};

export const DEFAULT_LIMITS: Limits = {
  ...CLIENT_LIMITS,
  framesPerSecond: 100,
  frameBurst: 500,
  roomsPerUserMax: 5_000,
  membersPerRoomMax: 100_000,
  directPeopleMax: 10,
  rates: {
    guests: "600/60,20000/86400",
    signIns: "10/60,50/3600,200/86400",
    upgrades: "600/60",
    requests: "10000/60",
    joins: "3000/60",
    roomsMade: "1000/60",
    exports: "10/3600,30/86400",
    sends: "2000/10",
    roomSends: "100000/10",
  },
};

/** Events that a join without `after`, a `reset` and a history page without `limit` give. */
export const PAGE_EVENTS = 50;

export interface User {
  readonly id: string;
  readonly name: string;
}

/** Something that happened in a room. `prev` is the position before it: the room is a linked list. */
export interface RoomEvent {
  readonly type: "event";
  readonly room: string;
  readonly position: string;
  readonly prev: string;
  readonly kind: "message";
  readonly id: string;
  readonly user: User;
  readonly body: string;
  readonly replyTo?: string;
  /** Milliseconds since 1970, the same as in `position`. */
  readonly at: number;
}

export type RoomKind = "public" | "private" | "direct";

/** What a member may do is in `core/permissions.ts`. */
export type Role = "owner" | "moderator" | "member" | "read-only";

export interface RoomInfo {
  readonly id: string;
  /** Stands in a link; stays when the room is renamed. */
  readonly slug: string;
  readonly kind: RoomKind;
  readonly name: string;
  readonly topic: string;
  readonly archived: boolean;
}

/** Why somebody is no longer in a room. */
export type LeftReason = "left" | "removed" | "banned";

export type Engine = "redis" | "kafka" | "postgres";

/** What a degraded engine takes away: `send` new messages, have them `save`d, read `history` beyond the stream. */
export type Ability = "send" | "save" | "history";

export type ClientFrame =
  | { readonly type: "auth"; readonly ref?: number; readonly token: string }
  | { readonly type: "join"; readonly ref?: number; readonly room: string; readonly after?: string }
  | { readonly type: "leave"; readonly ref?: number; readonly room: string }
  | {
      readonly type: "send";
      readonly ref?: number;
      readonly room: string;
      readonly id: string;
      readonly body: string;
      /** The position that the client held when it first sent this message; the same in every retry. */
      readonly since: string;
      readonly replyTo?: string;
    }
  /** This user has read the room up to there. */
  | { readonly type: "read"; readonly ref?: number; readonly room: string; readonly position: string };

export type ResetReason =
  /** Redis has a new memory: positions before it cannot be resumed. */
  | "fence"
  /** The room's tail could not be linked to what the client holds. */
  | "gap"
  /** More was missed than a resume may carry. */
  | "too_far"
  /** The settled page that follows a provisional one. */
  | "settled";

export type ServerFrame =
  | {
      readonly type: "welcome";
      readonly ref?: number;
      readonly session: string;
      readonly user: User;
      readonly limits: Limits;
      readonly heartbeatMs: number;
      readonly now: number;
    }
  | {
      readonly type: "joined";
      readonly ref?: number;
      readonly room: string;
      readonly head: string;
      readonly complete: boolean;
      readonly provisional: boolean;
    }
  | {
      readonly type: "reset";
      readonly ref?: number;
      readonly room: string;
      readonly reason: ResetReason;
      readonly head: string;
      readonly complete: boolean;
      readonly provisional: boolean;
    }
  | { readonly type: "events"; readonly room: string; readonly events: readonly RoomEvent[] }
  | RoomEvent
  | { readonly type: "left"; readonly ref?: number; readonly room: string; readonly reason?: LeftReason }
  /** A joined room has changed, or one has become a member of a room or got another role there. */
  | { readonly type: "room"; readonly room: string; readonly info: RoomInfo; readonly role: Role }
  /** Somebody's part in a room changed: `role` is null when it has ended. */
  | {
      readonly type: "member";
      readonly room: string;
      readonly user: User;
      readonly role: Role | null;
      readonly mutedUntilMs?: number;
    }
  | {
      readonly type: "sent";
      readonly ref?: number;
      readonly room: string;
      readonly id: string;
      readonly position: string;
    }
  | { readonly type: "saved"; readonly room: string; readonly ids: readonly string[] }
  /** Up to where this user has read the room: the answer to `read`, and unasked when another of its sessions did. */
  | { readonly type: "read"; readonly ref?: number; readonly room: string; readonly position: string }
  | { readonly type: "degraded"; readonly engine: Engine; readonly cannot: readonly Ability[] }
  | { readonly type: "recovered"; readonly engine: Engine }
  | { readonly type: "reconnect"; readonly afterMs: number }
  /** The token ends soon: send `auth` with a new one. The session ends `graceMs` after the token. */
  | { readonly type: "auth_expiring"; readonly expiresInMs: number; readonly graceMs: number }
  | ({ readonly type: "error"; readonly ref?: number } & ErrorBody);

/** The part of an error that socket and HTTP share. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retriable: boolean;
  readonly retryAfterMs?: number;
}

/** Every error a client can meet: its HTTP status, whether the same request may succeed later, and when it is sent. */
export const ERRORS = {
  invalid_json: { status: 400, retriable: false, when: "The frame or request body is not a JSON object." },
  invalid_frame: { status: 400, retriable: false, when: "The frame is binary; frames are JSON text." },
  unknown_type: {
    status: 400,
    retriable: false,
    when: "The frame's `type` is missing or not of this version.",
  },
  invalid_field: {
    status: 400,
    retriable: false,
    when: "A field is missing or wrong; the message names it.",
  },
  body_too_long: { status: 413, retriable: false, when: "A message body is over `limits.bodyBytesMax`." },
  request_too_large: {
    status: 413,
    retriable: false,
    when: "An HTTP request body is over `limits.frameBytesMax`.",
  },
  id_from_future: {
    status: 400,
    retriable: false,
    when: "A message id's time is over a minute ahead of the server; set the clock of ids by `welcome.now`.",
  },
  id_taken: { status: 409, retriable: false, when: "The message id belongs to another user's message." },
  not_authenticated: { status: 401, retriable: false, when: "No token was given: send `auth` first." },
  invalid_token: {
    status: 401,
    retriable: false,
    when: "The token is malformed or not signed for this server.",
  },
  token_expired: { status: 401, retriable: false, when: "The token's time is over: get a new one." },
  token_revoked: {
    status: 401,
    retriable: false,
    when: "The token was called back: its session was signed out, its guest became a member, or its account was deleted.",
  },
  guests_refused: { status: 403, retriable: false, when: "This server takes no guests: sign in." },
  insufficient_scope: { status: 403, retriable: false, when: "The token was not made for this." },
  owner_only: { status: 403, retriable: false, when: "Only the owner of this server may do this." },
  wrong_code: {
    status: 403,
    retriable: false,
    when: "The code is not the one that was printed, or this server has an owner.",
  },
  unknown_bot: { status: 404, retriable: false, when: "No bot, or no token of a bot, has this id." },
  not_member: { status: 403, retriable: false, when: "Only members read or write a room: join it first." },
  forbidden: {
    status: 403,
    retriable: false,
    when: "The role in the room, or the kind of the room, does not allow this.",
  },
  banned: { status: 403, retriable: false, when: "The user is banned from the room." },
  muted: { status: 403, retriable: false, when: "The user may read the room, but not write to it for now." },
  blocked: {
    status: 403,
    retriable: false,
    when: "One of the two has blocked the other for direct messages.",
  },
  room_archived: { status: 403, retriable: false, when: "The room is archived: it can only be read." },
  last_owner: {
    status: 409,
    retriable: false,
    when: "A room, and this server, keeps one owner: make another one first.",
  },
  not_proved: {
    status: 403,
    retriable: false,
    when: "The password is missing or wrong, or there is none and the sign-in is older than ten minutes.",
  },
  limit_reached: { status: 403, retriable: false, when: "The user or the room has all it may have of this." },
  unknown_user: { status: 404, retriable: false, when: "No such user, or not one of this room." },
  unknown_invitation: {
    status: 404,
    retriable: false,
    when: "No invitation has this code, or it is over or used up.",
  },
  origin_refused: {
    status: 403,
    retriable: false,
    when: "The page's origin is not one that this server allows.",
  },
  unknown_room: {
    status: 404,
    retriable: false,
    when: "No room has this id, or none that the user may know of.",
  },
  not_found: { status: 404, retriable: false, when: "No such path." },
  method_not_allowed: { status: 405, retriable: false, when: "The path exists, but not for this method." },
  upgrade_required: {
    status: 426,
    retriable: false,
    when: "`/ws` was asked for without a WebSocket upgrade.",
  },
  unsupported_protocol: {
    status: 400,
    retriable: false,
    when: "Only unknown subprotocols or versions were offered.",
  },
  too_many_rooms: {
    status: 429,
    retriable: false,
    when: "The session has joined `limits.roomsPerSessionMax` rooms.",
  },
  rate_limited: { status: 429, retriable: true, when: "Too many frames or requests; wait `retryAfterMs`." },
  unavailable: {
    status: 503,
    retriable: true,
    when: "An engine does not answer, or its answer was lost: the outcome is unknown, retry with the same id.",
  },
  backlog_full: {
    status: 503,
    retriable: true,
    when: "Too many messages wait for the log; nothing was accepted.",
  },
  room_full: { status: 503, retriable: true, when: "Too many messages of this room wait to be stored." },
  draining: { status: 503, retriable: true, when: "The node is shutting down: reconnect." },
  internal: { status: 500, retriable: true, when: "A fault of the server, in full in its log." },
} as const satisfies Record<string, { status: number; retriable: boolean; when: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Close codes of our own: 4000–4499 mean reconnect, 4500–4999 mean do not. */
export const CLOSES = {
  draining: { code: 4000, when: "The node is shutting down; `reconnect` said how long to wait." },
  slow_client: {
    code: 4001,
    when: "The client read too slowly and its buffer ran full; reconnect and resume.",
  },
  heartbeat_lost: { code: 4002, when: "Two heartbeats stayed unanswered." },
  flooding: { code: 4003, when: "The client kept sending after `rate_limited`; wait before reconnecting." },
  auth_timeout: { code: 4004, when: "No `auth` within ten seconds of the upgrade." },
  too_many_connections: {
    code: 4005,
    when: "The user has all the connections it may have on this node; close one, or wait.",
  },
  invalid_token: { code: 4501, when: "The token given in `auth` was not accepted." },
  token_expired: { code: 4502, when: "The token ran out and was not refreshed by `auth`." },
  token_revoked: { code: 4503, when: "The token was called back: signed out, or taken away." },
} as const satisfies Record<string, { code: number; when: string }>;

export type CloseReason = keyof typeof CLOSES;
