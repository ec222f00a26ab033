/** The room stream in one process: the contract, and its clock that goes back. */
import { expect, it } from "vitest";
import { StreamMemory } from "../adapters/room-stream-memory.ts";
import { systemRuntime } from "../adapters/runtime-system.ts";
import { next, ZERO } from "../core/position.ts";
import { describeRoomStream, draftOf, opened, type StreamWorld } from "./room-stream-contract.ts";

describeRoomStream("memory", async (options) => worldOf(new StreamMemory(systemRuntime, options)));

function worldOf(memory: StreamMemory): StreamWorld {
  return {
    connect: async () => {
      const connection = memory.connect();
      return { stream: connection, feed: connection };
    },
    flush: async () => memory.flush(),
    cut: async () => memory.connections.forEach((connection) => connection.cut()),
    restart: async () => memory.restart(),
    snapshot: async () => {
      const contents = memory.snapshot();
      return async () => memory.restart(contents);
    },
    close: async () => void (await Promise.all([...memory.connections].map((each) => each.close()))),
  };
}

it("[S3] never goes back while the memory's clock does", async () => {
  const memory = new StreamMemory(systemRuntime);
  const stream = memory.connect();
  const fence = await opened(stream);
  const first = await stream.append(draftOf("a"), fence, ZERO);
  memory.clockOffsetMs = -3_600_000;
  const second = await stream.append(draftOf("b"), fence, ZERO);
  expect(second).toEqual({ position: next(first.position), prev: first.position, repeated: false });
  memory.restart();
  const later = await opened(stream, fence, second.position);
  expect(later.position > second.position).toBe(true);
});
