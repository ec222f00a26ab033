/** docs/protocol.md is enough to write a client from: what it lists is what goes over the wire, field by field. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_POSITION } from "../protocol.ts";
import { newId } from "./events.ts";
import { makeRooms, startEmbedded, type Embedded } from "./harness.ts";
import { deviations, framesIn } from "./protocol-frames.ts";
import { guest, RawClient } from "./test-client.ts";

const TOLD = new Map([...framesIn("Client → server"), ...framesIn("Server → client")]);
const ASKED = new Map([...framesIn("Client → server")].filter(([, { isSpelledOut }]) => isSpelledOut));

let embedded: Embedded;
let room: string;
let token: string;
beforeAll(async () => {
  embedded = await startEmbedded();
  [room = ""] = await makeRooms(embedded.url, 1);
  ({ token } = await guest(embedded.url, "stranger"));
}, 60_000);
afterAll(async () => void (await embedded?.stop()));

/** A frame with every field that the document requires. */
function complete(type: string): Record<string, unknown> {
  const values: Record<string, unknown> = {
    token,
    room,
    id: newId(),
    body: "Hello",
    since: NO_POSITION,
    position: NO_POSITION,
  };
  const fields = ASKED.get(type)?.required ?? [];
  return Object.fromEntries([["type", type], ...fields.map((name) => [name, values[name]])]);
}

test("every frame that comes is one of the document, with just its fields", async () => {
  const client = await RawClient.open(embedded.url, token);
  const joined = await client.ask(complete("join"));
  const since = joined.type === "joined" ? joined.head : "";
  await client.ask({ ...complete("send"), since, replyTo: newId() });
  await client.next("saved");
  await client.ask({ ...complete("join"), after: "0000000000000000001" });
  const other = await RawClient.open(embedded.url, token);
  await other.ask(complete("join"));
  await client.ask({ ...complete("read"), position: since });
  await other.next("read");
  await client.ask(complete("leave"));
  await client.ask(complete("send"));
  embedded.signal("SIGTERM");
  await client.next("reconnect");
  await embedded.restart();
  expect([...client.frames, ...other.frames].flatMap((frame) => deviations(frame, TOLD))).toEqual([]);
  const seen = new Set<string>(client.frames.map(({ type }) => type));
  const asked = [
    "welcome",
    "joined",
    "events",
    "event",
    "sent",
    "saved",
    "read",
    "reset",
    "left",
    "error",
    "reconnect",
  ];
  expect(asked.filter((type) => !seen.has(type))).toEqual([]);
}, 60_000);

test.each([...ASKED].flatMap(([type, { required }]) => required.map((field) => ({ type, field }))))(
  "$type without $field is refused by that field's name",
  async ({ type, field }) => {
    const client = await RawClient.open(embedded.url, token);
    const { [field]: _, ...rest } = complete(type);
    const answer = await client.ask(rest);
    expect(answer).toMatchObject({ type: "error", code: "invalid_field", retriable: false });
    expect(answer.type === "error" && answer.message).toContain(`\`${field}\``);
    client.close();
  },
);
