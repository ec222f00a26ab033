/** `npm run smoke -- <url>`: two guests talk on a deployment, and every step is told; the first that fails ends it. */
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { systemRuntime } from "../functions/adapters/runtime-system.ts";
import { uuidV7 } from "../functions/core/uuid.ts";
import { helpFor } from "./commands.mjs";
import { SmokeSocket } from "./smoke-socket.ts";

const ROOM_NAME = "Smoke test";
const POLL_MS = 200;

interface Guest {
  readonly token: string;
  readonly user: { readonly id: string; readonly name: string };
}

const { url, timeoutMs, apiOnly } = readArguments();

try {
  await converse();
  console.log(`All is well at ${url}`);
  process.exit(0);
} catch (error) {
  console.error(`FAILED  ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function converse(): Promise<void> {
  if (!apiOnly) await step("page", askPage);
  const [ann, bob] = await step("guests", () => Promise.all([beGuest("Smoke A"), beGuest("Smoke B")]));
  const room = await step("room", () => findRoom(ann));
  const sockets = await step("connect", () => Promise.all([ann, bob].map(connect)));
  await step("join", () => Promise.all(sockets.map((socket) => socket.join(room))));
  const [from, to] = sockets as [SmokeSocket, SmokeSocket];
  const id = uuidV7({ ...systemRuntime, now: () => from.serverMs() });
  const position = await step("send", () => from.say(room, id, `Smoke test of ${new Date().toISOString()}`));
  await step("receive", () => to.next((frame) => frame.type === "event" && frame.id === id));
  await step("save", () => from.next((frame) => frame.type === "saved" && frame.ids.includes(id)));
  await step("store", () => untilStored(ann, room, position, id));
  for (const socket of sockets) socket.close();
}

/** Runs one step within its time, and tells how long it took. */
async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const ended = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`);
  });
  try {
    const result = await Promise.race([run(), late]);
    console.log(`ok      ${name.padEnd(8)} ${Math.round(performance.now() - startMs)} ms`);
    return result;
  } catch (error) {
    throw new Error(`${name}: ${describe(error)}`, { cause: error });
  } finally {
    late.catch(() => {}); // it was told already, or it is not needed any more
    ended.abort();
  }
}

async function askPage(): Promise<void> {
  const response = await fetch(url);
  const type = response.headers.get("content-type") ?? "nothing";
  if (!response.ok || !type.startsWith("text/html"))
    throw new Error(`${response.status}, ${type}: not the page`);
}

function beGuest(name: string): Promise<Guest> {
  return ask<Guest>("POST", "/api/guest", undefined, { name });
}

/** Always the same room, so that smoke tests leave one room behind and not one each. */
async function findRoom({ token }: Guest): Promise<string> {
  const { rooms } = await ask<{ rooms: { id: string; name: string }[] }>("GET", "/api/rooms", token);
  const known = rooms.find(({ name }) => name === ROOM_NAME);
  return (known ?? (await ask<{ id: string }>("POST", "/api/rooms", token, { name: ROOM_NAME }))).id;
}

async function connect({ token }: Guest): Promise<SmokeSocket> {
  const socket = await SmokeSocket.open(url);
  await socket.authenticate(token);
  return socket;
}

/** The history is what the consumer has stored: a moment later than `saved`. */
async function untilStored({ token }: Guest, room: string, position: string, id: string): Promise<void> {
  const before = (BigInt(position) - 1n).toString().padStart(position.length, "0");
  const path = `/api/rooms/${room}/events?after=${before}`;
  for (;;) {
    const { events } = await ask<{ events: { id: string }[] }>("GET", path, token);
    if (events.some((event) => event.id === id)) return;
    await sleep(POLL_MS);
  }
}

async function ask<T>(method: string, path: string, token?: string, body?: object): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${text.slice(0, 200)}`);
  return JSON.parse(text) as T;
}

/** What `fetch` says is "fetch failed"; why is in its cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function readArguments(): { url: string; timeoutMs: number; apiOnly: boolean } {
  try {
    const options = { "api-only": { type: "boolean" }, "timeout-ms": { type: "string" } } as const;
    const { positionals, values } = parseArgs({ allowPositionals: true, options });
    const [address = "", ...more] = positionals;
    const { "timeout-ms": timeout = "15000", "api-only": apiOnly = false } = values;
    if (!/^https?:\/\//.test(address) || more.length > 0)
      throw new Error("Give one address, like https://chat.example.org");
    if (!/^[1-9]\d{0,6}$/.test(timeout)) throw new Error("--timeout-ms is a number of milliseconds");
    return { url: new URL(address).origin, timeoutMs: Number(timeout), apiOnly };
  } catch (error) {
    console.error(`${describe(error)}\n\n${helpFor("smoke")}`);
    process.exit(2);
  }
}
