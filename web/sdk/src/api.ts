/** The HTTP side of the wire: guests, rooms, history. */
import type { ErrorBody, Role, RoomInfo, User } from "../../../functions/protocol.ts";
import { ClientError } from "./errors.ts";
import type { HistoryPage } from "./view.ts";

export interface Account {
  readonly token: string;
  readonly user: User;
}

/** A room that may be seen, and what one is in it. */
export interface ListedRoom extends RoomInfo {
  /** None where one is no member. */
  readonly role?: Role;
  /** In a list, where one is a member: up to which position one has read. */
  readonly read?: string;
  /** Beside `read`: how many of the next 100 messages are others'. */
  readonly unread?: number;
}

export interface Api {
  guest(name: string): Promise<Account>;
  rooms(token: string): Promise<readonly ListedRoom[]>;
  createRoom(token: string, name: string): Promise<ListedRoom>;
  history(token: string, room: string, query: HistoryQuery): Promise<HistoryPage>;
  /** Any other route of `GET /api/openapi.json`; its path is what follows `/api`. */
  request<Answer>(token: string, method: Method, path: string, body?: object): Promise<Answer>;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Which page: the newest `limit` events before a position, or the oldest after one; without either the newest. */
export interface HistoryQuery {
  readonly before?: string;
  readonly after?: string;
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What `fetch` must do here; the runtime's own does. */
export type Fetch = (
  url: string,
  init: RequestInit,
) => Promise<{ readonly ok: boolean; json(): Promise<unknown> }>;

/** Every method rejects with `ClientError`, or with the reason of its signal. `baseUrl` may be empty: then it is the page's own. */
export function createApi(baseUrl: string, fetch: Fetch = fetchInTime): Api {
  const call = <Answer>(path: string, options: CallOptions): Promise<Answer> =>
    callJson<Answer>(fetch, `${baseUrl}/api${path}`, options);
  return {
    guest: (name) => call<Account>("/guest", { method: "POST", body: { name } }),
    rooms: (token) => allRooms((after) => call(`/rooms?${searchOf({ after })}`, { token })),
    createRoom: (token, name) => call<ListedRoom>("/rooms", { token, method: "POST", body: { name } }),
    history: (token, room, { signal, ...query }) =>
      call<HistoryPage>(`/rooms/${encodeURIComponent(room)}/events?${searchOf(query)}`, { token, signal }),
    request: (token, method, path, body) => call(path, { token, method, body }),
  };
}

/** An answer that does not come in this time never will: the connection may be dead without a word. */
const ANSWER_TIMEOUT_MS = 15_000;

const fetchInTime: Fetch = (url, init) => {
  const late = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  return fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, late]) : late });
};

interface RoomsPage {
  readonly rooms: readonly ListedRoom[];
  readonly next?: string;
}

async function allRooms(
  ask: (after: string | undefined) => Promise<RoomsPage>,
): Promise<readonly ListedRoom[]> {
  const rooms: ListedRoom[] = [];
  let after: string | undefined;
  do {
    const page = await ask(after);
    rooms.push(...page.rooms);
    after = page.next;
  } while (after !== undefined);
  return rooms;
}

interface CallOptions {
  readonly token?: string;
  readonly method?: Method;
  readonly body?: object | undefined;
  readonly signal?: AbortSignal | undefined;
}

function searchOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = JSON.parse(JSON.stringify(query)) as Record<string, string>; // without what is undefined
  return String(new URLSearchParams(given));
}

async function callJson<Answer>(fetch: Fetch, url: string, options: CallOptions): Promise<Answer> {
  const { ok, answer } = await exchange(fetch, url, options);
  if (ok) return answer as Answer;
  const error = (answer as { error?: ErrorBody } | null)?.error;
  throw error === undefined ? new ClientError("unreachable") : ClientError.of(error);
}

async function exchange(
  fetch: Fetch,
  url: string,
  options: CallOptions,
): Promise<{ ok: boolean; answer: unknown }> {
  try {
    const response = await fetch(url, requestOf(options));
    return { ok: response.ok, answer: await response.json() };
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new ClientError("unreachable", undefined, { cause });
  }
}

function requestOf({ token, method = "GET", body, signal }: CallOptions): RequestInit {
  return {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
}
