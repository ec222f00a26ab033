/** What the cases of bad input are played against: a running product with two users, a room of one of them, and tokens gone bad. */
import { SignJWT } from "jose";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { uuidV7 } from "../core/uuid.ts";
import type { Running } from "./harness.ts";
import { guest, RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

export const STAGE = "bad-input";
export const SECRET = "a secret that is only for the cases of bad input";
/** Joins are cheap to count to when there are few. */
export const ROOMS_MAX = 3;

type Guest = Awaited<ReturnType<typeof guest>>;

export interface World {
  readonly running: Running;
  readonly alice: Guest;
  readonly bob: Guest;
  /** Alice's; Bob is no member. */
  readonly room: string;
  /** Rooms of Alice's, one more than a session may join. */
  readonly rooms: readonly string[];
  /** Of a message of Bob's, in `takenRoom`. */
  readonly takenId: string;
  /** Bob's. */
  readonly takenRoom: string;
  readonly tokens: Readonly<Record<BadToken, string>>;
}

export type BadToken = "expired" | "otherStage" | "otherSecret" | "unsigned" | "noExpiry" | "otherSubject";

export function newId(aheadMs = 0): string {
  return uuidV7({ ...systemRuntime, now: () => systemRuntime.now() + aheadMs });
}

export async function openWorld(running: Running): Promise<World> {
  const [alice, bob] = await Promise.all([guest(running.url, "Alice"), guest(running.url, "Bob")]);
  const rooms: string[] = [];
  for (let index = 0; index <= ROOMS_MAX; index++) rooms.push(await createRoom(running.url, alice.token));
  const takenRoom = await createRoom(running.url, bob.token);
  const takenId = await say(running.url, bob.token, takenRoom);
  const room = rooms[0] ?? "";
  await waitFor(() => isSettled(running.url, alice.token, room), "the room to be settled", 60_000);
  return { running, alice, bob, room, rooms, takenId, takenRoom, tokens: await badTokens(alice.user.id) };
}

async function createRoom(url: string, token: string): Promise<string> {
  const response = await fetch(`${url}/api/rooms`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ name: "room" }),
  });
  return ((await response.json()) as { id: string }).id;
}

/** The id of a new message. */
async function say(url: string, token: string, room: string): Promise<string> {
  const client = await RawClient.open(url, token);
  const joined = await client.ask({ type: "join", room });
  const since = joined.type === "joined" ? joined.head : "";
  const id = newId();
  const sent = await client.ask({ type: "send", room, id, body: "first", since });
  if (sent.type !== "sent") throw new Error(`not sent: ${JSON.stringify(sent)}`);
  client.close();
  return id;
}

/** Whether what may have been sent before is known; until then sends may be put off. */
export async function isSettled(url: string, token: string, room: string): Promise<boolean> {
  const client = await RawClient.open(url, token);
  const joined = await client.ask({ type: "join", room });
  client.close();
  return joined.type === "joined" && !joined.provisional;
}

async function badTokens(subject: string): Promise<Record<BadToken, string>> {
  const sign = (changes: { secret?: string; stage?: string; expiry?: string; sub?: string }) => {
    const { secret = SECRET, stage = STAGE, expiry = "1 hour", sub = subject } = changes;
    const token = new SignJWT({ name: "Alice" }).setProtectedHeader({ alg: "HS256" }).setSubject(sub);
    token.setIssuer(`skat/${stage}`).setAudience("skat").setIssuedAt();
    if (expiry !== "") token.setExpirationTime(expiry);
    return token.sign(Buffer.from(secret));
  };
  const claims = (await sign({})).split(".")[1] ?? "";
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;
  return {
    expired: await sign({ expiry: "-1 minute" }),
    otherStage: await sign({ stage: "production" }),
    otherSecret: await sign({ secret: SECRET.toUpperCase() }),
    unsigned,
    noExpiry: await sign({ expiry: "" }),
    otherSubject: await sign({ sub: "root" }),
  };
}
