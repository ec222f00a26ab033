/** Lets a Socket.IO client in: who it is, its session, and where it goes on. */
import type { Auth } from "../core/auth.ts";
import type { ChatNode } from "../core/node.ts";
import type { RateLimiter } from "../core/rate-limits.ts";
import type { Runtime } from "../core/runtime.ts";
import { uuidV7 } from "../core/uuid.ts";
import { ChatError } from "../lib/errors.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { Client, Connection } from "./connection.ts";
import type { Hello } from "./events.ts";
import { guestTokenOf, readOffset, toPid, type Place } from "./offset.ts";
import { Translation, type IoSocket } from "./translation.ts";

export interface AdmissionOptions {
  readonly node: ChatNode;
  readonly auth: Auth;
  readonly rates: RateLimiter;
  readonly runtime: Runtime;
  readonly metrics: Metrics;
  /** Where clients of the simple dialect meet. */
  readonly room: string;
}

interface Identity {
  readonly token?: unknown;
  /** Ours to remember, where the client has none of its own. */
  readonly guestToken?: string;
}

/** Throws what keeps the client out. Its session ends with the connection. */
export async function admit(
  socket: IoSocket,
  connection: Connection,
  options: AdmissionOptions,
): Promise<Translation> {
  const hello = readHello(socket.handshake.auth);
  const newId = () => uuidV7(options.runtime);
  const dialect = hello.dialect ?? "simple";
  const translation = new Translation({ socket, connection, dialect, room: options.room, newId });
  openSession(translation, socket, connection, options);
  const { token, guestToken } = await identify(hello, connection.client, options);
  // Without one, a cookie has proved who it is.
  if (token !== undefined) await translation.authenticate(token);
  const isWhole = await enter(translation, hello, options.room);
  const isSame = guestTokenOf(hello.pid) === guestToken;
  const pid = isWhole && isSame ? hello.pid : undefined;
  // What the library compares with its own to know whether it was recovered.
  Object.assign(socket, { pid: pid ?? toPid(newId(), guestToken) });
  return translation;
}

function readHello(auth: Readonly<Record<string, unknown>>): Hello {
  const { dialect = "simple" } = auth;
  if (dialect !== "simple" && dialect !== "full")
    throw new ChatError("invalid_field", "`auth.dialect` is `simple` or `full`.");
  return { ...auth, dialect };
}

function openSession(
  translation: Translation,
  { conn }: IoSocket,
  connection: Connection,
  { node, metrics }: AdmissionOptions,
): void {
  const session = node.openSession(translation, connection.client.principal);
  translation.bind(session);
  connection.onSlow = () => session.close("slow_client");
  connection.onFlood = () => session.close("flooding");
  conn.once("close", (reason: string) => {
    if (!session.hasEnded) metrics.closes.inc({ reason: reasonOf(reason) });
    translation.ended();
    node.closeSession(session);
  });
}

async function identify(
  { token, pid, name }: Hello,
  { address, principal }: Client,
  { auth, rates }: AdmissionOptions,
): Promise<Identity> {
  if (token !== undefined && token !== null) return { token };
  if (principal) return {};
  const kept = guestTokenOf(pid);
  if (kept !== undefined && (await isValid(kept, auth))) return { token: kept, guestToken: kept };
  if (address !== undefined) await rates.take("guests", address);
  const { token: guestToken } = await auth.issueGuest(name ?? "Guest");
  return { token: guestToken, guestToken };
}

async function isValid(token: string, auth: Auth): Promise<boolean> {
  try {
    await auth.verify(token);
    return true;
  } catch (error) {
    if (error instanceof ChatError) return false;
    throw error;
  }
}

/** Whether everything since the client's offset has been brought. */
async function enter(translation: Translation, hello: Hello, room: string): Promise<boolean> {
  const place = readOffset(hello.offset);
  if (hello.dialect === "full") return place !== undefined && resumeIfAllowed(translation, place);
  if (place?.room === room) return translation.resume(place);
  await translation.enter(room);
  return false;
}

/** A room that the client may not read any more is left to its own `join`, which says why. */
async function resumeIfAllowed(translation: Translation, place: Place): Promise<boolean> {
  try {
    return await translation.resume(place);
  } catch (error) {
    if (error instanceof ChatError && !error.retriable) return false;
    throw error;
  }
}

/** Why a connection ended that we did not end. */
function reasonOf(reason: string): "heartbeat_lost" | "broken" | "client" {
  if (reason === "ping timeout") return "heartbeat_lost";
  return reason === "transport error" || reason === "parse error" ? "broken" : "client";
}
