/** Ports: what is kept of a person, for the person to take along, and its end. Errors as in `store.ts`. */
import type { RoomInfo, User } from "../protocol.ts";
import type { Position } from "./position.ts";
import type { Action } from "./room-store.ts";

/** One thing that is kept of a person. No secret is among them: no token, no password, nothing of another service's. */
export type OwnRecord =
  | { readonly type: "profile"; readonly user: User; readonly account?: OwnAccount }
  | OwnSession
  | { readonly type: "sign-in"; readonly provider: string; readonly accountId: string; readonly atMs: number }
  | { readonly type: "bot"; readonly user: User; readonly atMs: number }
  | { readonly type: "room"; readonly room: RoomInfo; readonly role: string; readonly joinedAtMs: number }
  | { readonly type: "read"; readonly room: string; readonly position: Position }
  | { readonly type: "ban"; readonly room: string; readonly reason: string; readonly untilMs: number }
  | { readonly type: "block"; readonly user: string; readonly atMs: number }
  | { readonly type: "invitation"; readonly room: string; readonly code: string; readonly atMs: number }
  | OwnChange
  | OwnMessage;

export interface OwnSession {
  readonly type: "session";
  readonly id: string;
  readonly atMs: number;
  readonly expiresAtMs: number;
  /** What the browser called itself. */
  readonly userAgent?: string;
}

export interface OwnAccount {
  readonly email: string;
  readonly isVerified: boolean;
  readonly image?: string;
  readonly color?: string;
  readonly atMs: number;
}

/** A line of the trail that the person made, or that is about it; who else was in it is not told. */
export interface OwnChange {
  readonly type: "change";
  readonly atMs: number;
  readonly room?: string;
  readonly action: Action;
  readonly byMe: boolean;
  readonly aboutMe: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface OwnMessage {
  readonly type: "message";
  readonly room: string;
  readonly position: Position;
  readonly id: string;
  readonly at: number;
  readonly body: string;
  readonly replyTo?: string;
}

/** What came of the wish to delete an account. */
export interface Deletion {
  readonly isDeleted: boolean;
  /** Names of rooms that would be left to others without an owner: for these it is not deleted. */
  readonly ownerless: readonly string[];
  /** It owns the server, where others have accounts: nor is it then. */
  readonly ownsServer: boolean;
}

export interface OwnDataStore {
  /** All of it, in pages that are read when they are asked for; the messages last, in the order of their positions. */
  ownData(user: User): AsyncIterable<readonly OwnRecord[]>;
  /**
   * Takes everything that is personal out of the store, and every right with it, in one statement; the messages stay, and so do the ids
   * in the trail. Whose id it was never comes back: it is called back for ever. Idempotent.
   */
  deleteAccount(user: string): Promise<Deletion>;
}

/** What is left to do after an account was deleted. */
export interface ErasureStore {
  /** Puts the common name to up to `limit` messages of those who are deleted, and answers how many. */
  eraseNames(limit: number): Promise<number>;
  /** Takes out once more what was written about those deleted within the last day: a node may not have known yet. */
  eraseAgain(): Promise<void>;
}
