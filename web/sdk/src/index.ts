/** The package's surface: everything that an application may use. */
export { createClient, type ClientOptions } from "./create-client.ts";
export type { Client, ClientEvents, SendOptions, WaitOptions } from "./client.ts";
export type { ClientSnapshot, RoomSnapshot } from "./snapshots.ts";
export type { Message } from "./messages.ts";
export type { DeliveryState, OutboxEntry } from "./outbox.ts";
export type { Delivery } from "./deliveries.ts";
export type { ConnectionState } from "./connection.ts";
export type { RoomError } from "./room-session.ts";
export type { HistoryState } from "./history.ts";
export type { HistoryPage, RoomView } from "./view.ts";
export { ClientError, type ClientErrorCode } from "./errors.ts";
export type { ListenOptions } from "./emitter.ts";
export type { TokenReason, TokenSource } from "./tokens.ts";
export {
  createApi,
  type Account,
  type Api,
  type Fetch,
  type HistoryQuery,
  type ListedRoom,
  type Method,
} from "./api.ts";
export { memoryStorage, type ForeignChange, type OutboxStorage } from "./storage.ts";
export { indexedDbStorage } from "./storage-indexeddb.ts";
export type { WebSocketClass, WebSocketLike } from "./socket.ts";
export type { Cancel, OpenSocket, Runtime, Socket, SocketHandlers } from "./runtime.ts";
export {
  CLIENT_LIMITS,
  LOBBY,
  NO_POSITION,
  PAGE_EVENTS,
  type Ability,
  type Limits,
  type ResetReason,
  type Role,
  type RoomEvent,
  type RoomInfo,
  type RoomKind,
  type User,
} from "../../../functions/protocol.ts";
