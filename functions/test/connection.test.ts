/** What a connection's end and a long absence look like from outside: counted by their reason, answered by theirs. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRooms, startEmbedded, type Embedded } from "./harness.ts";
import { newId } from "./events.ts";
import { guest, RawClient } from "./test-client.ts";
import { waitFor } from "./wait-for.ts";

let server: Embedded;
beforeAll(
  async () => void (server = await startEmbedded({ FRAMES_PER_SECOND: "10000", FRAME_BURST: "10000" })),
  60_000,
);
afterAll(async () => void (await server?.stop()));

async function closes(reason: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    new RegExp(`^skat_session_closes_total\\{reason="${reason}"\\} (\\S+)$`, "m").exec(text)?.[1],
  );
}

async function settled(client: RawClient, room: string): Promise<void> {
  await waitFor(async () => {
    const joined = await client.ask({ type: "join", room });
    return joined.type === "joined" && !joined.provisional;
  }, "a settled view");
}

test.each([
  ["client", (client: RawClient) => client.close()],
  ["broken", (client: RawClient) => client.socket.terminate()],
  ["frame_too_long", (client: RawClient) => client.socket.send("x".repeat(70_000))],
])("an end by %s is counted as that, once", async (reason, end) => {
  const before = await closes(reason);
  end(await RawClient.open(server.url));
  await waitFor(async () => (await closes(reason)) === before + 1, "the end to be counted");
});

test("[G5] who missed more than a resume may carry is told `too_far`; who missed less gets all of it", async () => {
  const { token } = await guest(server.url, "Ada");
  const writer = await RawClient.open(server.url, token);
  await settled(writer, "lobby");
  const cursors: string[] = [];
  for (let count = 0; count <= 5_001; count++) {
    if (count === 0 || count === 5_001 - 200) {
      const joined = await writer.ask({ type: "join", room: "lobby" });
      if (joined.type === "joined") cursors.push(joined.head);
    }
    writer.send({ type: "send", room: "lobby", id: newId(), body: `${count}`, since: cursors[0] });
    if (count % 500 === 0)
      await waitFor(
        () => writer.frames.filter(({ type }) => type === "sent").length > count - 500,
        "sends to be taken",
      );
  }
  await waitFor(
    () => writer.frames.filter(({ type }) => type === "sent").length === 5_002,
    "all to be sent",
    30_000,
  );
  const [far = "", near = ""] = cursors;
  const reader = await RawClient.open(server.url, (await guest(server.url, "Ben")).token);
  expect(await reader.ask({ type: "join", room: "lobby", after: far })).toMatchObject({
    type: "reset",
    reason: "too_far",
  });
  const from = reader.frames.length;
  expect(await reader.ask({ type: "join", room: "lobby", after: near })).toMatchObject({ type: "joined" });
  const { events } = await reader.next("events", from);
  expect(events.length).toBeGreaterThanOrEqual(200);
  expect(events.map(({ prev }) => prev)).toEqual([
    near,
    ...events.slice(0, -1).map(({ position }) => position),
  ]);
}, 90_000);

test("members of different rooms who have as many frames waiting are each written their own", async () => {
  const rooms = await makeRooms(server.url, 2);
  const { token } = await guest(server.url, "Ben");
  const writer = await RawClient.open(server.url, token);
  const members = await Promise.all(
    rooms.map(async (room) => {
      const client = await RawClient.open(server.url, (await guest(server.url, "Cy")).token);
      for (const one of [writer, client]) await settled(one, room);
      return { client, room };
    }),
  );
  const since = "0".repeat(19);
  for (let count = 0; count < 200; count++)
    for (const room of rooms)
      writer.send({ type: "send", room, id: newId(), body: `${room} ${count}`, since });
  for (const { client, room } of members) {
    const heard = () => client.frames.flatMap((frame) => (frame.type === "event" ? [frame.body] : []));
    await waitFor(() => heard().length >= 200, "every message of its room");
    expect(heard()).toEqual(Array.from({ length: 200 }, (_, count) => `${room} ${count}`));
  }
});
