/** What goes over Socket.IO, as types for `io()` of its client: `Socket<ServerToClientEvents, ClientToServerEvents>`. */
import type { ErrorBody, Limits, ResetReason, RoomEvent, ServerFrame, User } from "../protocol.ts";

/**
 * What the client gives as `auth`. A library of 4.6 or later adds `pid` and `offset` by itself when it comes back; with another one
 * the page sets `offset` to the last one it was given.
 */
export interface Hello {
  /** `simple`, the default: the configured room, joined at once, as `message`. `full`: rooms as they are joined, as `event`. */
  readonly dialect?: "simple" | "full";
  /** Without one the client is a new guest. */
  readonly token?: string;
  /** Of a new guest. */
  readonly name?: string;
  readonly offset?: string;
  readonly pid?: string;
}

/** A room as it is shown: what it held before is replaced, unless it is the answer to a `join` with `after` and has no `reset`. */
export interface RoomPage {
  readonly room: string;
  /** The cursor after these events. */
  readonly head: string;
  readonly complete: boolean;
  readonly provisional: boolean;
  readonly events: readonly RoomEvent[];
  readonly reset?: ResetReason;
}

export interface Sent {
  readonly room: string;
  readonly id: string;
  readonly position: string;
}

export interface Welcome {
  readonly session: string;
  readonly user: User;
  readonly limits: Limits;
  readonly heartbeatMs: number;
  readonly now: number;
}

export interface Failure {
  readonly error: ErrorBody;
}

type Answer<Result> = (answer: Result | Failure) => void;
type Told<Type extends ServerFrame["type"]> = Omit<Extract<ServerFrame, { type: Type }>, "type" | "ref">;

export interface ClientToServerEvents {
  "event:message": (message: { message: string; id?: string }, answer?: Answer<Sent>) => void;
  join: (room: { room: string; after?: string }, answer?: Answer<RoomPage>) => void;
  leave: (room: { room: string }, answer?: Answer<{ room: string }>) => void;
  /** Without an `id` one is made, and a retry is another message. `since`, as in the protocol, goes with an `id`. */
  send: (
    message: { room: string; body: string; id?: string; since?: string; replyTo?: string },
    answer?: Answer<Sent>,
  ) => void;
  /** The user has read the room up to there. */
  read: (mark: { room: string; position: string }, answer?: Answer<Told<"read">>) => void;
  /** A new token of the same user, before the old one is over. */
  auth: (proof: { token: string }, answer?: Answer<Welcome>) => void;
}

/** The last argument, where it is a text, is what a library of 4.6 or later keeps as its `offset`. */
export interface ServerToClientEvents {
  /** Simple dialect: `{"message": "…"}` as JSON text. */
  message: (json: string, offset: string) => void;
  /** Full dialect. */
  event: (event: RoomEvent, offset: string) => void;
  /** A message got another place than its callback named: Redis had lost it. */
  sent: (sent: Told<"sent">) => void;
  saved: (saved: Told<"saved">) => void;
  /** What was shown of the room is replaced by this page. */
  reset: (page: RoomPage) => void;
  left: (left: Told<"left">) => void;
  /** Another session of this user has read the room up to there. */
  read: (mark: Told<"read">) => void;
  room: (room: Told<"room">) => void;
  member: (member: Told<"member">) => void;
  degraded: (degraded: Told<"degraded">) => void;
  recovered: (recovered: Told<"recovered">) => void;
  auth_expiring: (when: Told<"auth_expiring">) => void;
  reconnect: (when: Told<"reconnect">) => void;
  /** Of what was sent without a callback. */
  error: (error: ErrorBody) => void;
  /** The server ends the connection; whether to come back is in `reconnect`, and the library acts on it by itself. */
  closed: (why: { code: number; reason: string; reconnect: boolean }) => void;
  /** Nothing to show: a new `offset`, empty where the library can't resume. */
  offset: (offset: string) => void;
}
