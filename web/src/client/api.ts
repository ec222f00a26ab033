/** The HTTP side of the wire: guests, rooms, history. */
import type { ErrorBody, ErrorCode, User } from "../../../functions/protocol.ts";
import type { HistoryPage } from "./view.ts";

export interface Account {
  readonly token: string;
  readonly user: User;
}

export interface RoomInfo {
  readonly id: string;
  readonly name: string;
}

export interface Api {
  guest(name: string): Promise<Account>;
  rooms(token: string): Promise<readonly RoomInfo[]>;
  createRoom(token: string, name: string): Promise<RoomInfo>;
  /** The newest `limit` events before a position, ascending. */
  history(token: string, room: string, before: string, limit: number): Promise<HistoryPage>;
}

/** `unreachable`: no answer, or none that this wire knows. */
export type ApiErrorCode = ErrorCode | "unreachable";

export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly retriable: boolean;
  readonly retryAfterMs: number;

  constructor(code: ApiErrorCode, message: string, retriable: boolean, retryAfterMs = 0) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.retriable = retriable;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Every method rejects with `ApiError` only. */
export function createApi(baseUrl: string): Api {
  const call = <Answer>(path: string, init: CallOptions): Promise<Answer> =>
    callJson<Answer>(`${baseUrl}/api${path}`, init);
  return {
    guest: (name) => call<Account>("/guest", { post: { name } }),
    rooms: async (token) => (await call<{ rooms: readonly RoomInfo[] }>("/rooms", { token })).rooms,
    createRoom: (token, name) => call<RoomInfo>("/rooms", { token, post: { name } }),
    history: (token, room, before, limit) =>
      call<HistoryPage>(
        `/rooms/${encodeURIComponent(room)}/events?${new URLSearchParams({ before, limit: String(limit) })}`,
        { token },
      ),
  };
}

interface CallOptions {
  readonly token?: string;
  readonly post?: unknown;
}

async function callJson<Answer>(url: string, { token, post }: CallOptions): Promise<Answer> {
  const init: RequestInit = {
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(post === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(post === undefined ? {} : { method: "POST", body: JSON.stringify(post) }),
  };
  const { ok, answer } = await exchange(url, init);
  if (ok) return answer as Answer;
  const error = (answer as { error?: ErrorBody } | null)?.error;
  if (error === undefined) throw unreachable();
  throw new ApiError(error.code, error.message, error.retriable, error.retryAfterMs);
}

async function exchange(url: string, init: RequestInit): Promise<{ ok: boolean; answer: unknown }> {
  try {
    const response = await fetch(url, init);
    return { ok: response.ok, answer: await response.json() };
  } catch (cause) {
    throw Object.assign(unreachable(), { cause });
  }
}

function unreachable(): ApiError {
  return new ApiError("unreachable", "The server does not answer.", true);
}
